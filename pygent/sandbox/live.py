"""A command's text on its way to a watcher: joined, so that many small pieces cost few calls."""

from __future__ import annotations

import time

from pygent.sandbox.base import OutputSink

EVERY = 0.05
"""Seconds between two calls of the sink at least."""

AT_ONCE = 256 * 1024
"""Characters from which on it is called sooner."""

SAMPLE = 4096
"""Characters of one sample at most, and the seconds between two of them at least."""

SAMPLE_EVERY = 0.25
SAMPLED_NOTE = "[… from here on only the newest lines are shown while it runs …]"


class LiveOutput:
    """Collects text and calls ``sink`` with it now and then; None wants nothing. One thread uses it.

    Whoever reads the output calls ``deliver_due`` at least every ``wait`` seconds, also where nothing came.
    """

    def __init__(self, sink: OutputSink | None) -> None:
        self._sink = sink
        self._pending: list[str] = []
        self._size = 0
        self._delivered = 0.0

    def add(self, text: str) -> None:
        """Take the next piece."""
        if text and self._sink is not None:
            self._pending.append(text)
            self._size += len(text)

    def wait(self, most: float) -> float:
        """How long the reader may wait for more, in seconds; ``most`` where nothing is to be delivered."""
        if not self._pending:
            return most
        return max(0.0, min(most, self._delivered + EVERY - time.monotonic()))

    def deliver_due(self) -> None:
        """Call the sink where it is time to."""
        if self._pending and (self._size >= AT_ONCE or time.monotonic() - self._delivered >= EVERY):
            self.deliver()

    def deliver(self) -> None:
        """Call the sink with what is there."""
        if self._pending and self._sink is not None:
            text = "".join(self._pending)
            self._pending.clear()
            self._size = 0
            self._delivered = time.monotonic()
            self._sink(text)


class Sampled:
    """Passes text on to ``sink``: all of it up to ``limit`` characters, from there on its newest lines now and then.

    What nobody can read as fast as it comes need not be sent whole; the result and its file have all of it.
    """

    def __init__(self, sink: OutputSink, limit: int) -> None:
        self._sink = sink
        self._left = limit
        self._sampled = 0.0

    def __call__(self, text: str) -> None:
        if self._left > 0:
            shown = text[: self._left]
            self._left -= len(shown)
            self._sink(shown if self._left > 0 else f"{shown}\n{SAMPLED_NOTE}\n")
            return
        now = time.monotonic()
        if now - self._sampled >= SAMPLE_EVERY:
            self._sampled = now
            newest = text[-SAMPLE:]
            whole = newest.find("\n", 0, len(newest) - 1) + 1  # from a line's start where there is one
            self._sink(f"\n[…]\n{newest[whole:]}")
