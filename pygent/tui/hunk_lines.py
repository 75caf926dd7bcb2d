"""The hunks of a change set as lines to draw, with the lines around them; each made only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

from pygent.changes import FileChange, Hunk
from pygent.tui.diff_lines import opcodes
from pygent.tui.diff_words import SMALL_BLOCK
from pygent.tui.diffs import DiffLine

CONTEXT = 3
"""Lines that stand around a hunk, where no other hunk is nearer."""


class Part(NamedTuple):
    """Lines of a hunk that are drawn together: which of the removed and the added, and whether those around it."""

    removed: range
    added: range
    before: bool
    after: bool

    @property
    def size(self) -> int:
        """How many changed lines there are."""
        return len(self.removed) + len(self.added)


class HunkLines:
    """One hunk, with the unchanged lines ``before`` and ``after`` it."""

    def __init__(self, hunk: Hunk, before: Sequence[bytes] = (), after: Sequence[bytes] = ()) -> None:
        self.hunk = hunk
        self.before = tuple(before)
        self.after = tuple(after)

    @property
    def digits(self) -> int:
        """Cells that the largest line number needs, and a blank before it."""
        hunk = self.hunk
        old = hunk.old_start + len(hunk.removed) + len(self.after)
        return max(3, len(str(max(old, hunk.new_start + len(hunk.added) + len(self.after))))) + 1

    @property
    def place(self) -> str:
        """Where it stands, as a unified diff says it."""
        around = len(self.before) + len(self.after)
        sides = []
        for sign, start, lines in (
            ("-", self.hunk.old_start, self.hunk.removed),
            ("+", self.hunk.new_start, self.hunk.added),
        ):
            size = len(lines) + around
            sides.append(f"{sign}{start - len(self.before) + (size > 0)},{size}")  # an empty side: the line before it
        return f"@@ {' '.join(sides)} @@"

    @property
    def only_line_ends(self) -> str:
        """How the line ends changed where nothing else did, as ``CRLF → LF``, else empty."""
        removed, added = self.hunk.removed, self.hunk.added
        if len(removed) != len(added) or not removed or len(removed) > 10_000:
            return ""
        if any(old.rstrip(b"\r\n") != new.rstrip(b"\r\n") for old, new in zip(removed, added, strict=True)):
            return ""
        return f"{_end(removed[0])} → {_end(added[0])}"

    def parts(self, size: int, *, split: bool) -> Iterator[Part]:
        """The hunk in parts of about ``size`` rows; a small one is one part, so that its words are compared."""
        removed, added = range(len(self.hunk.removed)), range(len(self.hunk.added))
        if len(removed) + len(added) <= 2 * SMALL_BLOCK:
            yield Part(removed, added, before=True, after=True)
            return
        if split:
            cuts = [
                (removed[at : at + size], added[at : at + size])
                for at in range(0, max(len(removed), len(added)), size)
            ]
        else:
            cuts = [(removed[at : at + size], added[:0]) for at in range(0, len(removed), size)]
            cuts += [(removed[:0], added[at : at + size]) for at in range(0, len(added), size)]
        for number, (old, new) in enumerate(cuts):
            yield Part(old, new, before=number == 0, after=number == len(cuts) - 1)

    def rows(self, part: Part, *, split: bool) -> int:
        """About how many rows a part takes; cheap."""
        changed = max(len(part.removed), len(part.added)) if split else part.size
        return changed + part.before * len(self.before) + part.after * len(self.after)

    def lines(self, part: Part) -> list[DiffLine]:
        """The lines of a part."""
        hunk, out = self.hunk, []
        if part.before:
            first = -len(self.before)
            out += [
                _line(" ", raw, hunk.old_start + at + 1, hunk.new_start + at + 1)
                for at, raw in enumerate(self.before, first)
            ]
        out += [_line("-", hunk.removed[at], hunk.old_start + at + 1, None) for at in part.removed]
        out += [_line("+", hunk.added[at], None, hunk.new_start + at + 1) for at in part.added]
        if part.after:
            old, new = hunk.old_start + len(hunk.removed), hunk.new_start + len(hunk.added)
            out += [_line(" ", raw, old + at + 1, new + at + 1) for at, raw in enumerate(self.after)]
        return out

    def all_lines(self) -> list[DiffLine]:
        """All of it."""
        return self.lines(Part(range(len(self.hunk.removed)), range(len(self.hunk.added)), before=True, after=True))


def hunk_lines(change: FileChange, old: bytes | None) -> list[HunkLines]:
    """The hunks of a file with up to `CONTEXT` lines of the old content around each, none of them twice.

    Without the old content there is nothing around them.
    """
    hunks = change.hunks
    if not hunks:
        return []
    if old is None:
        return [HunkLines(hunk) for hunk in hunks]
    lines = BytesIO(old).readlines()  # which ends lines at line feeds only
    ends = [0, *(hunk.old_start + len(hunk.removed) for hunk in hunks)]
    starts = [*(hunk.old_start for hunk in hunks), len(lines)]
    gaps = [max(0, start - end) for end, start in zip(ends, starts, strict=True)]
    out = []
    for number, hunk in enumerate(hunks):
        above, below = gaps[number], gaps[number + 1]
        before = min(
            CONTEXT, above if number == 0 else max(0, above - CONTEXT)
        )  # those after the last one come first
        start, end = starts[number], ends[number + 1]
        out.append(HunkLines(hunk, lines[start - before : start], lines[end : end + min(CONTEXT, below)]))
    return out


def hunks_of(old: bytes, new: bytes) -> tuple[Hunk, ...]:
    """What makes ``new`` of ``old``."""
    before, after = BytesIO(old).readlines(), BytesIO(new).readlines()
    texts = [[line.decode("latin-1") for line in lines] for lines in (before, after)]
    return tuple(
        Hunk(a, tuple(before[a:b]), c, tuple(after[c:d])) for tag, a, b, c, d in opcodes(*texts) if tag != "equal"
    )


def _line(kind: str, raw: bytes, old: int | None, new: int | None) -> DiffLine:
    ends = raw.endswith(b"\n")
    return DiffLine(kind, raw.removesuffix(b"\n").decode("utf-8", "replace"), old, new, ends)


def _end(line: bytes) -> str:
    return "CRLF" if line.endswith(b"\r\n") else "LF" if line.endswith(b"\n") else "none"
