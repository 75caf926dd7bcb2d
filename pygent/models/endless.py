"""An answer that only repeats itself: small models find no end, and would fill the whole window."""

from __future__ import annotations

REPEATED = 4_000
"""Characters of one passage over and over after which an answer is ended."""

LEAST_TIMES = 8
"""Times that the passage stands there at least."""

TOLD = "The model repeated itself without an end, so its answer was ended."

_LOOK = 500  # characters between two looks
_PROBE = 48  # characters that have to come again, to find the passage's length


class Endless:
    """Follows one kind of text of an answer as it comes."""

    def __init__(self) -> None:
        self._tail = ""
        self._new = 0

    def feed(self, text: str) -> bool:
        """Take the next piece; answers whether all that came lately is one passage over and over."""
        self._tail = (self._tail + text)[-REPEATED:]
        self._new += len(text)
        if self._new < _LOOK or len(self._tail) < REPEATED:
            return False
        self._new = 0
        return _repeats(self._tail)


def _repeats(text: str) -> bool:
    before = text.rfind(text[-_PROBE:], 0, len(text) - 1)
    period = len(text) - _PROBE - before
    return before >= 0 and period * LEAST_TIMES <= len(text) and text[period:] == text[:-period]
