"""The bytes of a file, sixteen a line, as hexadecimal numbers and as characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pygent.tui.panes.file_source import FileSource
from pygent.tui.panes.line_source import CHUNK, Line, Match, Rows

ROW = 16
"""Bytes of one line."""

CELLS = 10 + 3 * ROW + 2 + ROW


class HexSource:
    """The same file as ``file``, whose index it needs not."""

    def __init__(self, file: FileSource) -> None:
        self._file = file

    def count(self) -> int:
        return -(-self._file.size // ROW)

    def chunks(self) -> int:
        return -(-self.count() // CHUNK)

    def first(self, chunk: int) -> int:
        return min(chunk * CHUNK, self.count())

    def chunk_of(self, line: int) -> int:
        return line // CHUNK

    def guess(self, chunk: int, width: int) -> int:
        return (self.first(chunk + 1) - self.first(chunk)) * -(-CELLS // width)

    def measure(self, chunk: int, width: int) -> tuple[Rows, int]:
        lines, rows = self.first(chunk + 1) - self.first(chunk), -(-CELLS // width)
        return lines if rows == 1 else [rows] * lines, CELLS

    def long(self, line: int) -> int:
        return 0

    def step(self, line: int, width: int) -> int:
        return width

    def piece(self, line: int, start: int, end: int) -> Line:
        return Line(self.line(line).text[start:end])

    def line(self, line: int) -> Line:
        data = self._file.read(line * ROW, min((line + 1) * ROW, self._file.size))
        numbers = data.hex(" ")
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in data)
        text = f"{line * ROW:08x}  {numbers:<{3 * ROW}} {letters:<{ROW + 1}}"
        return Line(text, "", ((0, 8, "muted"), (10 + 3 * ROW, CELLS, "secondary")))

    def find(self, pattern: re.Pattern[str]) -> Iterator[Match | None]:
        """Where the text is in the file; only a line by its numbers is found in the view itself."""
        start = 0
        for match in self._file.find(pattern):
            if match is None:
                yield None
                continue
            line_start = self._file.start_of(match.line)
            where = (line_start + match.at) // ROW
            if where >= start:
                yield Match(where, 0)
                start = where + 1
