"""Lines to hunks, and chosen hunks back to content."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from pygent.changes.model import Hunk

BINARY_LOOK = 8000
"""Bytes at a file's beginning in which a NUL says that it has no lines, as git has it."""

TEXT_LIMIT = 4 * 1024 * 1024
"""Bytes above which a file counts as one without lines."""

_CLOSE = 200 * 200
"""Pairs of lines compared at most where no line is unique; a longer stretch counts as replaced as a whole."""

_ROUNDS = 30

_Range = tuple[int, int, int, int]


def is_text(*sides: bytes | None) -> bool:
    """Whether all of these have lines to compare; None is a file that is not there."""
    return all(side is None or (len(side) <= TEXT_LIMIT and b"\0" not in side[:BINARY_LOOK]) for side in sides)


def split(data: bytes) -> list[bytes]:
    """The lines with their ends. Only a line feed ends one."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    if parts[-1]:
        lines.append(parts[-1])
    return lines


def hunks_between(old: bytes, new: bytes) -> tuple[Hunk, ...]:
    """What makes ``new`` of ``old``. The same bytes give the same hunks."""
    before, after = split(old), split(new)
    out: list[Hunk] = []
    here, there = 0, 0
    for one, other, length in [*_matches(before, after), (len(before), len(after), 0)]:
        if one > here or other > there:
            out.append(Hunk(here, tuple(before[here:one]), there, tuple(after[there:other])))
        here, there = one + length, other + length
    return tuple(out)


def with_hunks(old: bytes, hunks: Iterable[Hunk], chosen: Collection[int] | None = None) -> bytes:
    """``old`` with the hunks of these indexes, all where it is None. Raises ``ValueError`` where they do not fit."""
    lines = split(old)
    out: list[bytes] = []
    here = 0
    for number, hunk in enumerate(hunks):
        if chosen is not None and number not in chosen:
            continue
        end = hunk.old_start + len(hunk.removed)
        if hunk.old_start < here or tuple(lines[hunk.old_start : end]) != hunk.removed:
            raise ValueError(f"hunk {number} does not fit")
        out.extend(lines[here : hunk.old_start])
        # A hunk may end in the file's last line without an end; what is kept behind it begins a line of its own.
        out.extend(hunk.added)
        here = end
    out.extend(lines[here:])
    return b"".join(line if line.endswith(b"\n") else line + b"\n" for line in out[:-1]) + b"".join(out[-1:])


def _matches(before: list[bytes], after: list[bytes]) -> list[tuple[int, int, int]]:
    """Stretches that both have, in order, neither touching nor overlapping: (index, index, length)."""
    numbers: dict[bytes, int] = {}
    a = [numbers.setdefault(line, len(numbers)) for line in before]
    b = [numbers.setdefault(line, len(numbers)) for line in after]
    found: list[tuple[int, int, int]] = []
    waiting: list[tuple[_Range, int]] = [((0, len(a), 0, len(b)), 0)]
    while waiting:
        (alo, ahi, blo, bhi), depth = waiting.pop()
        start = alo
        while alo < ahi and blo < bhi and a[alo] == b[blo]:
            alo, blo = alo + 1, blo + 1
        if alo > start:
            found.append((start, blo - (alo - start), alo - start))
        end = ahi
        while ahi > alo and bhi > blo and a[ahi - 1] == b[bhi - 1]:
            ahi, bhi = ahi - 1, bhi - 1
        if end > ahi:
            found.append((ahi, bhi, end - ahi))
        if alo == ahi or blo == bhi:
            continue
        anchors = _anchors(a, b, (alo, ahi, blo, bhi)) if depth < _ROUNDS else []
        if not anchors:
            found.extend(_close(a, b, (alo, ahi, blo, bhi)))
            continue
        for one, other in [*anchors, (ahi, bhi)]:
            waiting.append(((alo, one, blo, other), depth + 1))
            if one < ahi:
                found.append((one, other, 1))
            alo, blo = one + 1, other + 1
    return list(_joined(sorted(found)))


def _anchors(a: list[int], b: list[int], part: _Range) -> list[tuple[int, int]]:
    """The longest ascending row of lines that stand once on either side."""
    alo, ahi, blo, bhi = part
    ours, theirs = Counter(a[alo:ahi]), Counter(b[blo:bhi])
    place = {b[index]: index for index in range(blo, bhi) if theirs[b[index]] == 1}
    pairs = [(index, place[a[index]]) for index in range(alo, ahi) if ours[a[index]] == 1 and a[index] in place]
    tops: list[int] = []
    rows: list[int] = []  # which pair ends the row of each length
    before: list[int] = []
    for number, (_, other) in enumerate(pairs):
        length = bisect_left(tops, other)
        before.append(rows[length - 1] if length else -1)
        if length == len(tops):
            tops.append(other)
            rows.append(number)
        else:
            tops[length], rows[length] = other, number
    out: list[tuple[int, int]] = []
    number = rows[-1] if rows else -1
    while number >= 0:
        out.append(pairs[number])
        number = before[number]
    return out[::-1]


def _close(a: list[int], b: list[int], part: _Range) -> Iterator[tuple[int, int, int]]:
    alo, ahi, blo, bhi = part
    if (ahi - alo) * (bhi - blo) > _CLOSE:
        return
    from difflib import SequenceMatcher  # noqa: PLC0415 - only for what has changed

    for block in SequenceMatcher(None, a[alo:ahi], b[blo:bhi], autojunk=False).get_matching_blocks():
        if block.size:
            yield alo + block.a, blo + block.b, block.size


def _joined(found: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    last: tuple[int, int, int] | None = None
    for one, other, length in found:
        if last is not None and last[0] + last[2] == one and last[1] + last[2] == other:
            last = (last[0], last[1], last[2] + length)
            continue
        if last is not None:
            yield last
        last = (one, other, length)
    if last is not None:
        yield last
