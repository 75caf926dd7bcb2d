"""``git status`` as letters by path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from pygent.git.repository import Repository

MOST = 20_000
"""Changed paths that are told; a status with more is cut there."""

SECONDS = 5.0
"""How long a status may take."""


@dataclass(slots=True)
class GitStatus:
    """What git says of a folder.

    ``changes`` has a letter for each changed path in it: ``M`` modified, ``A`` added, ``D`` deleted, ``R`` renamed,
    ``U`` in conflict, ``?`` not tracked, ``!`` ignored. A path that ends with a slash is a folder as a whole.
    ``branch`` is empty on no branch, ``commit`` before the first one. ``ahead`` and ``behind`` count commits against
    the branch's upstream; None where it has none. ``cut`` says that there are more changes than are told.
    """

    branch: str = ""
    commit: str = ""
    ahead: int | None = None
    behind: int | None = None
    changes: dict[str, str] = field(default_factory=dict)
    cut: bool = False


def read_status(repository: Repository, *, ignored: bool = False, seconds: float = SECONDS) -> GitStatus:
    """Ask git. ``ignored`` includes what is ignored. Raises ``GitTimeout`` and ``GitError``."""
    arguments = [
        "status",
        "--porcelain=v2",
        "-z",
        "--branch",
        "--ignore-submodules=dirty",
        "--untracked-files=normal",
    ]
    if ignored:
        arguments.append("--ignored=matching")
    status = GitStatus()
    prefix = repository.prefix
    with closing(repository.records(*arguments, "--", ".", seconds=seconds)) as records:
        for path, letter in _changes(map(os.fsdecode, records), status):
            if path.startswith(prefix) and path != prefix:
                if len(status.changes) >= MOST:
                    status.cut = True
                    break
                status.changes[path[len(prefix) :]] = letter
    return status


def _changes(records: Iterator[str], status: GitStatus) -> Iterator[tuple[str, str]]:
    for record in records:
        kind, _, rest = record.partition(" ")
        if kind == "#":
            _header(rest, status)
        elif kind in {"?", "!"}:
            yield rest, kind
        elif kind == "1":
            yield rest.split(" ", 7)[-1], _letter(rest[:2])
        elif kind == "2":
            next(records, "")  # what it was called before
            yield rest.split(" ", 8)[-1], "R" if "R" in rest[:2] else "A"
        elif kind == "u":
            yield rest.split(" ", 9)[-1], "U"


def _letter(states: str) -> str:
    """One letter for the state in the index and that in the work tree."""
    return "D" if "D" in states else "A" if "A" in states else "M"


def _header(text: str, status: GitStatus) -> None:
    name, _, value = text.partition(" ")
    if name == "branch.oid":
        status.commit = "" if value == "(initial)" else value
    elif name == "branch.head":
        status.branch = "" if value == "(detached)" else value
    elif name == "branch.ab":
        ahead, _, behind = value.partition(" ")
        status.ahead, status.behind = int(ahead), -int(behind)
