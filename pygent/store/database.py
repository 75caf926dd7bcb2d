"""The database of sessions.

One SQLite file in the user's data folder, in WAL mode, readable only by its owner; several Pygents use it at once. A
row is written by the thread that publishes the event, before any front end draws it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pygent.blobs import FOLDER, Blobs
from pygent.events import MAIN, AnyEvent, Event, RunStarted, SessionForked, SessionStarted
from pygent.images import text_of
from pygent.store.base import Glimpse, SeqTakenError, StoredSession, StoreError
from pygent.store.opening import BUSY_SECONDS, open_database
from pygent.store.rows import Row, from_row, put_back, to_row

log = logging.getLogger(__name__)

TITLE_LENGTH = 80
GLIMPSED = 60
"""Messages in which the last words of both sides are looked for; between them stand those with tool calls alone."""

PIECE = 500
"""Rows that are read or removed at once, so that nobody waits long."""

_TELLING = (SessionStarted, SessionForked, RunStarted)
"""Events that say something of their session that lists show."""

_SESSION = (
    "SELECT id, title, workspace, model, started_at, updated_at,"
    " (SELECT coalesce(max(seq), 0) FROM events WHERE session_id = id) FROM sessions"
)


class Store:
    """The database; its methods may be called from any thread.

    ``patience`` is how many seconds a call waits for another process that holds the database locked. ``blobs`` keeps
    the long texts. ``read_only`` says why nothing can be written, "" where it can. Raises
    ``StoreError`` where the file cannot be opened, is no database, or was written by a newer Pygent.
    """

    def __init__(self, file: Path, *, patience: float = BUSY_SECONDS) -> None:
        self.file = file
        self.blobs = Blobs(file.parent / FOLDER)
        self._lock = threading.Lock()
        self._known: set[str] = set()
        try:
            self._db, self.read_only = open_database(file, patience)
        except sqlite3.Error as error:
            raise StoreError(f"{file}: sessions cannot be stored: {error}") from error

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

    def _insert(self, rows: Iterable[tuple[Event, Row]]) -> None:
        touched: set[str] = set()
        with self._writing():
            for event, row in rows:
                if event.session_id not in self._known or isinstance(event, _TELLING):
                    self._touch(event)
                self._db.execute(
                    "INSERT INTO events (session_id, seq, type, line, outside) VALUES (?, ?, ?, ?, ?)",
                    (event.session_id, event.seq, event.type, row.line, row.outside),
                )
                if row.digests:
                    self._refer(event.session_id, row.digests)
                touched.add(event.session_id)
        self._known |= touched  # only what is committed is known

    def _touch(self, event: Event) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO sessions (id, started_at, updated_at) VALUES (?, ?, ?)",
            (event.session_id, event.at, event.at),
        )
        if isinstance(event, SessionStarted):
            self._db.execute(
                "UPDATE sessions SET workspace = ?, model = ? WHERE id = ?",
                (_writable(event.workspace), _writable(event.model), event.session_id),
            )
        elif isinstance(event, SessionForked):
            self._db.execute("UPDATE sessions SET updated_at = ? WHERE id = ?", (event.at, event.session_id))
        elif isinstance(event, RunStarted) and event.agent_id == MAIN:
            title = _writable(" ".join(event.prompt.split())[:TITLE_LENGTH])
            self._db.execute(
                "UPDATE sessions SET title = CASE title WHEN '' THEN ? ELSE title END, updated_at = ? WHERE id = ?",
                (title, event.at, event.session_id),
            )

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
        with self._writing():
            self._refer(session_id, digests)

    def _refer(self, session_id: str, digests: Iterable[str]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO blobs (session_id, digest) VALUES (?, ?)",
            [(session_id, digest) for digest in digests],
        )

    def sessions(self, *, workspace: str | None = None, limit: int = 100) -> list[StoredSession]:
        """The sessions in which something was asked, newest first."""
        where = "WHERE title <> '' AND going = 0" + ("" if workspace is None else " AND workspace = ?")
        values = [*([] if workspace is None else [_writable(workspace)]), limit]
        rows = self._rows(f"{_SESSION} {where} ORDER BY updated_at DESC LIMIT ?", values)
        return [StoredSession(*row) for row in rows]

    def find(self, prefix: str) -> StoredSession:
        """The one session whose id begins with ``prefix``. Raises ``StoreError`` for none or several."""
        where = "WHERE title <> '' AND going = 0 AND substr(id, 1, ?) = ?"
        found = self._rows(f"{_SESSION} {where}", [len(prefix), prefix])
        if len(found) != 1:
            what = "no session's id begins" if not found else f"{len(found)} sessions' ids begin"
            raise StoreError(f"{what} with {prefix!r}; `pygent sessions list` shows them")
        return StoredSession(*found[0])

    def events(self, session_id: str) -> Iterator[AnyEvent]:
        """A session's events in order. A row that this version cannot read is logged and left out."""
        last = -1
        while rows := self._rows(
            "SELECT seq, line, outside FROM events WHERE session_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            [session_id, last, PIECE],
        ):
            for seq, line, outside in rows:
                try:
                    yield from_row(line, outside, self.blobs)
                except ValueError as error:
                    log.warning("%s: event %d of session %s cannot be read: %s", self.file, seq, session_id, error)
            last = rows[-1][0]

    def last_seq(self, session_id: str) -> int:
        """The highest number given to an event of the session; 0 for none."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM events WHERE session_id = ?", [session_id])[0][0])

    def search(self, text: str, limit: int = 100) -> list[StoredSession]:
        """The sessions in which ``text`` was said, newest first."""
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = self._rows(
            "SELECT DISTINCT session_id FROM events WHERE line LIKE ? ESCAPE '\\'"
            " AND type IN ('message.finished', 'tool.finished')",
            [json.dumps(pattern, ensure_ascii=False)[1:-1] if '"' in text else pattern],
        )
        ids = {row[0] for row in rows}
        return [session for session in self.sessions(limit=1_000_000) if session.id in ids][:limit]

    def glimpse(self, session_id: str) -> Glimpse:
        """What a list shows of a session besides its title."""
        main = "session_id = ? AND type = 'message.finished' AND line LIKE '%\"agent_id\":\"main\"%'"
        count = self._rows(f"SELECT count(*) FROM events WHERE {main}", [session_id])[0][0]  # noqa: S608 - ours
        last = f"SELECT line, outside FROM events WHERE {main} ORDER BY seq DESC LIMIT {GLIMPSED}"  # noqa: S608
        words = {"user": "", "assistant": ""}
        for line, outside in self._rows(last, [session_id]):
            data = json.loads(line)
            if outside is not None:
                put_back(data, outside, self.blobs)
            message = data.get("message") or {}
            role, content = str(message.get("role")), text_of(message.get("content"))
            spoken = role == "assistant" or data.get("origin") == "user"
            if spoken and content.strip() and not words.get(role, "x"):
                words[role] = content.strip()
        return Glimpse(int(count), words["user"], words["assistant"])

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title; an empty one is what was asked first. Raises ``StoreError``."""
        title = _writable(" ".join(title.split())[:TITLE_LENGTH])
        if not title:
            first = "SELECT line FROM events WHERE session_id = ? AND type = 'run.started' ORDER BY seq LIMIT 1"
            for (line,) in self._rows(first, [session_id]):
                title = _writable(" ".join(str(json.loads(line).get("prompt", "")).split())[:TITLE_LENGTH])
        with self._writing():
            self._db.execute("UPDATE sessions SET title = ? WHERE id = ?", (title, session_id))

    def delete(self, session_id: str) -> None:
        """Remove a session and its events, in pieces that hold no other Pygent up. Raises ``StoreError``.

        What a kill leaves of it is shown no more, and `finish_deleting` removes it.
        """
        with self._writing():
            self._db.execute("UPDATE sessions SET going = 1 WHERE id = ?", (session_id,))
            self._known.discard(session_id)
        self._remove(session_id)

    def finish_deleting(self) -> None:
        """Remove what was left of sessions that were being deleted. Raises ``StoreError``."""
        for (session_id,) in self._rows("SELECT id FROM sessions WHERE going = 1", []):
            self._remove(session_id)

    def _remove(self, session_id: str) -> None:
        piece = "SELECT seq FROM events WHERE session_id = ? ORDER BY seq DESC LIMIT ?"
        more = True
        while more:
            with self._writing():
                gone = self._db.execute(
                    f"DELETE FROM events WHERE session_id = ? AND seq IN ({piece})",  # noqa: S608 - ours
                    (session_id, session_id, PIECE),
                )
                more = gone.rowcount == PIECE
        with self._writing():
            self._db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))

    def used_blobs(self) -> set[str]:
        """The digests of all blobs that stored sessions use. Raises ``StoreError``."""
        return {digest for (digest,) in self._rows("SELECT DISTINCT digest FROM blobs", [])}

    def close(self) -> None:
        """Close the file. Later calls of other methods are errors."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction. Raises ``StoreError`` where it fails, and ``sqlite3.IntegrityError``."""
        if self.read_only:
            raise StoreError(self.read_only)
        try:
            with self._lock:
                try:
                    self._db.execute("BEGIN IMMEDIATE")
                    yield
                    self._db.execute("COMMIT")
                finally:
                    if self._db.in_transaction:  # some failures have ended it already
                        self._db.execute("ROLLBACK")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise StoreError(f"{self.file}: {error}") from error

    def _rows(self, query: str, values: list[object]) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return list(self._db.execute(query, values))
        except sqlite3.Error as error:
            raise StoreError(f"{self.file}: {error}") from error


def _writable(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no column of text takes."""
    return text.encode("utf-8", "replace").decode()
