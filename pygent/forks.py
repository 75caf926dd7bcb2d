"""Copies of stored sessions: from there on two conversations go their own ways in the same workspace."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from pygent.endings import endings
from pygent.events import MAIN, Event, MessageFinished, MessageStarted, RunStarted, SessionForked, stamp
from pygent.images import text_of

if TYPE_CHECKING:
    from pygent.store import Store, StoredSession

CUT = "The copy of the session begins in the middle of it."
_NUMBERED = re.compile(r" \(fork(?: (\d+))?\)$")


@dataclass(frozen=True, slots=True)
class ForkPoint:
    """A message of the user's before which a session can be copied.

    ``to_seq`` is the number of the last event of such a copy, ``at`` when it was said, in Unix seconds.
    """

    to_seq: int
    text: str
    at: float


def fork_points(events: Iterable[Event]) -> list[ForkPoint]:
    """The messages of the user's, in order. One that began a run is left out together with the run's beginning."""
    points: list[ForkPoint] = []
    run: int | None = None
    begun: dict[str, int] = {}
    for event in events:
        if event.agent_id != MAIN:
            continue
        if isinstance(event, RunStarted):
            run = event.seq
        elif isinstance(event, MessageStarted):
            if event.role == "user" and event.origin == "user":
                begun[event.message_id] = event.seq if run is None else run
                run = None  # a reminder may stand between a run's beginning and its prompt
        elif isinstance(event, MessageFinished) and event.message_id in begun and not event.discarded:
            text = text_of(event.message.get("content"))
            points.append(ForkPoint(begun.pop(event.message_id) - 1, text, event.at))
    return points


def fork(store: Store, session: StoredSession, to_seq: int | None = None) -> StoredSession:
    """Copy a session, up to the event with that number or to its end; answers the copy.

    The copy has an id and a title of its own. What was under way where it ends is ended in it: its tasks stay with
    the session that it was made of. Raises ``StoreError``.
    """
    new = uuid4().hex
    store.append_all(copied(store.events(session.id), new, source=session.id, to_seq=to_seq))
    titles = {one.title for one in store.sessions(limit=1_000_000)}
    store.rename(new, _title(session.title, titles))
    return store.find(new)


def copied(events: Iterable[Event], session_id: str, *, source: str, to_seq: int | None = None) -> list[Event]:
    """The events of a copy under another id: what was under way is ended, and the last one says where it is from.

    ``source`` is the id of the session, or the folder of a saved state.
    """
    if to_seq is not None:
        events = itertools.takewhile(lambda event: event.seq <= to_seq, events)
    out: list[Event] = [replace(event, session_id=session_id) for event in events]
    out += endings(out, why=CUT)
    last = out[-1].seq if out else 0
    origin = SessionForked(source=source, to_seq=last if to_seq is None else to_seq)
    return [*out, stamp(origin, seq=last + 1, at=time.time(), session_id=session_id)]


def _title(of: str, taken: set[str]) -> str:
    base = _NUMBERED.sub("", of)
    names = (f"{base} (fork)" if number == 1 else f"{base} (fork {number})" for number in itertools.count(1))
    return next(name for name in names if name not in taken)
