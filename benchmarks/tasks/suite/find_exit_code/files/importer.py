"""Import records: python3 importer.py FILE"""

import sys

import failures


def records(path):
    try:
        with open(path) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        failures.stop("missing")
    if not lines:
        failures.stop("empty")
    return [line.split("\t") for line in lines]


def main():
    if len(sys.argv) != 2:
        failures.stop("usage")
    print(len(records(sys.argv[1])), "records")


if __name__ == "__main__":
    main()
