"""Where ``pygent`` starts: version and help are told before anything else is imported."""

import gc
import sys

from pygent._version import __version__


def main(argv: list[str] | None = None) -> int:
    """Run the command line ``argv`` (without the program's name); answers the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words == ["--version"]:
        sys.stdout.write(f"pygent {__version__}\n")
        return 0
    if words in (["--help"], ["-h"]):
        sys.stdout.write(_help())
        return 0
    gc.disable()  # what a start makes stays: looking through it again and again takes a sixth of the first paint
    from pygent.cli import main as run  # noqa: PLC0415 - version and help are told without it

    return run(words)


def _help() -> str:
    with open(f"{__file__.rpartition('__main__')[0]}commands/help.txt", encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


if __name__ == "__main__":
    sys.exit(main())
