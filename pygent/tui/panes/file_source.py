"""The lines of a file of any size, also of one that is still written: only what is looked at is read and decoded.

The index has the number of lines that begin in each block, which a thread finds with two passes of C over the bytes.
Nothing grows with the number of lines or the length of one.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from pygent.tui.panes.line_source import LONG, Line, Match, Rows, cells_of, row_count
from pygent.tui.text import UNSEEN, clean

BLOCK = 32 * 1024
"""Bytes of one chunk."""

READ = 1024 * 1024
"""Bytes that are read at once while the index is made, and while something is looked for."""

KEPT = 16
"""Chunks whose lines are kept decoded."""

_BINARY = dict.fromkeys(range(128, 256), 183)

PICTURES = {**{code: 0x2400 + code for code in range(0x20)}, 0x7F: 0x2421, 0x09: 0x20}
"""Control characters as characters that show them, each one cell wide."""


class Scanned(NamedTuple):
    """What a scan learns of the blocks from ``block`` on: the lines that begin in each, and whether it is ASCII."""

    block: int
    starts: list[int]
    ascii: list[bool]
    size: int


class Chunk(NamedTuple):
    """Where the lines of a chunk begin, where its last one ends, and the texts of those that are not long."""

    starts: list[int]
    end: int
    texts: Sequence[str | None]


class FileSource:
    """Reads ``file``, which ``close`` closes.

    ``scan`` may run on a thread, ``absorb`` takes in what it found; until then there are no lines. Control characters
    are taken out as a terminal would, or shown as pictures where the file is binary.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0
        """Bytes that are indexed."""
        self.binary = _is_binary(self.read(0, 64 * 1024))
        self._sums = [0]
        self._ascii: list[bool] = []
        self._chunks: OrderedDict[int, Chunk] = OrderedDict()

    def close(self) -> None:
        """Give the file back. Nothing can be read afterwards."""
        self._file.close()

    def read(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to ``end``, as many as there are; empty once the file is closed."""
        try:
            return os.pread(self._file.fileno(), max(0, end - start), start)
        except (OSError, ValueError):
            return b""

    # The index.

    def scan(self) -> Scanned | None:
        """Look at what has come since the last time; None where nothing has."""
        try:
            size = os.fstat(self._file.fileno()).st_size
        except (OSError, ValueError):
            return None
        if size <= self.size:
            return None
        block = self.size // BLOCK
        starts: list[int] = []
        plain: list[bool] = []
        for base in range(block * BLOCK, size, READ):
            data = self.read(max(0, base - 1), min(base + READ, size))
            shift = 1 if base else 0
            for at in range(shift, len(data), BLOCK):
                # A line begins behind each line end but the file's last byte.
                last = min(at + BLOCK, len(data)) - 1
                begun = data.count(b"\n", at - 1 if at else 0, last)
                starts.append(begun + (not base and not at))
                plain.append(data[at : at + BLOCK].isascii())
        return Scanned(block, starts, plain, size)

    def absorb(self, found: Scanned) -> int:
        """Take in what ``scan`` found. Answers the first line that may be another than before."""
        changed = max(0, self._sums[-1] - 1)
        del self._sums[found.block + 1 :], self._ascii[found.block :]
        for begun in found.starts:
            self._sums.append(self._sums[-1] + begun)
        self._ascii += found.ascii
        self.size = found.size
        first = self.chunk_of(changed)
        for chunk in [chunk for chunk in self._chunks if chunk >= first]:
            del self._chunks[chunk]
        return changed

    # The source.

    def count(self) -> int:
        return self._sums[-1]

    def chunks(self) -> int:
        return len(self._sums) - 1

    def first(self, chunk: int) -> int:
        return self._sums[min(chunk, len(self._sums) - 1)]

    def chunk_of(self, line: int) -> int:
        return max(0, bisect_right(self._sums, line) - 1)

    def guess(self, chunk: int, width: int) -> int:
        lines = self.first(chunk + 1) - self.first(chunk)
        if not lines:
            return 0
        following = bisect_right(self._sums, self._sums[chunk + 1])
        size = (min(following, len(self._sums)) - 1 - chunk) * BLOCK
        return max(lines, size // width)

    def measure(self, chunk: int, width: int) -> tuple[Rows, int]:
        data = self._chunk(chunk)
        texts = data.texts
        known = [text for text in texts if text is not None]
        widest = max(map(len, known), default=0)
        if len(known) == len(texts) and widest <= width and all(map(str.isascii, known)):
            return len(texts), widest
        rows: list[int] = []
        first = self.first(chunk)
        for index, text in enumerate(texts):
            if text is None:
                size = self.long(first + index)
                rows.append(-(-size // self.step(first + index, width)))
                widest = max(widest, size)
            else:
                rows.append(row_count(text, width))
                widest = max(widest, cells_of(text))
        return rows, widest

    def long(self, line: int) -> int:
        chunk = self.chunk_of(line)
        data = self._chunk(chunk)
        index = line - self.first(chunk)
        if index >= len(data.texts) or data.texts[index] is not None:
            return 0
        return (data.starts[index + 1] - 1 if index + 1 < len(data.starts) else data.end) - data.starts[index]

    def step(self, line: int, width: int) -> int:
        start = self.start_of(line)
        if self.binary:
            return width
        blocks = self._ascii[start // BLOCK : (start + self.long(line) - 1) // BLOCK + 1]
        # A character that begins in one row and ends in the next is one cell more at most.
        return max(1, width if all(blocks) else width - 1)

    def piece(self, line: int, start: int, end: int) -> Line:
        base = self.start_of(line)
        size = self.long(line)
        start, end = min(start, size), min(end, size)
        before = min(3, start)
        data = self.read(base + start - before, base + end + 1)
        stop = before + end - start
        last = stop if end == size else _whole(data, stop)
        if self.binary:
            return Line(_bytes(data[before:stop]))
        return Line(pictured(data[_whole(data, before) : last].decode("utf-8", "replace")))

    def line(self, line: int) -> Line:
        chunk = self.chunk_of(line)
        texts = self._chunk(chunk).texts
        index = line - self.first(chunk)
        text = texts[index] if 0 <= index < len(texts) else None
        return Line(text or "")

    def start_of(self, line: int) -> int:
        """The byte with which a line begins."""
        chunk = self.chunk_of(line)
        return self._chunk(chunk).starts[line - self.first(chunk)]

    def find(self, pattern: re.Pattern[str]) -> Iterator[Match | None]:
        """As ``Source.find``, over bytes; letters beyond ASCII are found as they are written."""
        sought = re.compile(pattern.pattern.encode("utf-8"), pattern.flags & re.IGNORECASE)
        overlap = len(pattern.pattern.encode("utf-8"))
        line = line_start = counted = 0
        last = Match(-1, 0)
        at, size = 0, self.size
        while at < size:
            yield None
            data = self.read(at, min(at + READ + overlap, size))
            if not data:
                return
            for found in sought.finditer(data):
                if found.start() >= READ:
                    break
                where = at + found.start()
                line += data.count(b"\n", counted - at, found.start())
                end = data.rfind(b"\n", counted - at, found.start())
                line_start = at + end + 1 if end >= 0 else line_start
                counted = where
                match = Match(line, where - line_start)
                if match.line != last.line or match.at - last.at >= LONG:
                    last = match
                    yield match
            stop = min(at + READ, size)
            line += data.count(b"\n", counted - at, stop - at)
            end = data.rfind(b"\n", counted - at, stop - at)
            line_start = at + end + 1 if end >= 0 else line_start
            at = counted = stop

    # Blocks.

    def _chunk(self, chunk: int) -> Chunk:
        found = self._chunks.get(chunk)
        if found is None:
            found = self._chunks[chunk] = self._read_chunk(chunk)
            if len(self._chunks) > KEPT:
                self._chunks.popitem(last=False)
        else:
            self._chunks.move_to_end(chunk)
        return found

    def _read_chunk(self, chunk: int) -> Chunk:
        if not 0 <= chunk < self.chunks() or self._sums[chunk + 1] == self._sums[chunk]:
            return Chunk([], 0, [])
        base = chunk * BLOCK
        data = self.read(max(0, base - 1), min(base + BLOCK + LONG + 1, self.size))
        offset = max(0, base - 1)
        start = data.find(b"\n") + 1 if base else 0
        count = self._sums[chunk + 1] - self._sums[chunk]
        raw = data[start:].split(b"\n", count)[:count]
        if len(data) < min(base + BLOCK, self.size) - offset or len(raw) < count:  # somebody has shortened the file
            return Chunk([base] * count, base, [""] * count)
        starts, at = [], offset + start
        for piece in raw:
            starts.append(at)
            at += len(piece) + 1
        end = at - 1
        if end >= offset + len(data) and end < self.size:  # the last line goes on beyond what was read
            end = self._end_of_line(chunk, end)
        if end - starts[-1] > LONG:
            raw[-1] = b" " * (LONG + 1)
        return Chunk(starts, end, self._decoded(raw))

    def _end_of_line(self, chunk: int, at: int) -> int:
        """Where the last line that begins in ``chunk`` ends, known to go on until ``at`` at least."""
        following = bisect_right(self._sums, self._sums[chunk + 1]) - 1
        if following >= self.chunks():
            last = self.read(self.size - 1, self.size)
            return self.size - 1 if last == b"\n" else self.size
        base = max(at, following * BLOCK - 1)
        found = self.read(base, (following + 1) * BLOCK).find(b"\n")
        return base + found if found >= 0 else self.size

    def _decoded(self, raw: list[bytes]) -> list[str | None]:
        if self.binary:
            return [_bytes(line) if len(line) <= LONG else None for line in raw]
        if max(map(len, raw)) <= LONG:
            text = b"\n".join(raw).decode("utf-8", "replace")
            texts: list[str | None] = [*text.split("\n")]
            if UNSEEN.search(text) is None:
                return texts
        else:
            texts = [line.decode("utf-8", "replace") if len(line) <= LONG else None for line in raw]
        return [text and clean(text.rstrip("\r")) for text in texts]


def pictured(text: str) -> str:
    """``text`` with each control and hidden character as one that shows it; none is wider than its bytes."""
    text = text.translate(PICTURES)
    return text if text.isascii() else UNSEEN.sub("·", text)


def _bytes(data: bytes) -> str:
    """Each byte as one character that shows it, as far as it is ASCII."""
    return data.decode("latin-1").translate(PICTURES).translate(_BINARY)


def _whole(data: bytes, at: int) -> int:
    """``at``, or the beginning of the character that would be cut there."""
    for back in range(min(4, at + 1)):
        byte = data[at - back] if at - back < len(data) else 0
        if byte & 0xC0 != 0x80:
            length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return at - back if length > back else at
    return at


def _is_binary(head: bytes) -> bool:
    """Whether the bytes are no text: a NUL, or much that is no UTF-8."""
    if b"\0" in head:
        return True
    text = head.decode("utf-8", "replace")
    return text.count("\ufffd") * 10 > max(20, len(text))
