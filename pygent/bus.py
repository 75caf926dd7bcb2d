"""Stamps events and hands them to every sink, in one order for all."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias
from uuid import uuid4

from pygent.events import E, Event, stamp
from pygent.redaction import Redactor

Sink: TypeAlias = Callable[[Event], None]

log = logging.getLogger(__name__)


class Stream(Protocol):
    """Where an agent's events go; ``EventBus`` is one. What ``redactor`` knows is in none of them."""

    redactor: Redactor

    def publish(self, event: E) -> E:
        """Stamp ``event`` and deliver it. Answers the stamped event."""
        ...

    def subscribe(self, sink: Sink) -> Callable[[], None]:
        """Hand every later event to ``sink``. The answer ends that."""
        ...


class EventBus:
    """The only way anything leaves the core.

    ``publish`` may be called from any thread. Sinks see gapless ``seq`` numbers in order; they must not block, and
    one that raises is logged and skipped. A sink that publishes is served after the event it is looking at. What
    ``redactor`` knows is in no event.
    """

    def __init__(self, session_id: str | None = None, redactor: Redactor | None = None) -> None:
        self.session_id = session_id or uuid4().hex
        self.redactor = redactor or Redactor()
        self._lock = threading.RLock()
        self._next_seq = 1
        self._sinks: list[Sink] = []
        self._pending: deque[Event] = deque()
        self._delivering = False

    def begin(self) -> None:
        """Begin another session: later events carry a new id and are numbered from 1."""
        with self._lock:
            self.session_id, self._next_seq = uuid4().hex, 1

    def go_on_after(self, seq: int) -> None:
        """Number the next event ``seq + 1``, as one that follows stored ones."""
        with self._lock:
            self._next_seq = seq + 1

    def subscribe(self, sink: Sink, *, first: bool = False) -> Callable[[], None]:
        """Hand every later event to ``sink``, before all others where it is to be the ``first``.

        The answer ends that.
        """
        with self._lock:
            self._sinks.insert(0 if first else len(self._sinks), sink)

        def unsubscribe() -> None:
            with self._lock:
                if sink in self._sinks:
                    self._sinks.remove(sink)

        return unsubscribe

    def publish(self, event: E) -> E:
        """Stamp ``event`` and deliver it. Answers what was delivered: stamped, and without keys."""
        with self._lock:
            hidden = self.redactor.event(event)
            stamped = stamp(hidden, seq=self._next_seq, at=time.time(), session_id=self.session_id)
            self._next_seq += 1
            self._pending.append(stamped)
            if not self._delivering:
                self._deliver()
            return stamped

    def _deliver(self) -> None:
        self._delivering = True
        try:
            while self._pending:
                event = self._pending.popleft()
                for sink in tuple(self._sinks):
                    try:
                        sink(event)
                    except Exception:
                        log.exception("an event sink failed on %s", event.type)
        finally:
            self._delivering = False
