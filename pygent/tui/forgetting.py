"""What Textual keeps of widgets that are gone, let go from time to time.

Its cache of a method of `StylesCache` holds the object it was called on, and with it all drawn lines of a widget, for
a thousand widgets: screens that were opened and closed, approvals that were answered.
"""

from __future__ import annotations

from typing import Any

from textual._styles_cache import StylesCache
from textual.app import App

EVERY = 20.0
"""Seconds. What is forgotten is worked out anew in microseconds."""


def begin(app: App[Any], every: float = EVERY) -> None:
    """Forget now and then, as long as ``app`` runs."""
    app.set_interval(every, forget)


def forget() -> None:
    """Let go of what is kept; what is still needed is worked out anew."""
    StylesCache.get_inner_outer.cache_clear()
