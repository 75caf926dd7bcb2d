"""A terminal of which every byte that a program writes to it is kept, and what a terminal would do with them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

PATIENCE = 40.0

_SEQUENCE = re.compile(
    r"(?P<osc>(?:\x1b\]|\x9d)(?P<said>[^\x07\x1b\x9c]*)(?:\x07|\x1b\\|\x9c)?)"
    r"|(?P<dcs>(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)?)"
    r"|(?P<csi>(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?)"
    r"|(?P<esc>\x1b[ -/]*[0-~]?)"
    r"|(?P<c0>[\x00-\x1f\x7f-\x9f])"
)
_BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class RawTerminal:
    """Runs ``command`` in a terminal of its own. A context manager, which ends it."""

    def __init__(
        self, command: Sequence[str], folder: Path, env: Mapping[str, str], size: tuple[int, int] = (150, 45)
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.written = b""
        try:
            self._process = subprocess.Popen(
                command, cwd=folder, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
            )
        finally:
            os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self.end()
        os.close(self._master)

    @property
    def text(self) -> str:
        """All that was written, decoded."""
        return self.written.decode("utf-8", "replace")

    @property
    def shown(self) -> str:
        """The same without what a terminal obeys; what is drawn anew stands in it again."""
        return _SEQUENCE.sub("", self.text)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait(self, what: str, since: int = 0) -> int:
        """Wait until that text has been drawn; answers how much had been by then."""
        end_by = time.monotonic() + PATIENCE
        while what not in self.shown[since:]:
            assert time.monotonic() < end_by, f"never drawn: {what}\n{self.shown[-4000:]}"
            assert self._process.poll() is None, f"it ended with {self._process.returncode}\n{self.shown[-4000:]}"
            self._read(0.1)
        return len(self.shown)

    def pause(self, seconds: float) -> None:
        """Let it go on for so long."""
        end_by = time.monotonic() + seconds
        while (left := end_by - time.monotonic()) > 0:
            self._read(left)

    def settle(self, quiet: float = 0.25) -> None:
        """Let it go on until it has drawn nothing for so long."""
        end_by = time.monotonic() + 5
        while time.monotonic() < end_by:
            before = len(self.written)
            self.pause(quiet)
            if len(self.written) == before:
                return

    def end(self) -> int:
        """Wait for its end; answers the exit code."""
        end_by = time.monotonic() + PATIENCE
        while self._process.poll() is None:
            if time.monotonic() > end_by:
                self._process.kill()
                self._process.wait()
                raise AssertionError(f"it did not end\n{self.shown[-4000:]}")
            self._read(0.1)
        self._read(0)
        return int(self._process.returncode)

    def _read(self, seconds: float) -> None:
        while select.select([self._master], [], [], seconds)[0]:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # the other end is closed
                data = b""
            if not data:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(seconds)
                return
            self.written += data
            seconds = 0


def obeyed(text: str) -> set[str]:
    """What a terminal would do: the kinds of sequences and controls in ``text``, without most of their numbers."""
    kinds = set()
    for found in _SEQUENCE.finditer(text):
        whole = found[0]
        if found["osc"]:
            number, _, said = found["said"].partition(";")
            kinds.add(f"OSC {number}" + (f" {said}" if number in {"8", "52"} else ""))
        elif found["dcs"]:
            kinds.add(f"DCS {whole[:4]!r}")
        elif found["csi"]:
            # Where the cursor goes and in which colours differs from frame to frame; what is asked or set does not.
            kinds.add(f"CSI {whole[-1]}" if whole[-1] in "HmCDABGdX" else f"CSI {whole[1:].removeprefix('[')}")
        else:
            kinds.add(f"{whole!r}")
    return kinds


def misleading(text: str) -> set[str]:
    """The characters in ``text`` that reorder or hide what is read."""
    return {
        f"U+{ord(char):04X}"
        for char in text
        if unicodedata.bidirectional(char) in _BIDI or char in "\u200b\u2028\u2029\u2060\ufeff\u200e\u200f\u061c"
    }
