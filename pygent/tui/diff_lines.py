"""Which lines two texts have in common, found in a time that does not explode."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeAlias

Opcode: TypeAlias = tuple[str, int, int, int, int]
"""As `difflib` has them: ``equal``, ``replace``, ``delete`` or ``insert``, and from where to where in both."""

MOST_PAIRS = 100_000
"""Equal pairs of lines up to which a part without lines of its own is compared; beyond, it is replaced whole."""


def opcodes(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """How ``old`` becomes ``new``. Lines that both have once hold the rest together."""
    codes: list[Opcode] = []
    at_old = at_new = 0
    for i, j in [*_anchors(old, new), (len(old), len(new))]:
        _add_part(codes, old, new, (at_old, i, at_new, j))
        if i < len(old):
            _add(codes, "equal", i, i + 1, j, j + 1)
        at_old, at_new = i + 1, j + 1
    return codes


def groups(codes: Sequence[Opcode], context: int) -> Iterator[list[Opcode]]:
    """The opcodes of each hunk, equal lines cut to the ``context`` that stands around the changes."""
    group: list[Opcode] = []
    changed = False
    for number, (tag, a, b, c, d) in enumerate(codes):
        if tag != "equal":
            group.append((tag, a, b, c, d))
            changed = True
            continue
        last = number == len(codes) - 1
        if changed and not last and b - a <= 2 * context:
            group.append((tag, a, b, c, d))
            continue
        size = min(context, b - a)
        if changed:
            if size:
                group.append((tag, a, a + size, c, c + size))
            yield group
        group, changed = [(tag, b - size, b, d - size, d)] if size else [], False
    if changed:
        yield group


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Places of lines that both sides have once, the longest run that is in order on both."""
    old_counts, new_counts = Counter(old), Counter(new)
    place = {line: j for j, line in enumerate(new) if new_counts[line] == 1}
    pairs = [(i, place[line]) for i, line in enumerate(old) if old_counts[line] == 1 and line in place]
    tails: list[int] = []  # the smallest end of a run of each length
    ends: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(tails, j)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(j)
            ends.append(number)
        else:
            tails[length], ends[length] = j, number
    run: list[tuple[int, int]] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _add_part(codes: list[Opcode], old: Sequence[str], new: Sequence[str], part: tuple[int, int, int, int]) -> None:
    """The opcodes between two anchors."""
    a, b, c, d = part
    while a < b and c < d and old[a] == new[c]:
        _add(codes, "equal", a, a + 1, c, c + 1)
        a, c = a + 1, c + 1
    end = 0
    while end < min(b - a, d - c) and old[b - 1 - end] == new[d - 1 - end]:
        end += 1
    middle_old, middle_new = old[a : b - end], new[c : d - end]
    counts = Counter(middle_new)
    if sum(counts[line] for line in middle_old) > MOST_PAIRS:
        _add(codes, "replace", a, b - end, c, d - end)
    elif middle_old or middle_new:
        for tag, i, j, k, m in SequenceMatcher(None, middle_old, middle_new).get_opcodes():
            _add(codes, tag, a + i, a + j, c + k, c + m)
    if end:
        _add(codes, "equal", b - end, b, d - end, d)


def _add(codes: list[Opcode], tag: str, a: int, b: int, c: int, d: int) -> None:
    """Add to the end, or to the last one where it is of the same sort."""
    if codes and codes[-1][0] == tag:
        _, first_old, _, first_new, _ = codes[-1]
        codes[-1] = (tag, first_old, b, first_new, d)
    else:
        codes.append((tag, a, b, c, d))
