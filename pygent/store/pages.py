"""The rows of a damaged SQLite database, read from its pages one by one.

SQLite reads a table from its root down, so one damaged page can hide all that is below it, and it reads nothing where
the first page is gone. Here each page is looked at by itself, as https://www.sqlite.org/fileformat2.html describes
them, and what cannot be a row is left out. A log that a killed process left counts, too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

Value = None | int | float | str | bytes

_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_HEADER = {_TABLE_LEAF: 8, _INDEX_LEAF: 8, _INDEX_INTERIOR: 12}
_MAGIC = b"SQLite format 3\0"
_USUAL_PAGE = 4096
_MOST_COLUMNS = 32
_LARGEST = 1 << 30
_WAL_MAGIC = (0x377F0682, 0x377F0683)
_WHOLE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class _BadError(Exception):
    """This is no row."""


class Pages:
    """The pages of the database in ``file``, with what its log has newer. Raises ``OSError``."""

    def __init__(self, file: Path) -> None:
        self._file: BinaryIO = file.open("rb")
        head = self._file.read(100)
        size = int.from_bytes(head[16:18], "big") if head.startswith(_MAGIC) and len(head) == 100 else 0
        size = 65_536 if size == 1 else size
        known = size >= 512 and not size & (size - 1)
        self.size = size if known else _USUAL_PAGE
        self._usable = self.size - (head[20] if known and head[20] < 64 else 0)
        self._newer: dict[int, int] = {}
        self._log: BinaryIO | None = None
        self.count = -(-self._file.seek(0, 2) // self.size)
        self._read_log(Path(f"{file}-wal"))
        self._free = self._free_pages(head) if known else set()

    def rows(self) -> Iterator[tuple[Value, ...]]:
        """What every page has of rows, of all tables."""
        for number in range(1, self.count + 1):
            if number not in self._free:
                yield from self._rows_of(number)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._log is not None:
            self._log.close()

    def page(self, number: int) -> bytes:
        """A page; what is beyond the end is zeros."""
        at = self._newer.get(number)
        source = self._file if at is None or self._log is None else self._log
        source.seek((number - 1) * self.size if at is None else at)
        return source.read(self.size).ljust(self.size, b"\0")

    def _read_log(self, log: Path) -> None:
        """Note where the newest whole copy of each page is in the log, whose last writer may have been killed."""
        try:
            self._log = log.open("rb")
        except OSError:
            return
        head = self._log.read(32)
        if len(head) < 32 or int.from_bytes(head[:4], "big") not in _WAL_MAGIC or head[8:12] != _be(self.size):
            return
        at, changed = 32, dict[int, int]()
        while len(frame := self._log.read(24)) == 24 and frame[8:16] == head[16:24]:
            number, commit = struct.unpack(">II", frame[:8])
            changed[number] = at + 24
            at += 24 + self.size
            self._log.seek(at)
            if commit:
                self._newer |= changed
                changed = {}
                self.count = max(self.count, *self._newer)

    def _free_pages(self, head: bytes) -> set[int]:
        """The pages that hold nothing any more but what was deleted."""
        head = self.page(1)[:100] if 1 in self._newer else head
        trunk, left = struct.unpack(">II", head[32:40])
        free: set[int] = set()
        while 0 < trunk <= self.count and trunk not in free and len(free) < left:
            page = self.page(trunk)
            following, leaves = struct.unpack(">II", page[:8])
            free.add(trunk)
            for at in range(8, 8 + 4 * min(leaves, self.size // 4 - 2), 4):
                free.add(int.from_bytes(page[at : at + 4], "big"))
            trunk = following
        return free

    def _rows_of(self, number: int) -> Iterator[tuple[Value, ...]]:
        page = self.page(number)
        start = 100 if number == 1 else 0
        kind = page[start]
        if kind not in _HEADER:
            return
        cells = int.from_bytes(page[start + 3 : start + 5], "big")
        first = start + _HEADER[kind]
        for pointer in range(first, min(first + 2 * cells, self.size - 1), 2):
            try:
                yield self._row(page, int.from_bytes(page[pointer : pointer + 2], "big"), kind)
            except (_BadError, IndexError, struct.error, UnicodeDecodeError):
                continue

    def _row(self, page: bytes, at: int, kind: int) -> tuple[Value, ...]:
        if kind == _INDEX_INTERIOR:
            at += 4
        length, at = _varint(page, at)
        if kind == _TABLE_LEAF:
            _, at = _varint(page, at)
        if not 0 < length < _LARGEST:
            raise _BadError
        return _record(self._payload(page, at, length, kind))

    def _payload(self, page: bytes, at: int, length: int, kind: int) -> bytes:
        usable = self._usable
        most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if length <= most:
            return _piece(page, at, length)
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        local = local if local <= most else least
        parts = [_piece(page, at, local)]
        following = int.from_bytes(_piece(page, at + local, 4), "big")
        left = length - local
        while left > 0:
            if not 1 < following <= self.count:
                raise _BadError
            more = self.page(following)
            parts.append(more[4 : 4 + min(left, usable - 4)])
            left -= usable - 4
            following = int.from_bytes(more[:4], "big")
        return b"".join(parts)


def _record(data: bytes) -> tuple[Value, ...]:
    end, at = _varint(data, 0)
    if not 1 < end <= len(data):
        raise _BadError
    kinds: list[int] = []
    while at < end:
        kind, at = _varint(data, at)
        kinds.append(kind)
        if len(kinds) > _MOST_COLUMNS:
            raise _BadError
    values: list[Value] = []
    at = end
    for kind in kinds:
        value, at = _value(data, at, kind)
        values.append(value)
    if at != len(data):
        raise _BadError
    return tuple(values)


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind in _WHOLE:
        return int.from_bytes(_piece(data, at, _WHOLE[kind]), "big", signed=True), at + _WHOLE[kind]
    if kind == 7:
        return struct.unpack(">d", _piece(data, at, 8))[0], at + 8
    if kind < 12:
        raise _BadError
    length = (kind - 12) // 2
    piece = _piece(data, at, length)
    return (piece.decode() if kind % 2 else piece), at + length


def _piece(data: bytes, at: int, length: int) -> bytes:
    piece = data[at : at + length]
    if len(piece) != length:
        raise _BadError
    return piece


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(9):
        byte = data[at + count]
        if count == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + count + 1
    raise _BadError


def _be(number: int) -> bytes:
    return number.to_bytes(4, "big")
