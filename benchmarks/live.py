"""A full-screen program at work in a terminal of its own: keys in, bytes out, and what it costs meanwhile.

A key is a character that was never typed before. It is on the screen when it stands in the output for the first time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks.picture import Picture
from benchmarks.terminal import ESCAPES, end, open_terminal, resident

EVERY = 0.1
"""Seconds between two keys."""

PATIENCE = 30.0
"""Seconds after which something that should show is missing."""

LINE = 40
"""Keys after which the prompt is emptied (Ctrl+U), so that it stays one line."""

FRAME = b"\x1b[?2026h"
"""Begins a frame where the terminal says that it can draw a whole frame at once."""

_ASKED, _CAN = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_RARE = range(0x1401, 0x1660)  # syllabics, one cell each: nothing on the screen has them
_TICKS = os.sysconf("SC_CLK_TCK")
_OVERLAP = 4096
_LOOKED_AT = 1 << 18


class NotShownError(Exception):
    """What was waited for never came; the text is the end of what did."""


@dataclass
class Watched:
    """What happened while a program was watched: key to paint in seconds, and what it took."""

    keys: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    frames: int = 0
    memory: float = 0.0

    @property
    def p95(self) -> float:
        """Within this many seconds 95 keys of 100 were on the screen."""
        ordered = sorted(self.keys)
        return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))] if ordered else 0.0

    @property
    def median(self) -> float:
        return sorted(self.keys)[len(self.keys) // 2] if self.keys else 0.0

    @property
    def longest(self) -> float:
        return max(self.keys, default=0.0)


class Live:
    """The program; a context manager that ends it. Times are in seconds, memory is resident MiB with all children."""

    def __init__(
        self, command: Sequence[str], env: dict[str, str], cwd: str, *, columns: int = 140, rows: int = 42
    ) -> None:
        self._screen, self._terminal = open_terminal(columns, rows)
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=self._terminal,
            stdout=self._terminal,
            stderr=self._terminal,
            start_new_session=True,
        )
        self.frames = 0
        self._size = (columns, rows)
        self._picture: Picture | None = None
        self._output = bytearray()
        self._waiting: dict[bytes, float] = {}
        self._done: list[float] = []
        self._typed = 0
        self._spare = iter(_RARE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self.process, self._screen)
        os.close(self._terminal)
        os.close(self._screen)

    def now(self) -> float:
        """Seconds since the start of the process."""
        return time.perf_counter() - self.began

    # What goes in.

    def press(self, keys: bytes | str) -> None:
        """Write keys as a terminal sends them."""
        os.write(self._screen, keys.encode() if isinstance(keys, str) else keys)

    @property
    def picture(self) -> Picture:
        """The screen from now on: asked for before the program starts to draw, or nothing is known of what was."""
        if self._picture is None:
            self._picture = Picture(*self._size)
        return self._picture

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self._size = (columns, rows)
        if self._picture is not None:
            self._picture.resize(columns, rows)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _key(self) -> None:
        if self._typed >= LINE and not self._waiting:
            self._typed = 0
            self.press(b"\x15")  # Textual obeys it after what is typed right behind it
            return
        self._typed += 1
        key = chr(next(self._spare)).encode()
        self._waiting[key] = time.perf_counter()
        self.press(key)

    # What comes out.

    def wait(self, what: str, seconds: float = PATIENCE) -> float:
        """Read on until the text shows, from what has not been waited for yet; answers when, from the start.

        Raises ``NotShownError``.
        """
        pattern = re.compile(what.encode())
        until = time.perf_counter() + seconds
        while not pattern.search(ESCAPES.sub(b"", bytes(self._output))):
            if time.perf_counter() > until or self.process.poll() is not None:
                tail = ESCAPES.sub(b"", bytes(self._output)).decode("utf-8", "replace")
                raise NotShownError(f"{what!r} did not show: {tail[-300:].strip()}")
            self._read(0.05)
            del self._output[:-_LOOKED_AT]
        self._output.clear()
        return self.now()

    def see(self, what: str, seconds: float = PATIENCE) -> str:
        """Read on until that stands on the screen (a regular expression); answers the text of it.

        Raises ``NotShownError``.
        """
        pattern = re.compile(what)
        until = time.perf_counter() + seconds
        while not (found := pattern.search(self.picture.text)):
            code = self.process.poll()
            if time.perf_counter() > until or code is not None:
                ended = "" if code is None else f"; the program ended with {code}"
                raise NotShownError(f"{what!r} does not stand on the screen{ended}:\n{self.picture.text}")
            self.read_on(0.05)
        return found[0]

    def answer(self, keys: bytes | str, what: str, seconds: float = PATIENCE) -> float:
        """Seconds from pressing ``keys`` until the text shows."""
        self.read_on(0.05)
        self._output.clear()
        pressed = time.perf_counter()
        self.press(keys)
        return self.wait(what, seconds) + self.began - pressed

    def read_on(self, seconds: float) -> None:
        """Let the program draw."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._read(left)

    def type_for(self, seconds: float, *, until: str | None = None, every: float = EVERY) -> Watched:
        """Type a key every so often for that long, or until the text shows, and tell how that went."""
        pattern = re.compile(until.encode()) if until else None
        watched = Watched()
        self._output.clear()
        self._done.clear()
        frames, cpu, start = self.frames, self.cpu(), time.perf_counter()
        following = start
        while (now := time.perf_counter()) < start + seconds:
            if now >= following:
                self._key()
                following = max(following + every, now)
                watched.memory = max(watched.memory, self.memory())
            self._read(min(following, start + seconds) - time.perf_counter())
            if pattern and pattern.search(ESCAPES.sub(b"", bytes(self._output))):
                break
            if len(self._output) > 2 * _OVERLAP:
                del self._output[:-_OVERLAP]
        watched.seconds = time.perf_counter() - start
        watched.cpu, watched.frames = self.cpu() - cpu, self.frames - frames
        limit = time.perf_counter() + PATIENCE
        while self._waiting and time.perf_counter() < limit and self.process.poll() is None:
            self._read(0.05)
        watched.keys = [*self._done, *(PATIENCE for _ in self._waiting)]
        self._waiting.clear()
        return watched

    def _read(self, seconds: float) -> None:
        if not select.select([self._screen], [], [], max(0.0, seconds))[0]:
            return
        try:
            data = os.read(self._screen, 1 << 16)
        except OSError:  # the program has gone
            time.sleep(0.01)
            return
        now = time.perf_counter()
        if self._picture is not None:
            self._picture.feed(data)
        before = len(self._output)
        self._output += data
        new = self._output[max(0, before - len(FRAME)) :]
        self.frames += data.count(FRAME)
        if _ASKED in new:
            self.press(_CAN)
        for key in [key for key in self._waiting if key in new]:
            self._done.append(now - self._waiting.pop(key))

    # What it takes.

    def cpu(self) -> float:
        """Seconds of processor time of the process itself, all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """Resident MiB of the process and all its descendants; 0 once it is gone."""
        with contextlib.suppress(OSError, IndexError):
            return resident(self.process.pid)
        return 0.0


def rounds(repeats: int, *measurements: Callable[[], Watched]) -> list[list[Watched]]:
    """Each measurement ``repeats`` times, in turn, so that other load on the machine meets all alike."""
    columns: list[list[Watched]] = [[] for _ in measurements]
    for _ in range(repeats):
        for column, measurement in zip(columns, measurements, strict=True):
            column.append(measurement())
    return columns
