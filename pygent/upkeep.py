"""What the store needs now and then, on a thread of its own: old sessions go, new ones can be searched for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from pygent.errors import PygentError
from pygent.events import MAIN, Event, Notice, RunFinished
from pygent.retention import Limits, tidy, told
from pygent.store import Store

log = logging.getLogger(__name__)

FIRST_PAUSE = 5.0
"""Seconds from the opening of a session until its store is looked after: what a person waits for goes first."""

SHORT_PAUSE = 0.02
"""Seconds between two batches of words: whoever types is to feel nothing."""

CLOSING = 5.0
"""Seconds that closing waits for a piece of work that is under way."""


class Upkeep:
    """Looks after a store from ``begin`` to ``close``: once in the beginning, and for searching after each run.

    ``claims`` is the folder that tells which sessions are open. What was removed is told by ``publish``.
    """

    def __init__(
        self,
        store: Store,
        claims: Path,
        limits: Limits,
        publish: Callable[[Event], object],
        *,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self._store = store
        self._claims = claims
        self._limits = limits
        self._publish = publish
        self._pause = pause
        self._ended = threading.Event()
        self._news = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work, name="pygent-upkeep", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Note that a run has ended; a sink."""
        if isinstance(event, RunFinished) and event.agent_id == MAIN:
            self._news.release()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._news.release()
        if self._thread.is_alive():
            self._thread.join(CLOSING)

    def _work(self) -> None:
        if self._ended.wait(self._pause):
            return
        self._try(self._tidy)
        while not self._ended.is_set():
            self._try(lambda: self._store.update_search(lambda: self._ended.wait(SHORT_PAUSE)))
            self._news.acquire()

    def _tidy(self) -> None:
        if text := told(tidy(self._store, self._claims, self._limits, self._ended.is_set), self._limits):
            self._publish(Notice(level="info", text=text))

    def _try(self, work: Callable[[], None]) -> None:
        """What fails here fails again at the next start; the session does not need it."""
        try:
            work()
        except PygentError as error:
            if not self._ended.is_set():
                log.warning("the stored sessions could not be looked after: %s", error)
        except Exception:  # the boundary of the thread
            log.exception("the stored sessions could not be looked after")
