"""What is not needed any longer, let go: lines of widgets that are gone, garbage, memory that was freed.

Textual's cache of a method of `StylesCache` holds the object it was called on, and with it all drawn lines of a
widget, for a thousand widgets: screens that were opened and closed, approvals that were answered.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

from textual._styles_cache import StylesCache
from textual.app import App

EVERY = 20.0
"""Seconds. What is forgotten is worked out anew in microseconds."""

_MALLOC = ((-3, 64 * 1024), (-1, 128 * 1024), (-8, 2))
"""M_MMAP_THRESHOLD and M_TRIM_THRESHOLD in bytes, M_ARENA_MAX: heaps that threads share."""


QUIET, PATIENCE = 0.7, 40.0
"""Seconds without a key or the mouse in which a collection of everything disturbs nobody, and how long such a moment
is waited for."""


RARELY = 100
"""Times the processor time that a collection of everything took, until the next one. Not the time on the wall, which
would let garbage pile up for minutes where the machine is busy, in a heap that does not shrink again."""


def begin(app: App[Any], last_input: Callable[[], float], every: float = EVERY) -> None:
    """Forget now and then, as long as ``app`` runs. ``last_input`` tells when the person did something last."""
    collector = _Collector()

    def when_quiet(until: float) -> None:
        now = time.monotonic()
        if now - last_input() < QUIET and now < until:
            app.set_timer(QUIET / 3, lambda: when_quiet(until))
        else:
            collector.collect()

    def now_and_then() -> None:
        forget()
        if collector.begin():
            when_quiet(time.monotonic() + PATIENCE)

    app.set_interval(every, now_and_then)
    threading.Thread(target=give_back, name="pygent-memory", daemon=True).start()


class _Collector:
    """Collects also among what was taken out of the collector's sight to keep its pauses short.

    Whatever became garbage since then would stay for ever. It takes long, so it is done rarely, and not where nothing
    happened since the last time.
    """

    def __init__(self) -> None:
        self._wanted = False
        self._not_before = 0.0
        self._seen = 0

    def begin(self) -> bool:
        """Whether a collection is due that nobody waits for already."""
        if self._wanted or time.monotonic() < self._not_before or _collections() == self._seen:
            return False
        self._wanted = True
        return True

    def collect(self) -> None:
        began = time.thread_time()
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        pause = RARELY * (time.thread_time() - began)
        self._wanted, self._seen, self._not_before = False, _collections(), time.monotonic() + pause


def _collections() -> int:
    """How often the collector has looked through what is not quite new: more often where more happens."""
    return int(gc.get_stats()[1]["collections"])


def forget() -> None:
    """Let go of what is kept; what is still needed is worked out anew."""
    StylesCache.get_inner_outer.cache_clear()


def give_back() -> None:
    """Have freed memory go back to the system.

    The C library takes large pieces from its heap once it has seen larger ones freed. There they stand between small
    ones that live longer, so what they leave is not given back, and a long session grows with each request that it
    sends. Thresholds that are set do not adapt. Source: mallopt(3); other C libraries have no such function.
    """
    import ctypes  # noqa: PLC0415 - after the first frame

    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        for parameter, value in _MALLOC:
            library.mallopt(parameter, value)
