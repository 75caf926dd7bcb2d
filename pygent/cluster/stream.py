"""Events on their way home: numbered and in batches on the worker, put in order again by the session."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from pygent.events import Event, to_dict

BATCH_EVENTS, BATCH_CHARACTERS = 200, 256 * 1024
BATCH_SECONDS = 0.04
"""How long an event waits for others at most."""

KEPT = 2000
"""Events that a worker keeps, so that those that got lost on the way can be sent again."""

Send = Callable[[int, list[dict[str, Any]]], object]


class Outgoing:
    """Numbers events from 1 and hands them to ``send`` in batches, on a thread of its own."""

    def __init__(self, send: Send) -> None:
        self.count = 0
        self._send = send
        self._waiting: deque[dict[str, Any]] = deque()
        self._kept: deque[tuple[int, dict[str, Any]]] = deque(maxlen=KEPT)
        self._change = threading.Condition()
        self._sending = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pygent-cluster-events", daemon=True)
        self._thread.start()

    def add(self, event: Event) -> None:
        """Take an event; does not block."""
        with self._change:
            self._waiting.append(to_dict(event))
            self._change.notify()

    def flush(self) -> None:
        """Send what waits, now."""
        with self._sending:
            while batch := self._next():
                self._send(*batch)

    def again(self, first: int, last: int) -> None:
        """Send events again, as far as they are kept."""
        with self._sending:
            found = [(number, data) for number, data in self._kept if first <= number <= last]
            if found:
                self._send(found[0][0], [data for _, data in found])

    def close(self) -> None:
        """Send what waits, and end."""
        self._closed.set()
        with self._change:
            self._change.notify()
        self._thread.join()
        self.flush()

    def _work(self) -> None:
        while not self._closed.is_set():
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._closed.is_set())
            self._closed.wait(BATCH_SECONDS)
            self.flush()

    def _next(self) -> tuple[int, list[dict[str, Any]]] | None:
        batch: list[dict[str, Any]] = []
        size = 0
        with self._change:
            while self._waiting and len(batch) < BATCH_EVENTS and size < BATCH_CHARACTERS:
                data = self._waiting.popleft()
                size += _size(data)
                batch.append(data)
        if not batch:
            return None
        first = self.count + 1
        self.count += len(batch)
        self._kept.extend(enumerate(batch, first))
        return first, batch


class Incoming:
    """Hands numbered events on in order, each once; what came too early waits."""

    def __init__(self, take: Callable[[dict[str, Any]], object]) -> None:
        self.next = 1
        self._take = take
        self._early: dict[int, dict[str, Any]] = {}

    @property
    def gap(self) -> tuple[int, int] | None:
        """The first and last number of the events that are missed, None where none are."""
        return (self.next, min(self._early) - 1) if self._early else None

    def add(self, first: int, events: list[dict[str, Any]]) -> None:
        """Take a batch."""
        for number, data in enumerate(events, first):
            if number >= self.next:
                self._early[number] = data
        while self.next in self._early:
            data = self._early.pop(self.next)
            self.next += 1
            self._take(data)

    def skip(self) -> int:
        """Give up the missing ones and go on; answers how many they were."""
        gap = self.gap
        if gap is None:
            return 0
        missed = gap[1] - gap[0] + 1
        self.next = gap[1] + 1
        self.add(self.next, [])
        return missed


def _size(data: dict[str, Any]) -> int:
    """About how many characters an event has on the wire."""
    return sum(len(value) if isinstance(value, str) else 100 for value in data.values()) + 200
