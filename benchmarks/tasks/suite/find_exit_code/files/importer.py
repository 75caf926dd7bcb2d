"""Import records: python3 importer.py FILE"""

import sys

import codes


def records(path):
    try:
        with open(path) as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        sys.exit(codes.MISSING)
    if not lines:
        sys.exit(codes.NOTHING_TO_DO)
    if not all("\t" in line for line in lines):
        sys.exit(codes.FORMAT)
    return [line.split("\t") for line in lines]


def main():
    if len(sys.argv) != 2:
        sys.exit(codes.USAGE)
    print(len(records(sys.argv[1])), "records")


if __name__ == "__main__":
    main()
