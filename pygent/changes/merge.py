"""Three-way merges of lines: by git where it is installed, else from the hunks of both sides.

The libraries that do this in Python are under the GPL or merge characters, so without git the hunks are put together
here, the way ``diff3`` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pygent.changes.hunks import hunks_between, split
from pygent.changes.model import Hunk
from pygent.git.merging import merge_file
from pygent.git.repository import GitError

Favour: TypeAlias = Literal["ours", "theirs"] | None

LABELS = ("workspace", "change set")
"""What the sides are called in conflict markers."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The lines of both sides. Where they conflict, ``data`` has git's markers around both versions."""

    data: bytes
    clean: bool


def merge(base: bytes, here: bytes, there: bytes, favour: Favour = None, *, git: bool = True) -> Merged:
    """Both sides' changes to ``base``.

    ``favour`` takes the lines of one side where both changed the same, ``"ours"`` those of ``here``; None: that is a
    conflict. ``git`` False: without git, even where there is one.
    """
    if there in {here, base}:
        return Merged(here, clean=True)
    if here == base:
        return Merged(there, clean=True)
    if git:
        try:
            merged = merge_file(here, base, there, LABELS, favour)
        except GitError:  # the other way gives an answer as well
            merged = None
        if merged is not None:
            return Merged(merged[0], clean=merged[1])
    return merge_lines(base, here, there, favour)


def merge_lines(base: bytes, here: bytes, there: bytes, favour: Favour = None) -> Merged:
    """The merge without git. Changes that touch each other conflict, unless they are the same."""
    lines = split(base)
    out: list[bytes] = []
    place, clean = 0, True
    for start, end, ours, theirs in _regions(hunks_between(base, here), hunks_between(base, there)):
        out.extend(lines[place:start])
        place = end
        mine = _side(lines, start, end, ours)
        other = _side(lines, start, end, theirs)
        if mine == other or not theirs:
            out.extend(mine)
        elif not ours:
            out.extend(other)
        elif favour is not None:
            out.extend(mine if favour == "ours" else other)
        else:
            clean = False
            out.append(b"<<<<<<< %s\n" % LABELS[0].encode())
            out.extend(_ended(mine))
            out.append(b"=======\n")
            out.extend(_ended(other))
            out.append(b">>>>>>> %s\n" % LABELS[1].encode())
    out.extend(lines[place:])
    return Merged(b"".join([*_ended(out[:-1]), *out[-1:]]), clean)


def _regions(ours: tuple[Hunk, ...], theirs: tuple[Hunk, ...]) -> Iterator[tuple[int, int, list[Hunk], list[Hunk]]]:
    """Stretches of the base, and the hunks of either side in them; hunks that touch are in one stretch."""
    both = sorted(
        [(hunk.old_start, False, hunk) for hunk in ours] + [(hunk.old_start, True, hunk) for hunk in theirs],
        key=lambda item: item[:2],
    )
    index = 0
    while index < len(both):
        start = end = both[index][0]
        sides: tuple[list[Hunk], list[Hunk]] = ([], [])
        while index < len(both) and both[index][0] <= end:
            _, is_theirs, hunk = both[index]
            sides[is_theirs].append(hunk)
            end = max(end, hunk.old_start + len(hunk.removed))
            index += 1
        yield start, end, *sides


def _side(lines: list[bytes], start: int, end: int, hunks: list[Hunk]) -> list[bytes]:
    out: list[bytes] = []
    for hunk in hunks:
        out.extend(lines[start : hunk.old_start])
        out.extend(hunk.added)
        start = hunk.old_start + len(hunk.removed)
    out.extend(lines[start:end])
    return out


def _ended(lines: list[bytes]) -> list[bytes]:
    return [line if line.endswith(b"\n") else line + b"\n" for line in lines]
