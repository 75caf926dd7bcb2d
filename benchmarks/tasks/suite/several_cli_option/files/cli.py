"""List names: python3 cli.py [--upper] NAME..."""

import argparse

from listing import listing


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+")
    parser.add_argument("--upper", action="store_true", help="in capital letters")
    options = parser.parse_args()
    for line in listing(options.names, upper=options.upper):
        print(line)


if __name__ == "__main__":
    main()
