"""Where a session's events are kept and read back from: the store, or memory where there is none."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent.bus import EventBus
from pygent.events import Event, Notice

if TYPE_CHECKING:
    from pygent.claims import Claim
    from pygent.recorder import Recorder
    from pygent.settings import Settings
    from pygent.store import Store
    from pygent.upkeep import Upkeep

KnownEnd = Callable[[str], Mapping[str, Any]]

KEPT = 20_000
"""Events that are kept in memory where there is no store, the newest."""


def claims_beside(store: Store) -> Path:
    """The folder with the locks of the sessions that are open."""
    return store.file.parent / "open"


class SessionLog:
    """``past`` is what a resumed session has behind it, until somebody takes it."""

    def __init__(self, bus: EventBus, make_store: Callable[[], Store] | None) -> None:
        self.past: list[Event] = []
        self.store: Store | None = None
        self._bus = bus
        self._make_store = make_store
        self._recorder: Recorder | None = None
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._claim: Claim | None = None
        self._upkeep: Upkeep | None = None

    def open(self, resume: str | None, known_end: KnownEnd | None = None) -> str | None:
        """Keep events from now on, after those of the session to go on with. Answers why there is no store.

        ``known_end`` is as in ``endings``. Raises ``StoreError`` where the session to go on with cannot be read,
        ``SessionInUse`` where it is open in another Pygent.
        """
        why = self._open_store(resume, known_end)
        if self.store is None:
            self._kept.extend(self.past)
            self._bus.subscribe(self._keep)
        return why

    def _open_store(self, resume: str | None, known_end: KnownEnd | None) -> str | None:
        if self._make_store is None:
            return None
        from pygent.recorder import Recorder  # noqa: PLC0415 - a screen is drawn before it is loaded
        from pygent.store import StoreError  # noqa: PLC0415

        try:
            self.store = self._make_store()
        except StoreError as error:
            if resume is not None:
                raise
            return str(error)
        self.begin()
        if resume is not None:
            self._take_up(self.store, resume, known_end)
        if why := self.store.read_only:
            self.store.close()
            self.store = None
            return why
        self._recorder = Recorder(self.store, self._bus.publish)
        self._bus.subscribe(self._recorder, first=True)  # nobody sees what is not stored
        self.store.listen(lambda text: self._bus.publish(Notice(level="error", text=text)))
        return None

    def _take_up(self, store: Store, session_id: str, known_end: KnownEnd | None) -> None:
        from pygent.endings import endings, nothing_more  # noqa: PLC0415 - only where a session is gone on with

        self.past = list(store.events(session_id))
        ends = endings(self.past, known_end or nothing_more)
        if not store.read_only:
            store.append_all(ends)  # who is killed here has not ended half of it
        self.past += ends
        self._bus.go_on_after(max(store.last_seq(session_id), self.past[-1].seq if self.past else 0))

    def begin_with(self, events: Iterable[Event], source: str) -> None:
        """Let the session, in which nothing happened so far, go on from a copy of ``events``.

        Raises ``StoreError``.
        """
        from pygent.forks import copied  # noqa: PLC0415 - only where it is asked for

        self.past = copied(events, self._bus.session_id, source=source)
        if self.store is not None:
            self.store.append_all(self.past)
        else:
            self._kept.extend(self.past)
        self._bus.go_on_after(self.past[-1].seq)

    def begin(self) -> None:
        """Let no other Pygent open the bus's session. Raises ``SessionInUse`` where one has it open already.

        Where the folder knows no locks the session is nobody's, and goes on all the same.
        """
        from pygent.claims import claim  # noqa: PLC0415 - only with a store

        if self._claim is not None:
            self._claim.release()
            self._claim = None
        if self.store is not None:
            with contextlib.suppress(OSError):
                self._claim = claim(claims_beside(self.store), self._bus.session_id)

    def look_after(self, settings: Settings) -> None:
        """Begin to look after the store: old sessions go as the settings say, and what was said can be found."""
        if self.store is None:
            return
        from pygent.retention import MEGABYTE, Limits  # noqa: PLC0415 - the session is open by now
        from pygent.upkeep import Upkeep  # noqa: PLC0415

        limits = Limits(settings.sessions_keep_days or None, settings.sessions_keep_size * MEGABYTE or None)
        self._upkeep = Upkeep(self.store, claims_beside(self.store), limits, self._bus.publish)
        self._bus.subscribe(self._upkeep)
        self._upkeep.begin()

    def _keep(self, event: Event) -> None:
        if event.durable:
            self._kept.append(event)

    def events(self) -> list[Event]:
        """The durable events of the present conversation, in order; without a store the newest of all."""
        if self.store is not None:
            waiting = [] if self._recorder is None else self._recorder.waiting(self._bus.session_id)
            stored = list(self.store.events(self._bus.session_id))
            last = stored[-1].seq if stored else 0
            return stored + [event for event in waiting if event.seq > last]
        return list(self._kept)

    def take_past(self) -> list[Event]:
        """``past``, which is not kept any longer."""
        past, self.past = self.past, []
        return past

    def close(self) -> None:
        """Write what still waits to be stored, close the store, and let others have the session."""
        if self._upkeep is not None:
            self._upkeep.close()
        if self._recorder is not None:
            self._recorder.close()
        if self.store is not None:
            self.store.close()
        if self._claim is not None:
            self._claim.release()
