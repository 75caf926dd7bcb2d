"""What could stand where the cursor is: slash commands and their arguments, and files of the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

SHOWN = 8
"""Candidates at once."""

_FILE = re.compile(r"(?:^|(?<=\s))@(\S*)$")


class Candidate(NamedTuple):
    """``text`` replaces what was typed; ``final`` where Enter may send it at once."""

    text: str
    about: str = ""
    final: bool = False


class Found(NamedTuple):
    """The candidates, and how many characters before the cursor they replace."""

    candidates: list[Candidate]
    length: int


NOTHING = Found([], 0)


def find(
    before: str,
    commands: Sequence[Candidate],
    arguments: Callable[[str], Sequence[str]],
    files: Callable[[], FileIndex | None],
) -> Found:
    """The candidates for a text that ends at the cursor."""
    if before.startswith("/") and "\n" not in before:
        name, blank, rest = before.partition(" ")
        if not blank:
            hits = [c for c in commands if c.text.startswith(name)]
            hits += [c for c in commands if name[1:] in c.text and c not in hits]
            return Found(hits[:SHOWN], len(name))
        values = [Candidate(f"{value}", final=True) for value in arguments(name[1:]) if value.startswith(rest)]
        if values and [value.text for value in values] != [rest]:
            return Found(values[:SHOWN], len(rest))
        return NOTHING
    if match := _FILE.search(before):
        index = files()
        if index is not None:
            return Found([Candidate(f"@{path} ") for path in index.search(match[1])], len(match[0]))
    return NOTHING


class FileIndex:
    """Paths to look through at every key, quickly also for many of them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = sorted(paths, key=lambda path: (path.count("/"), path))
        self._lower = [path.lower() for path in self._paths]

    def search(self, typed: str, limit: int = SHOWN) -> list[str]:
        """The best paths: those whose name has what was typed, then whose path has it, then in scattered letters."""
        needle = typed.lower()
        if not needle:
            return self._paths[:limit]
        holding = [i for i, path in enumerate(self._lower) if needle in path]
        holding.sort(key=lambda i: (not self._name(i).startswith(needle), needle not in self._name(i), i))
        if len(holding) < limit:
            scattered = re.compile(".*?".join(map(re.escape, needle[:60])))
            seen = set(holding)
            for i, path in enumerate(self._lower):
                if i not in seen and scattered.search(path):
                    holding.append(i)
                    if len(holding) >= limit:
                        break
        return [self._paths[i] for i in holding[:limit]]

    def _name(self, index: int) -> str:
        return self._lower[index].rpartition("/")[2]
