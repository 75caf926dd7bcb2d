"""Keeps each event in the store, also past a time in which the store cannot be written to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pygent.errors import PygentError
from pygent.event_lines import to_line
from pygent.events import Event, Level, Notice

if TYPE_CHECKING:
    from pygent.store import Store

WAITING_BYTES = 32 * 1024**2
"""Length of the JSON of all events that wait to be written at most; beyond it the oldest are lost."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds between two tries to write what waits; they grow from the one to the other."""


class Recorder:
    """A sink that stores each event, the first of a bus, so that nobody sees an event that is not stored.

    Where the store cannot be written to (a full disk, another process that holds it locked), events wait in memory,
    and the session goes on without waiting for the disk: a thread tries again, writes them in their order, and ends.
    An event whose number another Pygent has taken in the same session ends the storing: both cannot go on with it.
    People are told at the beginning and at the end of such a time, by ``publish``. ``pause`` is in seconds, ``room``
    in bytes.
    """

    def __init__(
        self,
        store: Store,
        publish: Callable[[Event], object],
        *,
        pause: float = FIRST_PAUSE,
        room: int = WAITING_BYTES,
    ) -> None:
        self._store = store
        self._publish = publish
        self._pause = pause
        self._room = room
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Event, int]] = deque()
        self._size = 0
        self._lost = 0
        self._behind = False
        self._why = ""
        self._closed = threading.Event()
        self._writer: threading.Thread | None = None

    def __call__(self, event: Event) -> None:
        """Store ``event``, or let it wait behind those that wait already."""
        if not event.durable or self._closed.is_set():
            return
        with self._lock:
            if self._behind:
                self._wait(event)
                return
        try:
            self._store.append(event)
        except PygentError as error:
            if _is_taken(error):
                self._give_up(error)
                return
            with self._lock:
                self._behind, self._lost, self._why = True, 0, str(error)
                self._wait(event)
            self._writer = threading.Thread(target=self._catch_up, name="pygent-recorder", daemon=True)
            self._writer.start()
            text = f"Events cannot be stored; they are kept in memory until it works again: {error}"
            self._publish(Notice(level="error", text=text))

    def waiting(self, session_id: str) -> list[Event]:
        """The events of a session that are not stored yet, in order."""
        with self._lock:
            return [event for event, _ in self._waiting if event.session_id == session_id]

    def close(self) -> None:
        """Try once more to write what waits, and say what is lost. Later events are not kept."""
        self._closed.set()
        if self._writer is not None:
            self._writer.join()
        if self._waiting:
            lost = self._lost + len(self._waiting)
            text = f"{_events(lost)} at the end of this session could not be stored: {self._why}"
            self._publish(Notice(level="error", text=text))

    def _give_up(self, error: PygentError) -> None:
        self._closed.set()
        self._publish(Notice(level="error", text=f"From here on this session is not stored: {error}"))

    def _wait(self, event: Event) -> None:
        size = len(to_line(event))
        self._waiting.append((event, size))
        self._size += size
        while self._size > self._room and len(self._waiting) > 1:
            self._size -= self._waiting.popleft()[1]
            self._lost += 1

    def _catch_up(self) -> None:
        pause = self._pause
        while True:
            last = self._closed.wait(pause)
            if self._write_waiting():
                break
            if last or self._closed.is_set():
                return
            pause = min(pause * 2, LONGEST_PAUSE)
        lost = f", except for {_events(self._lost)} for which there was no room" if self._lost else ""
        level: Level = "warning" if self._lost else "info"
        self._publish(Notice(level=level, text=f"Events are stored again, and so is what happened meanwhile{lost}."))

    def _write_waiting(self) -> bool:
        """Write in order what waits. Answers whether that is all."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._behind = False
                    return True
                event, size = self._waiting[0]
            try:
                self._store.append(event)  # without the lock: a database that is locked keeps nobody waiting
            except PygentError as error:
                self._why = str(error)
                if _is_taken(error):
                    self._give_up(error)
                return False
            with self._lock:
                if self._waiting and self._waiting[0][0] is event:
                    self._waiting.popleft()
                    self._size -= size


def _is_taken(error: PygentError) -> bool:
    from pygent.store import SeqTakenError  # noqa: PLC0415 - a screen is drawn before it is loaded

    return isinstance(error, SeqTakenError)


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"
