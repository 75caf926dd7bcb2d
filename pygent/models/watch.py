"""Patience with a server, and its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self


class Watch:
    """Calls ``cut`` once when what is waited for does not come in time; a context manager.

    Putting the end off costs an assignment, so it can be done for each piece of an answer.
    """

    def __init__(self, cut: Callable[[], object]) -> None:
        self.expired = ""
        """Why it was cut, "" while it was not, or where nothing that mattered could follow."""
        self._cut = cut
        self._end = float("inf")
        self._why = ""
        self._over = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()

    def wait(self, seconds: float, why: str = "") -> None:
        """Wait that many ``seconds`` from now on; ``why`` says what was missing then."""
        end = time.monotonic() + seconds
        sooner = end < self._end
        self._end, self._why = end, why
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pygent-watch", daemon=True)
            self._thread.start()
        elif sooner:
            with self._changed:
                self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._over:
                left = self._end - time.monotonic()
                if left <= 0:
                    self.expired = self._why
                    self._cut()
                    return
                self._changed.wait(left)
