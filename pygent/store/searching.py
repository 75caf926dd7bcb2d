"""Searching all stored sessions: through the index, or by reading everything where there is none."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pygent.store.base import StoredSession, StoreError
from pygent.store.index import FILE, Index, IndexUnusableError
from pygent.store.said import said_in
from pygent.store.words import Excerpt, Term, excerpt, has_all, parse

if TYPE_CHECKING:
    from pygent.events import Event
    from pygent.store.database import Store

log = logging.getLogger(__name__)

BATCH = 200
"""Events that are taken up into the index at once."""

_NOTHING = Excerpt("")

Found = dict[str, tuple[int, int]]
"""The last event, and how many there are, by session."""


@dataclass(frozen=True, slots=True)
class FoundSession(StoredSession):
    """A session that was searched for: where it has what, by whom, and in how many places; 0 where only in its title.

    ``seq`` is the number of the event that ``excerpt`` is from, 0 where that is the title.
    """

    hits: int = 0
    seq: int = 0
    who: str = ""
    excerpt: Excerpt = _NOTHING


class Searcher:
    """Searches one store. ``index`` False reads everything, as where this SQLite has no FTS5."""

    def __init__(self, store: Store, *, index: bool = True) -> None:
        self._store = store
        self._index = Index(store.file.parent / FILE, store.patience) if index else None
        self.slow_because = "" if index else "this SQLite has no full-text search (FTS5)"
        """Why a search reads everything, which takes longer; "" where it does not."""

    def search(self, text: str, workspace: str | None, limit: int) -> list[FoundSession]:
        """The sessions that have in their title, or in one event, all that ``text`` asks for, newest first.

        Raises ``StoreError``.
        """
        terms = parse(text)
        if not terms:
            return []
        found = self._find(terms)
        sessions: list[FoundSession] = []
        for one in self._store.sessions(workspace=workspace, limit=1_000_000):
            titled = has_all(one.title, terms)
            if titled or one.id in found:
                sessions.append(self._found(one, terms, *found.get(one.id, (0, 0))))
            if len(sessions) == limit:
                break
        return sessions

    def catch_up(self, pause: Callable[[], bool] = lambda: False) -> None:
        """Take up what is not in the index yet; ``pause`` is called between two batches and ends it by True.

        Raises ``IndexUnusableError`` and ``StoreError``.
        """
        if self._index is None:
            raise IndexUnusableError(self.slow_because)
        reached = self._index.reached()
        for session_id, last in self._store.ends():
            after = reached.get(session_id, 0)
            while after < last:
                batch, reached_seq = self._store.said(session_id, after, BATCH)
                upto = reached_seq or max(last, *(event.seq for event in batch), after)
                texts = _texts(batch)
                if self._index.add(session_id, texts, after, upto):
                    after = upto
                else:  # another Pygent is at it, too
                    after = self._index.reached().get(session_id, last)
                if pause():
                    return

    def reached(self) -> dict[str, int]:
        """The number of the last event of each session that is in the index."""
        with contextlib.suppress(IndexUnusableError):
            return self._index.reached() if self._index is not None else {}
        return {}

    def forget(self, session_id: str, events: Sequence[Event], down_to: int) -> None:
        """Take out of the index what was said in the last events of a session, from the number ``down_to`` on."""
        if self._index is None:
            return
        try:
            self._index.remove(session_id, _texts(events), down_to)
            if down_to == 0:
                self._index.forget(session_id)
        except IndexUnusableError as error:
            log.warning("the index keeps what is gone: %s", error)

    def shrink(self) -> None:
        """Give the room of what was forgotten back to the disk, as far as that goes quickly."""
        if self._index is not None:
            with contextlib.suppress(IndexUnusableError):
                self._index.shrink()

    def close(self) -> None:
        """Close the index."""
        if self._index is not None:
            self._index.close()

    def _find(self, terms: Sequence[Term]) -> Found:
        try:
            self.catch_up()
            if self._index is not None:
                found = self._index.find(terms)
                self.slow_because = ""
                return found
        except IndexUnusableError as error:
            if self.slow_because != str(error):
                log.warning("a search reads all sessions: %s", error)
            self.slow_because = str(error)
        return self._read_all(terms)

    def _read_all(self, terms: Sequence[Term]) -> Found:
        found: Found = {}
        for event in self._candidates(terms):
            if has_all(said_in(event)[1], terms):
                _, hits = found.get(event.session_id, (0, 0))
                found[event.session_id] = event.seq, hits + 1
        return found

    def _candidates(self, terms: Sequence[Term]) -> Iterator[Event]:
        """Events that may have all ``terms``: SQLite leaves out those whose plain letters show that they do not."""
        longest = max((word for term in terms for word in term.words if word.isascii()), key=len, default="")
        for session_id, _ in self._store.ends():
            after: int | None = 0
            while after is not None:
                batch, after = self._store.said(session_id, after, BATCH, like=longest)
                yield from batch

    def _found(self, one: StoredSession, terms: Sequence[Term], seq: int, hits: int) -> FoundSession:
        values = {field.name: getattr(one, field.name) for field in fields(StoredSession)}
        who, said = "", one.title
        if seq:
            try:
                who, said = said_in(self._store.event(one.id, seq))
            except StoreError as error:  # it may be gone by now, or damaged
                log.warning("%s", error)
        return FoundSession(**values, hits=hits, seq=seq, who=who, excerpt=excerpt(said, terms))


def _texts(events: Iterable[Event]) -> list[tuple[int, str]]:
    """What was said in each event that says anything, by its number."""
    return [(event.seq, said) for event in events if (said := said_in(event)[1])]
