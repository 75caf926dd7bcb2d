"""From the core's threads to the screen: the only code of the front end that several threads run.

The sink puts an event in a queue and, where none is under way, posts one message to the app. The app then takes what
has come in batches, at most ``RATE`` a second. Pieces of one message or of one output are joined while they wait, and
of an output only its end is kept: a flood costs the interface one event a batch and bounded memory, whatever its
length, also where the interface does not come for its batches for a while.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from textual.message import Message
from textual.message_pump import MessagePump

from pygent.events import Event, MessageDelta, ToolOutput
from pygent.transcript import LIVE_OUTPUT

RATE = 15
"""Batches a second while events keep coming; the first after a pause comes at once."""

BATCH = 2000
"""Events that one batch takes at most, so that keys are answered between batches."""

Piece: TypeAlias = MessageDelta | ToolOutput


class Pieces:
    """Pieces of one text, as the event that brings them all."""

    def __init__(self, first: Piece) -> None:
        self._last = first
        self._texts = [first.text]
        self._size = len(first.text)

    def add(self, piece: Piece) -> None:
        """Take the next one. The beginning of a long output is let go."""
        self._last = piece
        self._texts.append(piece.text)
        self._size += len(piece.text)
        if self._size > 2 * LIVE_OUTPUT and isinstance(piece, ToolOutput):
            self._texts = ["".join(self._texts)[-LIVE_OUTPUT:]]
            self._size = LIVE_OUTPUT

    def event(self) -> Event:
        """The last piece with the text of all."""
        text = "".join(self._texts)
        if isinstance(self._last, ToolOutput):
            text = text[-LIVE_OUTPUT:]
        return self._last if text is self._last.text else replace(self._last, text=text)


class Bridge:
    """Carries events to ``deliver``, which runs on the interface's thread and gets them in order.

    A piece may come before what other agents did earlier, never out of its own agent's order.
    """

    class Ready(Message, bubble=False):
        """Events wait in the queue."""

        def __init__(self, bridge: Bridge) -> None:
            self.bridge = bridge
            super().__init__()

    def __init__(self, pump: MessagePump, deliver: Callable[[list[Event]], None]) -> None:
        self._pump = pump
        self._deliver = deliver
        self._queue: deque[Event | Pieces] = deque()
        self._open: dict[str, dict[tuple[str, ...], Pieces]] = {}  # what can still be joined, by agent and text
        self._lock = threading.Lock()
        self._under_way = False
        self._last = 0.0

    def sink(self, event: Event) -> None:
        """Take an event from any thread; never blocks."""
        with self._lock:
            self._put(event)
            if self._under_way:
                return
            self._under_way = True
        self._pump.post_message(self.Ready(self))

    def _put(self, event: Event) -> None:
        if not isinstance(event, MessageDelta | ToolOutput):
            self._open.pop(event.agent_id, None)
            self._queue.append(event)
            return
        texts = self._open.setdefault(event.agent_id, {})
        key = (event.call_id,) if isinstance(event, ToolOutput) else (event.message_id, event.kind)
        pieces = texts.get(key)
        if pieces is None:
            pieces = texts[key] = Pieces(event)
            self._queue.append(pieces)
        else:
            pieces.add(event)

    def ready(self) -> None:
        """Deliver now, or when the last batch is long enough ago. Called for ``Ready``, on the interface's thread."""
        wait = self._last + 1 / RATE - time.monotonic()
        if wait <= 0:
            self.flush()
        else:
            self._pump.set_timer(wait, self.flush)

    def flush(self) -> None:
        """Deliver one batch of what has come so far."""
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]
            self._open.clear()
        if batch:
            self._deliver([entry.event() if isinstance(entry, Pieces) else entry for entry in batch])
        self._last = time.monotonic()
        with self._lock:
            self._under_way = bool(self._queue)
            more = self._under_way
        if more:
            self._pump.set_timer(1 / RATE, self.flush)
