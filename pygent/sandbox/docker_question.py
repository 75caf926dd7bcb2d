"""A question to the engine that may never be answered, asked beside the work that goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pygent import clock

HUNG = 10.0
"""Seconds without an answer after which the engine counts as gone."""


class Question:
    """Asks once, on a thread of its own, whether something is gone."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._asked = clock.now()
        self._gone: bool | None = None
        threading.Thread(target=self._run, name="pygent-engine", daemon=True).start()

    def answer(self, now: float) -> bool | None:
        """None while there is none. An error means that it is gone, and so does a long silence."""
        return True if self._gone is None and now - self._asked > HUNG else self._gone

    def _run(self) -> None:
        try:
            self._gone = self._ask()
        except Exception:  # whatever the engine's client raises: nothing is known of it any more
            self._gone = True
