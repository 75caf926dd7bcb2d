"""From the core's threads to the screen: the only code of the front end that several threads run.

The sink puts an event in a queue and, where none is under way, posts one message to the app. The app then takes what
has come in batches, at most ``RATE`` a second, with adjacent pieces of one message or one output joined. A flood from
a tool costs the interface one batch a frame, whatever its length.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from textual.message import Message
from textual.message_pump import MessagePump

from pygent.events import Event, MessageDelta, ToolOutput
from pygent.transcript import LIVE_OUTPUT

RATE = 15
"""Batches a second while events keep coming; the first after a pause comes at once."""

BATCH = 2000
"""Events that one batch takes at most, so that keys are answered between batches."""


class Bridge:
    """Carries events to ``deliver``, which runs on the interface's thread and gets them in order."""

    class Ready(Message, bubble=False):
        """Events wait in the queue."""

        def __init__(self, bridge: Bridge) -> None:
            self.bridge = bridge
            super().__init__()

    def __init__(self, pump: MessagePump, deliver: Callable[[list[Event]], None]) -> None:
        self._pump = pump
        self._deliver = deliver
        self._queue: deque[Event] = deque()
        self._lock = threading.Lock()
        self._under_way = False
        self._last = 0.0

    def sink(self, event: Event) -> None:
        """Take an event from any thread; never blocks."""
        self._queue.append(event)
        with self._lock:
            if self._under_way:
                return
            self._under_way = True
        self._pump.post_message(self.Ready(self))

    def ready(self) -> None:
        """Deliver now, or when the last batch is long enough ago. Called for ``Ready``, on the interface's thread."""
        wait = self._last + 1 / RATE - time.monotonic()
        if wait <= 0:
            self.flush()
        else:
            self._pump.set_timer(wait, self.flush)

    def flush(self) -> None:
        """Deliver one batch of what has come so far."""
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH))]
        if batch:
            self._deliver(list(joined(batch)))
        self._last = time.monotonic()
        with self._lock:
            self._under_way = bool(self._queue)
            more = self._under_way
        if more:
            self._pump.set_timer(1 / RATE, self.flush)


def joined(events: Iterable[Event]) -> Iterator[Event]:
    """The same events with adjacent pieces of one message or of one output made one."""
    pieces: list[MessageDelta | ToolOutput] = []
    for event in events:
        if pieces and not _continues(pieces[-1], event):
            yield _join(pieces)
            pieces = []
        if isinstance(event, MessageDelta | ToolOutput):
            pieces.append(event)
        else:
            yield event
    if pieces:
        yield _join(pieces)


def _continues(last: MessageDelta | ToolOutput, event: Event) -> bool:
    if last.agent_id != event.agent_id:
        return False
    if isinstance(last, MessageDelta):
        return isinstance(event, MessageDelta) and (last.message_id, last.kind) == (event.message_id, event.kind)
    return isinstance(event, ToolOutput) and last.call_id == event.call_id


def _join(pieces: list[MessageDelta | ToolOutput]) -> Event:
    if len(pieces) == 1:
        return pieces[0]
    text = "".join(piece.text for piece in pieces)
    if isinstance(pieces[-1], ToolOutput):
        text = text[-LIVE_OUTPUT:]
    return replace(pieces[-1], text=text)
