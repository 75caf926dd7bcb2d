"""Where a viewer's lines come from. Lines are read, and their rows counted, when they are looked at.

Lines stand in chunks, so that nothing has to know of each line at once. A long line, such as one of 50 MB, is never
handled whole: its rows are cut by arithmetic, each of ``step`` units, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, TypeAlias

from rich.cells import cell_len, chop_cells

LONG = 4096
"""Units of a line from which on it is cut by arithmetic."""

CHUNK = 1024
"""Lines of one chunk, where a source has them in memory."""

Rows: TypeAlias = Sequence[int] | int
"""The rows of each line of a chunk; a number of lines where each has one row."""

_ONE_CELL = "\x20-\u02ff\u0370-\u0482\u2010-\u2027\u2190-\u21ff\u2400-\u2426\u2500-\u25fc\ufffd"
_WIDE = re.compile(f"[^{_ONE_CELL}]")
"""What may not be one cell wide."""

_JOINED = re.compile(f"[^{_ONE_CELL}\u3001-\u3029\u3030-\u3096\u309b-\ua48c\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60]")
"""What may be one character with its neighbours, or have a width of its own."""


class Line(NamedTuple):
    """A line with its role (see `rows.ROLES`, or ""), and the roles of parts of it as (start, end, role)."""

    text: str
    role: str = ""
    spans: tuple[tuple[int, int, str], ...] = ()


class Match(NamedTuple):
    """Where something was found: the line, and how many units into it."""

    line: int
    at: int


class Source(Protocol):
    """Lines in chunks. A unit is what a long line is measured in: a character or a byte."""

    def count(self) -> int:
        """How many lines there are."""
        ...

    def chunks(self) -> int:
        """How many chunks there are."""
        ...

    def first(self, chunk: int) -> int:
        """The first line of a chunk; of the one after the last, the number of lines."""
        ...

    def chunk_of(self, line: int) -> int:
        """The chunk that has a line."""
        ...

    def guess(self, chunk: int, width: int) -> int:
        """About how many rows of ``width`` cells a chunk has; cheap."""
        ...

    def measure(self, chunk: int, width: int) -> tuple[Rows, int]:
        """The rows of a chunk's lines, and the cells of the widest; a few milliseconds at most."""
        ...

    def long(self, line: int) -> int:
        """The units of a long line, 0 for a line that is none."""
        ...

    def step(self, line: int, width: int) -> int:
        """The units that a row of ``width`` cells takes of a long line."""
        ...

    def piece(self, line: int, start: int, end: int) -> Line:
        """Some units of a long line."""
        ...

    def line(self, line: int) -> Line:
        """A line that is not long."""
        ...

    def find(self, pattern: re.Pattern[str]) -> Iterator[Match | None]:
        """Where ``pattern`` is, line by line; None now and then while nothing is found. For a thread."""
        ...


class ListSource:
    """Lines that are in memory."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self._one_cell: dict[int, bool] = {}

    def count(self) -> int:
        return len(self.lines)

    def chunks(self) -> int:
        return -(-len(self.lines) // CHUNK)

    def first(self, chunk: int) -> int:
        return min(chunk * CHUNK, len(self.lines))

    def chunk_of(self, line: int) -> int:
        return line // CHUNK

    def guess(self, chunk: int, width: int) -> int:
        return self.first(chunk + 1) - self.first(chunk)

    def measure(self, chunk: int, width: int) -> tuple[Rows, int]:
        start = self.first(chunk)
        texts = [line.text for line in self.lines[start : self.first(chunk + 1)]]
        widest = max(map(len, texts), default=0)
        if widest <= width and all(map(str.isascii, texts)):
            return len(texts), widest
        rows, widest = [], 0
        for index, text in enumerate(texts, start):
            if len(text) > LONG:
                rows.append(max(1, -(-len(text) // self.step(index, width))))
                widest = max(widest, len(text) if self._plain(index) else 2 * len(text))
            else:
                rows.append(row_count(text, width))
                widest = max(widest, cells_of(text))
        return rows, widest

    def long(self, line: int) -> int:
        size = len(self.lines[line].text)
        return size if size > LONG else 0

    def step(self, line: int, width: int) -> int:
        return max(1, width if self._plain(line) else width // 2)

    def _plain(self, line: int) -> bool:
        """Whether each character of a long line is one cell wide, as far as it can be told quickly."""
        text = self.lines[line].text
        if text.isascii():
            return True
        if line not in self._one_cell:
            self._one_cell[line] = len(text) < 500_000 and _WIDE.search(text) is None
        return self._one_cell[line]

    def piece(self, line: int, start: int, end: int) -> Line:
        whole = self.lines[line]
        return Line(whole.text[start:end], whole.role, shifted(whole.spans, start, end))

    def line(self, line: int) -> Line:
        return self.lines[line]

    def find(self, pattern: re.Pattern[str]) -> Iterator[Match | None]:
        for index, line in enumerate(self.lines):
            if not index % CHUNK:
                yield None
            last = -LONG
            for found in pattern.finditer(line.text):
                if found.start() - last >= LONG:
                    last = found.start()
                    yield Match(index, last)


def shifted(spans: Sequence[tuple[int, int, str]], start: int, end: int) -> tuple[tuple[int, int, str], ...]:
    """``spans`` as they stand in the part from ``start`` to ``end``."""
    return tuple(
        (max(first, start) - start, min(last, end) - start, role)
        for first, last, role in spans
        if first < end and last > start
    )


def row_count(text: str, width: int) -> int:
    """How many rows of ``width`` cells a line has that is not long."""
    if text.isascii() or _WIDE.search(text) is None:
        return -(-len(text) // width) or 1
    return len(row_starts(text, width))


def row_cut(text: str, width: int, part: int) -> tuple[int, int]:
    """From where to where a line shows in its row number ``part``."""
    if text.isascii() or _WIDE.search(text) is None:
        return part * width, min(len(text), (part + 1) * width)
    starts = row_starts(text, width)
    start = starts[part] if part < len(starts) else len(text)
    return start, starts[part + 1] if part + 1 < len(starts) else len(text)


@lru_cache(maxsize=512)
def row_starts(text: str, width: int) -> tuple[int, ...]:
    """Where the rows of a text with wide characters begin."""
    width = max(2, width)
    starts, at = [], 0
    if _JOINED.search(text) is not None:
        for piece in chop_cells(text, width):
            starts.append(at)
            at += len(piece)
        return tuple(starts) or (0,)
    starts.append(0)
    used = 0
    for at, char in enumerate(text):
        size = 1 if char < "\u3001" or char == "\ufffd" else 2
        used += size
        if used > width:
            starts.append(at)
            used = size
    return tuple(starts)


def cells_of(text: str) -> int:
    """The cells that a line takes, quickly where its characters are simple."""
    if text.isascii() or _WIDE.search(text) is None:
        return len(text)
    return cell_len(text)
