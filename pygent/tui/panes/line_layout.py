"""Which line stands in which row, for any number of lines: counted where it is seen, guessed elsewhere."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from pygent.tui.panes.line_source import Rows, Source


class Layout:
    """The rows of a source's lines at a width in cells. Without ``wrap`` each line is one row.

    What is counted beforehand is held back until ``apply``, since it moves what stands below.
    """

    def __init__(self, source: Source, width: int, *, wrap: bool) -> None:
        self.source = source
        self.width = max(1, width)
        self.wrap = wrap
        self.widest = 0
        self._rows: list[int] = []
        self._ends: dict[int, list[int] | None] = {}  # of the counted chunks: for each line, the row after its last
        self._counted: dict[int, tuple[Rows, int]] = {}
        self._sums: list[int] | None = None
        self._next = 0
        self.grew(0)

    def grew(self, line: int) -> None:
        """The source has more, and ``line`` and what follows may have changed."""
        chunk = min(len(self._rows), self.source.chunk_of(line)) if self._rows else 0
        for old in range(chunk, len(self._rows)):
            self._ends.pop(old, None)
            self._counted.pop(old, None)
        if self.wrap:
            guesses = [self.source.guess(new, self.width) for new in range(chunk, self.source.chunks())]
        else:
            guesses = [self._lines(new) for new in range(chunk, self.source.chunks())]
        self._rows[chunk:] = guesses
        self._sums = None
        self._next = min(self._next, chunk)

    @property
    def total(self) -> int:
        """All rows, as far as they are known."""
        return self._ends_of_chunks()[-1] if self._rows else 0

    def place(self, row: int) -> tuple[int, int]:
        """The line that a row shows, and which of its rows it is."""
        sums = self._ends_of_chunks()
        chunk = bisect_right(sums, row)
        if chunk >= len(sums):
            return self.source.count(), 0
        first, offset = self.source.first(chunk), row - (sums[chunk - 1] if chunk else 0)
        ends = self._ends.get(chunk)
        if ends is None:
            return min(first + offset, max(first, self.source.first(chunk + 1) - 1)), 0
        line = bisect_right(ends, offset)
        return first + line, offset - (ends[line - 1] if line else 0)

    def row_of(self, line: int, part: int = 0) -> int:
        """The row in which a line's row number ``part`` stands; its chunk should be counted."""
        if not self._rows:
            return 0
        line = max(0, min(line, self.source.count() - 1))
        chunk = self.source.chunk_of(line)
        before = self._ends_of_chunks()[chunk - 1] if chunk else 0
        offset = line - self.source.first(chunk)
        ends = self._ends.get(chunk)
        if ends is None:
            return before + offset
        return before + (ends[offset - 1] if offset else 0) + part

    def count_lines(self, first: int, last: int) -> bool:
        """Count the chunks that have the lines from ``first`` to ``last``. Answers whether there were such."""
        if not self._rows:
            return False
        chunks = range(
            self.source.chunk_of(max(0, first)), self.source.chunk_of(min(last, self.source.count() - 1)) + 1
        )
        return self._count(chunk for chunk in chunks if chunk not in self._ends)

    def count_rows(self, first: int, last: int) -> bool:
        """Count the chunks that show in the rows from ``first`` up to ``last``. Answers whether there were such."""
        changed = False
        while self._rows:
            sums = self._ends_of_chunks()
            start, end = bisect_right(sums, first), bisect_right(sums, last - 1)
            chunks = [chunk for chunk in range(start, min(end + 1, len(sums))) if chunk not in self._ends]
            if not self._count(iter(chunks[:1])):
                break
            changed = True
        return changed

    def _count(self, chunks: Iterator[int]) -> bool:
        changed = False
        for chunk in chunks:
            self._set(chunk, *(self._counted.pop(chunk, None) or self._measure(chunk)))
            changed = True
        return changed

    def count_ahead(self, seconds: float) -> bool:
        """Count more for at most about ``seconds``, for ``apply``. False once all is counted."""
        end = time.perf_counter() + seconds
        while self._next < len(self._rows):
            if time.perf_counter() > end:
                return True
            if self._next not in self._ends and self._next not in self._counted:
                self._counted[self._next] = self._measure(self._next)
            self._next += 1
        return False

    def apply(self) -> bool:
        """Use what was counted ahead. Answers whether that moves anything."""
        before = self.total, self.widest
        for chunk, (rows, widest) in self._counted.items():
            self._set(chunk, rows, widest)
        self._counted.clear()
        return (self.total, self.widest) != before

    def _measure(self, chunk: int) -> tuple[Rows, int]:
        rows, widest = self.source.measure(chunk, self.width)
        return (rows if self.wrap else self._lines(chunk)), widest

    def _set(self, chunk: int, rows: Rows, widest: int) -> None:
        self.widest = max(self.widest, widest)
        self._ends[chunk] = None if isinstance(rows, int) else list(accumulate(rows))
        total = rows if isinstance(rows, int) else sum(rows)
        if total != self._rows[chunk]:
            self._rows[chunk] = total
            self._sums = None

    def _lines(self, chunk: int) -> int:
        return self.source.first(chunk + 1) - self.source.first(chunk)

    def _ends_of_chunks(self) -> list[int]:
        if self._sums is None:
            self._sums = list(accumulate(self._rows))
        return self._sums
