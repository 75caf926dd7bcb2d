"""How the importer ends when it cannot go on."""

import sys

import codes

MESSAGES = {
    "usage": "usage: importer.py FILE",
    "missing": "there is no such file",
    "empty": "the file is empty",
}


def stop(kind):
    print(MESSAGES[kind], file=sys.stderr)
    sys.exit(codes.code(kind))
