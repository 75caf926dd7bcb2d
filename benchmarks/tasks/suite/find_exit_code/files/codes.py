"""Exit codes of all our programs."""

USAGE = 64
EMPTY_ARCHIVE = 71
MISSING = 82
FORMAT = 85
NOTHING_TO_DO = 86
LOCKED = 91
