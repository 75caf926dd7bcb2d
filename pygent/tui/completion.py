"""What could stand where the cursor is: slash commands and their arguments, and files of the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

SHOWN = 8
"""Candidates at once."""

_FILE = re.compile(r"""(?:^|(?<=\s))@(?:"(?P<quoted>[^"\n]*)|(?P<plain>[^\s"]*))$""")


class Candidate(NamedTuple):
    """``text`` replaces what was typed; ``final`` where Enter may send it at once."""

    text: str
    about: str = ""
    final: bool = False


class Found(NamedTuple):
    """The candidates, and how many characters before the cursor they replace. ``note`` is said in their place."""

    candidates: list[Candidate]
    length: int
    note: str = ""


NOTHING = Found([], 0)


def find(
    before: str,
    commands: Sequence[Candidate],
    arguments: Callable[[str], Sequence[str]],
    files: Callable[[str, int], Found],
) -> Found:
    """The candidates for a text that ends at the cursor.

    ``files`` is asked with what was typed of a path, and how many characters before the cursor that is with its sign.
    """
    if before.startswith("/") and "\n" not in before:
        name, blank, rest = before.partition(" ")
        if not blank:
            hits = [c for c in commands if c.text.startswith(name)]
            hits += [c for c in commands if name[1:] in c.text and c not in hits]
            return Found(hits[:SHOWN], len(name))
        fitting = [value for value in arguments(name[1:]) if value.startswith(rest)]
        values = [Candidate(value, final=not value.endswith(" ")) for value in fitting]
        if values and [value.text for value in values] != [rest]:
            return Found(values[:SHOWN], len(rest))
        return NOTHING
    if match := _FILE.search(before):
        return files(match["quoted"] or match["plain"] or "", len(match[0]))
    return NOTHING


def mention(path: str, *, whole: bool = False) -> str:
    """How a path stands in a prompt: ``@src/app.py``, in quotes where it has blanks.

    After a file comes a blank; a folder stays open for what is in it, unless the ``whole`` of it is meant.
    """
    is_open = path.endswith("/") and not whole
    if not any(char.isspace() or char == '"' for char in path):
        return f"@{path}" if is_open else f"@{path} "
    return f'@"{path}' if is_open else f'@"{path}" '


def file_candidates(paths: Sequence[str], length: int, note: str) -> Found:
    """Paths as candidates."""
    return Found([Candidate(mention(path)) for path in paths], length, note)
