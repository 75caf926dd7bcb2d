"""A program in a terminal of its own: when its first frame shows, when a key is on the screen, and its memory."""

from __future__ import annotations

import fcntl
import math
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|\x1b[ -/]+[0-~]|[\x00-\x1f]", re.DOTALL
)
KEY = "Ж"
"""Stands nowhere in the interface."""

GIVE_UP, LOST = 30.0, 2.0
"""Seconds until nothing more is expected: from the start, and from the first frame for the key."""


@dataclass(frozen=True)
class Start:
    """Seconds from the start of the process, and resident MiB; `key_shown` is infinite where the key was lost.

    `memory` and `cpu`, seconds of processor time, are taken once the key shows, `memory_later` after `settle` seconds
    more.
    """

    first_frame: float
    key_shown: float
    memory: float
    memory_later: float
    cpu: float = 0.0


def start(
    command: Sequence[str], env: dict[str, str], cwd: str, *, columns: int = 140, rows: int = 42, settle: float = 0.0
) -> Start:
    """Run a full-screen program until a key that was typed before its start is on the screen, then end it.

    Raises `TimeoutError` where no frame shows.
    """
    screen, terminal = open_terminal(columns, rows)
    os.write(screen, KEY.encode())
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    try:
        return _watch(process, screen, began, settle)
    finally:
        end(process, screen)
        os.close(terminal)
        os.close(screen)


def open_terminal(columns: int, rows: int) -> tuple[int, int]:
    """A new pseudo-terminal: the end that reads the screen and types, and the end that the program gets."""
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    modes = termios.tcgetattr(terminal)
    modes[3] &= ~termios.ECHO  # or the kernel would show the key before the program does
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    return screen, terminal


def _watch(process: subprocess.Popen[bytes], screen: int, began: float, settle: float) -> Start:
    seen, first = b"", 0.0
    while time.perf_counter() - began < GIVE_UP and process.poll() is None:
        if not select.select([screen], [], [], 0.05)[0]:
            if first and time.perf_counter() - began > first + LOST:
                return Start(first, math.inf, resident(process.pid), resident(process.pid))
            continue
        seen += os.read(screen, 1 << 16)
        now = time.perf_counter() - began
        text = ESCAPES.sub(b"", seen)
        if not first and re.search(rb"[A-Za-z]{2}", text):
            first = now
        if KEY.encode() in text:
            memory, cpu = resident(process.pid), processor_time(process.pid)
            _read_on(screen, settle)
            return Start(first or now, now, memory, resident(process.pid), cpu)
    raise TimeoutError(ESCAPES.sub(b"", seen).decode("utf-8", "replace").strip()[-300:] or "nothing was shown")


def _read_on(screen: int, seconds: float) -> None:
    """Let the program draw."""
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        if select.select([screen], [], [], left)[0]:
            os.read(screen, 1 << 16)


def resident(pid: int) -> float:
    """Resident MiB of the process and of all its descendants."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 + sum(resident(int(child)) for child in children)


def processor_time(pid: int) -> float:
    """Seconds that the threads of the process have run."""
    ran = [file.read_text().split()[0] for file in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(map(int, ran)) / 1e9


def end(process: subprocess.Popen[bytes], screen: int) -> None:
    """Ask politely, reading on so that it can write its goodbye; a program that stays is killed."""
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 3
    while process.poll() is None and time.monotonic() < deadline:
        if select.select([screen], [], [], 0.05)[0]:
            try:
                os.read(screen, 1 << 16)
            except OSError:
                break
    if process.poll() is None:
        process.kill()
    process.wait()
