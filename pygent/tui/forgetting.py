"""What is not needed any longer, let go: lines of widgets that are gone, memory that was freed.

Textual's cache of a method of `StylesCache` holds the object it was called on, and with it all drawn lines of a
widget, for a thousand widgets: screens that were opened and closed, approvals that were answered.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from textual._styles_cache import StylesCache
from textual.app import App

EVERY = 20.0
"""Seconds. What is forgotten is worked out anew in microseconds."""

_MALLOC = ((-3, 64 * 1024), (-1, 128 * 1024), (-8, 2))
"""M_MMAP_THRESHOLD and M_TRIM_THRESHOLD in bytes, M_ARENA_MAX: heaps that threads share."""


def begin(app: App[Any], every: float = EVERY) -> None:
    """Forget now and then, as long as ``app`` runs."""
    app.set_interval(every, forget)
    threading.Thread(target=give_back, name="pygent-memory", daemon=True).start()


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
