"""What is kept of a command's output: a head, a tail, and the whole of it in a file once it is too long."""

from __future__ import annotations

import codecs
import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pygent.redaction import Redactor

HEAD = 64 * 1024
TAIL = 64 * 1024
BUDGET = 32 * 1024 * 1024


class OutputBuffer:
    """Collects one command's raw output. Sizes are in bytes; memory stays near ``head`` + 2 x ``tail``.

    ``feed`` answers the text to show at once, ``text`` what is kept for later readers. Bytes that are not UTF-8 show
    as U+FFFD; a character split between two pieces stays whole. Output longer than head and tail together is also
    written raw to a new file in ``spill_dir``, which is made when first needed; ``on_file`` is told its path at once.
    The file is left for its reader, and whoever owns the folder removes it. What comes after ``budget`` bytes is
    dropped, and ``flooded`` is True. What ``redactor`` knows is taken out before anything else.
    One thread uses it.
    """

    def __init__(
        self,
        head: int = HEAD,
        tail: int = TAIL,
        budget: int = BUDGET,
        spill_dir: str | Path | None = None,
        on_file: Callable[[str], object] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.total = 0
        self.flooded = False
        self.file: str | None = None
        self._head_size = head
        self._tail_size = tail
        self._budget = budget
        self._spill_dir = Path(spill_dir) if spill_dir is not None else None
        self._on_file = on_file
        self._redacted = (redactor or Redactor()).stream()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._head = bytearray()
        self._tail = bytearray()
        self._spill: BinaryIO | None = None
        self._spill_failed = False

    def feed(self, data: bytes) -> str:
        """Take the next piece as it was read and answer its text (empty while a character is incomplete)."""
        return self._take(self._redacted.feed(data))

    def _take(self, data: bytes) -> str:
        room = self._budget - self.total
        if len(data) > room:
            self.flooded = True
            data = data[: max(0, room)]
        if not data:
            return ""
        self.total += len(data)
        if self._spill is None and not self._spill_failed and self.total > self._head_size + self._tail_size:
            self._open_spill()
        if self._spill is not None:
            self._write_spill(data)
        rest = data
        if len(self._head) < self._head_size:
            taken = self._head_size - len(self._head)
            self._head += data[:taken]
            rest = data[taken:]
        self._tail += rest
        if len(self._tail) > 2 * self._tail_size:
            del self._tail[: len(self._tail) - self._tail_size]
        return self._decoder.decode(data)

    def finish(self) -> str:
        """Close the file and answer what the decoder still held. Call it once, when the command has ended."""
        rest = self._take(self._redacted.finish())
        if self._spill is not None:
            with contextlib.suppress(OSError):
                self._spill.close()
            self._spill = None
            self._spill_failed = True
        return rest + self._decoder.decode(b"", final=True)

    def text(self) -> str:
        """The output for a reader: all of it, or head and tail with a line between them that says what is missing."""
        if self.total <= self._head_size + self._tail_size:
            return (self._head + self._tail).decode("utf-8", "replace")
        tail = self._tail[-self._tail_size :] if self._tail_size else bytearray()
        head = _whole_end(self._head)
        tail = _whole_start(tail)
        missing = self.total - len(head) - len(tail)
        where = f"the whole output is in {self.file}" if self.file else "the whole output could not be kept"
        if self.flooded and self.file:
            where = f"the first {self.total:,} bytes are in {self.file}"
        return (
            head.decode("utf-8", "replace")
            + f"\n[… {missing:,} bytes left out; {where} …]\n"
            + tail.decode("utf-8", "replace")
        )

    def _open_spill(self) -> None:
        if self._spill_dir is None:
            self._spill_failed = True
            return
        try:
            self._spill_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd, path = tempfile.mkstemp(prefix="output-", suffix=".txt", dir=self._spill_dir)
        except OSError:
            self._spill_failed = True
            return
        self._spill = os.fdopen(fd, "wb")
        self.file = path
        self._write_spill(bytes(self._head + self._tail))
        if self._on_file is not None and self.file is not None:
            self._on_file(path)

    def _write_spill(self, data: bytes) -> None:
        """A full disk costs the file, never the command: a torn file would be worse than none."""
        if self._spill is None:
            return
        try:
            self._spill.write(data)
            self._spill.flush()
        except OSError:
            with contextlib.suppress(OSError):
                self._spill.close()
            if self.file is not None:
                with contextlib.suppress(OSError):
                    Path(self.file).unlink()
            self._spill = None
            self._spill_failed = True
            self.file = None


def _whole_end(data: bytearray) -> bytearray:
    """``data`` without a UTF-8 character that is cut off at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return data[:-back] if length > back else data
    return data


def _whole_start(data: bytearray) -> bytearray:
    """``data`` without the end of a UTF-8 character that is cut off at its start."""
    for index in range(min(4, len(data))):
        if data[index] & 0xC0 != 0x80:
            return data[index:]
    return data
