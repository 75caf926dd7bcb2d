"""The way out that does not go through the screen.

A terminal can go away under an application: the window is closed, the connection breaks, its multiplexer is killed.
Reading then yields nothing for ever, writing blocks or fails, and the event loop may be stuck in either. So a thread
of its own watches the terminal and the signals that ask to end. It has the session closed and gives the screen some
time to end by itself; then it ends the process.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

TIME = 2.7
"""Seconds from a signal or a lost terminal until the process is gone in any case."""

HURRY = 1.0
"""The same where a person asks again, because closing takes too long."""

_LOOK = 1.0  # seconds between looks at the terminal, where poll does not tell of its end
_MODES_OFF = (2004, 1000, 1003, 1006, 1015, 1016, 1004)  # paste, mouse and focus reports
_RESET = b"\x1b[<u" + b"".join(b"\x1b[?%dl" % mode for mode in _MODES_OFF) + b"\x1b[?7h\x1b[?1049l\x1b[?25h"


class Lifeline:
    """Watches from ``start`` to ``stop``, both called in the main thread.

    ``close`` closes the session: it may take its time, and is called in a thread. ``leave`` asks the screen to end
    with an exit code: it is called in a thread and must not block.
    """

    def __init__(self, close: Callable[[], object], leave: Callable[[int], object]) -> None:
        self._close = close
        self._leave = leave
        self._terminals = [fd for fd in (0, 1, 2) if _is_terminal(fd)]
        self._attributes = _attributes(self._terminals)
        self._before: dict[int, Any] = {}
        self._told, self._tell = os.pipe()
        os.set_blocking(self._tell, False)
        self._stopped = False
        self._thread = threading.Thread(target=self._watch, name="pygent-lifeline", daemon=True)
        self.exit_code: int | None = None
        self.farewell = b""  # what the terminal is sent besides, as its title

    def start(self) -> None:
        """Take the signals and begin to watch. Raises ``ValueError`` outside of the main thread."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._signalled)
        self._thread.start()

    def hurry(self) -> None:
        """The person does not want to wait for what is being closed."""
        self._write(signal.SIGINT)

    def stop(self) -> None:
        """The application has ended: give the signals back. An end under way keeps its time."""
        self._stopped = True
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.exit_code is None:
            self._write(0)
            self._thread.join(1)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._write(number)

    def _write(self, number: int) -> None:
        with contextlib.suppress(OSError):
            os.write(self._tell, bytes([number]))

    def _watch(self) -> None:
        number = self._wait()
        if number:
            self._end(number)
        elif self.exit_code is None:
            os.close(self._told)
            os.close(self._tell)

    def _wait(self) -> int:
        """The signal that ends the application, also where the terminal has gone without one; 0 for none."""
        poll = select.poll()
        poll.register(self._told, select.POLLIN)
        for fd in self._terminals[:1]:
            poll.register(fd, 0)  # no events asked for: its end is told all the same
        while True:
            ready = [fd for fd, _ in poll.poll(_LOOK * 1000 if self._terminals else None)]
            if self._told in ready:
                return os.read(self._told, 1)[0]
            if self._lost:
                return int(signal.SIGHUP)
            if ready:  # something else than its end: poll would tell it again at once
                time.sleep(_LOOK)

    @property
    def _lost(self) -> bool:
        return bool(self._terminals) and not _is_terminal(self._terminals[0])

    def _end(self, number: int) -> None:
        until = time.monotonic() + (HURRY if number == signal.SIGINT else TIME)
        self.exit_code = 128 + number
        lost = self._lost
        if lost:
            _nowhere(self._terminals)
        threading.Thread(target=self._close, name="pygent-closing", daemon=True).start()
        with contextlib.suppress(Exception):  # a screen that cannot even be asked is what this is for
            self._leave(self.exit_code)
        time.sleep(max(0.0, until - time.monotonic()))
        if not lost and not self._stopped:
            self.restore()
        os._exit(self.exit_code)

    def restore(self) -> None:
        """Leave a usable terminal, where the screen cannot do it."""
        if self._attributes is None:
            return
        import termios  # noqa: PLC0415 - not on Windows

        fd = self._terminals[0]
        with contextlib.suppress(OSError, termios.error):
            os.set_blocking(fd, False)
            os.write(fd, _RESET + self.farewell)
            termios.tcsetattr(fd, termios.TCSANOW, self._attributes)
            os.set_blocking(fd, True)


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def _attributes(terminals: list[int]) -> Any:
    if not terminals:
        return None
    import termios  # noqa: PLC0415 - not on Windows

    try:
        return termios.tcgetattr(terminals[0])
    except (OSError, termios.error):
        return None


def _nowhere(terminals: list[int]) -> None:
    """Whoever still writes to a terminal that is gone, or reads from it, must not be held up by it."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in terminals:
            os.dup2(nowhere, fd)
        os.close(nowhere)
