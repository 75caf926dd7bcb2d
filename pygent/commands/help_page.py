"""Lays out ``pygent --help``; the result is kept in ``help.txt``, so that asking for it imports nothing.

After a change of the options: ``python -m pygent.commands.help_page``. A test holds the file to the parser.
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from pygent.commands import help_text

FILE = Path(__file__).with_name("help.txt")
WIDTH, COLUMN = 80, 26


def page(parser: argparse.ArgumentParser) -> str:
    """The help of ``parser``, 80 columns wide, the same from every Python."""
    parts = [f"usage: {help_text.USAGE}", help_text.DESCRIPTION]
    for group in parser._action_groups:  # noqa: SLF001 - argparse tells it no other way
        rows = [_row(action) for action in group._group_actions if action.help != argparse.SUPPRESS]  # noqa: SLF001
        if rows:
            parts.append("\n".join([f"{group.title}:", *rows]))
    return "\n\n".join([*parts, help_text.EPILOG]) + "\n"


def _row(action: argparse.Action) -> str:
    names = list(action.option_strings)
    if len(names) == 2 and names[1].startswith("--no-"):
        names = [names[0].replace("--", "--[no-]", 1)]
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
    left = f"  {', '.join(names)} {f'[{value}]' if action.nargs == '?' else value}".rstrip()
    lines = textwrap.wrap((action.help or "").replace("%%", "%"), WIDTH - COLUMN)
    if len(left) > COLUMN - 2:
        lines.insert(0, "")
    return "\n".join(
        f"{left if index == 0 else '':<{COLUMN}}{line}".rstrip() for index, line in enumerate(lines or [""])
    )


def write() -> None:
    """Write ``help.txt`` anew."""
    from pygent.commands.arguments import main_parser  # noqa: PLC0415 - it needs this module

    FILE.write_text(page(main_parser()), encoding="utf-8")


if __name__ == "__main__":
    write()
