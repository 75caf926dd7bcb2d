"""The database of sessions.

One SQLite file in the user's data folder, in WAL mode, readable only by its owner; several Pygents use it at once. A
row is written by the thread that publishes the event, before any front end draws it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pygent.blobs import FOLDER, Blobs
from pygent.events import MAIN, Event, RunStarted, SessionForked, SessionStarted
from pygent.store.base import SeqTakenError, StoreError, title_of, writable
from pygent.store.connection import Connection, MendedError
from pygent.store.index import IndexUnusableError
from pygent.store.opening import BUSY_SECONDS
from pygent.store.reading import PIECE, Reading
from pygent.store.rows import Row, to_row
from pygent.store.searching import FoundSession, Searcher

log = logging.getLogger(__name__)

_TELLING = (SessionStarted, SessionForked, RunStarted)
"""Events that say something of their session that lists show."""


_INSERT = "INSERT INTO events (session_id, seq, type, line, outside) VALUES (?, ?, ?, ?, ?)"


class Store(Reading):
    """The database; its methods may be called from any thread.

    ``patience`` is how many seconds a call waits for another process that holds the database locked. ``blobs`` keeps
    the long texts. With ``full_text`` False a search reads everything, as it does where this SQLite has no FTS5.

    A damaged database is moved aside, and a new one begun with all of it that can be read: ``listen``. Raises
    ``StoreError`` where the file cannot be opened, or was written by a newer Pygent.
    """

    def __init__(self, file: Path, *, patience: float = BUSY_SECONDS, full_text: bool = True) -> None:
        self.file = file
        self.patience = patience
        self.blobs = Blobs(file.parent / FOLDER)
        self._known: set[str] = set()
        self._base = Connection(file, patience, self._known.clear)
        self._searcher = Searcher(self, index=full_text)

    @property
    def read_only(self) -> str:
        """Why nothing can be written, "" where it can."""
        return self._base.read_only

    def listen(self, hear: Callable[[str], object]) -> None:
        """Have it told, for people, where a damaged database was moved aside, also before this."""
        self._base.listen(hear)

    def append(self, event: Event) -> None:
        """Store an event, unless it is one of those that are not kept.

        Raises ``SeqTakenError`` where another Pygent has stored something else under its number, ``StoreError`` where
        it could not be written.
        """
        if not event.durable:
            return
        row = to_row(event, self.blobs)
        try:
            self._insert([(event, row)])
        except sqlite3.IntegrityError as error:
            self._check_taken(event, row, error)

    def append_all(self, events: Iterable[Event]) -> None:
        """Store durable events, all or none of them. Raises ``StoreError`` where they could not be written."""
        try:
            self._insert([(event, to_row(event, self.blobs)) for event in events])
        except sqlite3.IntegrityError as error:
            raise StoreError(f"{self.file}: {error}") from error

    def _insert(self, rows: Sequence[tuple[Event, Row]]) -> None:
        try:
            self._insert_once(rows)
        except MendedError:
            self._insert_once(rows)

    def _insert_once(self, rows: Sequence[tuple[Event, Row]]) -> None:
        if len(rows) == 1:
            event, row = rows[0]
            if event.session_id in self._known and not row.digests and not isinstance(event, _TELLING):
                self._base.insert(_INSERT, _values(event, row))  # the usual one, which costs least
                return
        touched: set[str] = set()
        with self._base.writing() as db:
            for event, row in rows:
                if event.session_id not in self._known or isinstance(event, _TELLING):
                    _touch(db, event)
                db.execute(_INSERT, _values(event, row))
                if row.digests:
                    _refer(db, event.session_id, row.digests)
                touched.add(event.session_id)
        self._known |= touched  # only what is committed is known

    def _check_taken(self, event: Event, row: Row, error: sqlite3.IntegrityError) -> None:
        """Nothing where the row stands there already, as after a write of which only the answer was lost."""
        own = "SELECT line = ? FROM events WHERE session_id = ? AND seq = ?"
        same = self._rows(own, [row.line, event.session_id, event.seq])
        if not same:
            raise StoreError(f"{self.file}: {error}") from error
        if not same[0][0]:
            text = f"session {event.session_id[:8]} has an event {event.seq} already, which another Pygent has stored"
            raise SeqTakenError(f"{self.file}: {text}") from error

    def refer(self, session_id: str, digests: Iterable[str]) -> None:
        """Note that a stored session uses blobs, so that they are kept as long as it is. Raises ``StoreError``."""
        try:
            with self._base.writing() as db:
                _refer(db, session_id, digests)
        except sqlite3.IntegrityError as error:
            raise StoreError(f"{self.file}: there is no session {session_id[:8]}") from error

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title; an empty one is what was asked first. Raises ``StoreError``."""
        title = title_of(title)
        if not title:
            first = "SELECT line FROM events WHERE session_id = ? AND type = 'run.started' ORDER BY seq LIMIT 1"
            for (line,) in self._rows(first, [session_id]):
                title = title_of(str(json.loads(line).get("prompt", "")))
        with self._base.writing() as db:
            db.execute("UPDATE sessions SET title = ? WHERE id = ?", (title, session_id))

    def search(self, text: str, limit: int = 100, *, workspace: str | None = None) -> list[FoundSession]:
        """The sessions in whose title, or in one message or output of which, all of ``text`` is, newest first.

        Every word finds what begins with it, "words in quotes" find just these in this order. May take a moment;
        ``search_note`` says afterwards why it took long. Raises ``StoreError``.
        """
        return self._searcher.search(text, workspace, limit)

    @property
    def search_note(self) -> str:
        """Why searching reads all sessions instead of an index, "" where it does not."""
        return self._searcher.slow_because

    def update_search(self, pause: Callable[[], bool] = lambda: False) -> None:
        """Take up into the index of searching what is not in it yet, in batches between which ``pause`` is called.

        That ends it by True. Where there can be no index this does nothing. Raises ``StoreError``.
        """
        try:
            self._searcher.catch_up(pause)
        except IndexUnusableError as error:
            log.info("sessions are searched without an index: %s", error)

    def reached_by_search(self) -> dict[str, int]:
        """The number of the last event of each session that the index of searching has; nothing without one."""
        return self._searcher.reached()

    def delete(self, session_id: str) -> None:
        """Remove a session and its events, in pieces that hold no other Pygent up. Raises ``StoreError``.

        What a kill leaves of it is shown no more, and `finish_deleting` removes it.
        """
        with self._base.writing() as db:
            db.execute("UPDATE sessions SET going = 1 WHERE id = ?", (session_id,))
            self._known.discard(session_id)
        self._remove(session_id)

    def finish_deleting(self) -> None:
        """Remove what was left of sessions that were being deleted. Raises ``StoreError``."""
        for (session_id,) in self._rows("SELECT id FROM sessions WHERE going = 1", []):
            self._remove(session_id)

    def _remove(self, session_id: str) -> None:
        """The last events first; each piece goes from the index before it goes from here, where its words are."""
        piece = "SELECT session_id, seq, line, outside FROM events WHERE session_id = ? ORDER BY seq DESC LIMIT ?"
        while rows := self._rows(piece, [session_id, PIECE]):
            first = rows[-1][1]
            self._searcher.forget(session_id, list(self._read(rows)), first)
            with self._base.writing() as db:
                db.execute("DELETE FROM events WHERE session_id = ? AND seq >= ?", (session_id, first))
        self._searcher.forget(session_id, [], 0)
        with self._base.writing() as db:
            db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))

    def sweep(self) -> None:
        """Remove the blobs that no session uses, and give the room of deleted sessions back to the disk.

        Raises ``StoreError``.
        """
        self.blobs.sweep(self.used_blobs())
        self._searcher.shrink()
        free, before = self._free_pages(), 0
        while free and free != before:  # a database that an older Pygent has made gives nothing back
            with self._base.writing() as db:
                list(db.execute(f"PRAGMA incremental_vacuum({PIECE})"))
            free, before = self._free_pages(), free

    def _free_pages(self) -> int:
        return int(self._rows("PRAGMA freelist_count", [])[0][0])

    def close(self) -> None:
        """Close the files. Later calls of other methods are errors."""
        self._searcher.close()
        self._base.close()


def _values(event: Event, row: Row) -> tuple[object, ...]:
    return event.session_id, event.seq, event.type, row.line, row.outside


def _touch(db: sqlite3.Connection, event: Event) -> None:
    """Keep of an event what lists show of its session."""
    db.execute(
        "INSERT OR IGNORE INTO sessions (id, started_at, updated_at) VALUES (?, ?, ?)",
        (event.session_id, event.at, event.at),
    )
    if isinstance(event, SessionStarted):
        about = (writable(event.workspace), writable(event.model), event.session_id)
        db.execute("UPDATE sessions SET workspace = ?, model = ? WHERE id = ?", about)
        return
    if isinstance(event, RunStarted) and event.agent_id == MAIN:
        db.execute(
            "UPDATE sessions SET title = ? WHERE id = ? AND title = ''", (title_of(event.prompt), event.session_id)
        )
    elif not isinstance(event, SessionForked):
        return
    db.execute(
        "UPDATE sessions SET updated_at = ?, turn = (SELECT max(turn) + 1 FROM sessions) WHERE id = ?",
        (event.at, event.session_id),
    )


def _refer(db: sqlite3.Connection, session_id: str, digests: Iterable[str]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO blobs (session_id, digest) VALUES (?, ?)",
        [(session_id, digest) for digest in digests],
    )
