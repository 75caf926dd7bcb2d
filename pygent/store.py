"""Sessions on disk: every durable event is one row, so that resuming is reading it back.

One SQLite database in the user's data folder, in WAL mode, readable only by its owner; several Pygents use it at
once. A row is written by the thread that publishes the event, before any front end draws it.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pygent.errors import PygentError
from pygent.event_lines import to_line
from pygent.events import MAIN, AnyEvent, Event, RunStarted, SessionForked, SessionStarted, from_dict
from pygent.images import text_of
from pygent.plain_text import ago

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
BUSY_SECONDS = 5.0
TITLE_LENGTH = 80
GLIMPSED = 60
"""Messages in which the last words of both sides are looked for; between them stand those with tool calls alone."""

_SCHEMA = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL DEFAULT '',
    workspace TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    started_at REAL NOT NULL,
    updated_at REAL NOT NULL
);
CREATE TABLE events (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (session_id, seq)
) WITHOUT ROWID;
CREATE INDEX sessions_by_age ON sessions (updated_at DESC);
"""


class StoreError(PygentError):
    """The database of sessions cannot be used; the text names the file."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as lists show it; times are Unix times in seconds."""

    id: str
    title: str
    workspace: str
    model: str
    started_at: float
    updated_at: float
    events: int

    @property
    def age(self) -> str:
        """How long ago it was last at work, for people."""
        return ago(self.updated_at)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """How many messages a session has, and the last words of both sides."""

    messages: int
    asked: str
    answered: str


class Store:
    """The database; its methods may be called from any thread.

    ``patience`` is how many seconds a call waits for another process that holds the database locked.

    Raises ``StoreError`` where the file cannot be opened, is no database, or was written by a newer Pygent.
    """

    def __init__(self, file: Path, *, patience: float = BUSY_SECONDS) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._known: set[str] = set()
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(file, timeout=patience, check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{file}: sessions cannot be stored: {error}") from error
        try:
            self._prepare()
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.Error):
                raise StoreError(f"{file}: sessions cannot be stored: {error}") from error
            raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        with self._transaction():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StoreError(
                    f"{self.file} was written by a newer Pygent (version {version}); nothing was touched"
                )
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite has ended it already on some errors
                self._db.execute("ROLLBACK")
            raise

    def append(self, event: Event) -> None:
        """Store an event, unless it is one of those that are not kept.

        Raises ``StoreError`` where it could not be written.
        """
        if not event.durable:
            return
        self.append_all((event,))

    def append_all(self, events: Iterable[Event]) -> None:
        """Store durable events, all or none of them. Raises ``StoreError`` where they could not be written."""
        touched: set[str] = set()
        try:
            with self._lock, self._transaction():
                for event in events:
                    self._touch(event)
                    self._db.execute(
                        "INSERT INTO events (session_id, seq, type, line) VALUES (?, ?, ?, ?)",
                        (event.session_id, event.seq, event.type, to_line(event, compact=True)),
                    )
                    touched.add(event.session_id)
            self._known |= touched  # only what is committed is known
        except sqlite3.Error as error:
            raise StoreError(f"{self.file}: {error}") from error

    def _touch(self, event: Event) -> None:
        if event.session_id not in self._known:
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

    def sessions(self, *, workspace: str | None = None, limit: int = 100) -> list[StoredSession]:
        """The sessions in which something was asked, newest first."""
        where = "WHERE title <> ''" + ("" if workspace is None else " AND workspace = ?")
        values = [*([] if workspace is None else [_writable(workspace)]), limit]
        rows = self._rows(
            "SELECT id, title, workspace, model, started_at, updated_at,"  # noqa: S608 - the parts are ours
            f" (SELECT count(*) FROM events WHERE session_id = id) FROM sessions {where}"
            " ORDER BY updated_at DESC LIMIT ?",
            values,
        )
        return [StoredSession(*row) for row in rows]

    def find(self, prefix: str) -> StoredSession:
        """The one session whose id begins with ``prefix``. Raises ``StoreError`` for none or several."""
        found = [session for session in self.sessions(limit=1_000_000) if session.id.startswith(prefix)]
        if len(found) != 1:
            what = "no session's id begins" if not found else f"{len(found)} sessions' ids begin"
            raise StoreError(f"{what} with {prefix!r}; `pygent sessions list` shows them")
        return found[0]

    def events(self, session_id: str) -> Iterator[AnyEvent]:
        """A session's events in order. A row that this version cannot read is logged and left out."""
        rows = self._rows("SELECT line FROM events WHERE session_id = ? ORDER BY seq", [session_id])
        for (line,) in rows:
            try:
                yield from_dict(json.loads(line))
            except ValueError as error:
                log.warning("%s: an event of session %s cannot be read: %s", self.file, session_id, error)

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
        last = f"SELECT line FROM events WHERE {main} ORDER BY seq DESC LIMIT {GLIMPSED}"  # noqa: S608
        words = {"user": "", "assistant": ""}
        for (line,) in self._rows(last, [session_id]):
            data = json.loads(line)
            message = data.get("message") or {}
            role, content = str(message.get("role")), text_of(message.get("content"))
            spoken = role == "assistant" or data.get("origin") == "user"
            if spoken and content.strip() and not words.get(role, "x"):
                words[role] = content.strip()
        return Glimpse(int(count), words["user"], words["assistant"])

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title; an empty one is what was asked first. Raises ``StoreError``."""
        title = " ".join(title.split())[:TITLE_LENGTH]
        if not title:
            first = "SELECT line FROM events WHERE session_id = ? AND type = 'run.started' ORDER BY seq LIMIT 1"
            for (line,) in self._rows(first, [session_id]):
                title = " ".join(str(json.loads(line).get("prompt", "")).split())[:TITLE_LENGTH]
        try:
            with self._lock, self._transaction():
                self._db.execute("UPDATE sessions SET title = ? WHERE id = ?", (title, session_id))
        except sqlite3.Error as error:
            raise StoreError(f"{self.file}: {error}") from error

    def delete(self, session_id: str) -> None:
        """Remove a session and its events."""
        try:
            with self._lock, self._transaction():
                self._db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
                self._known.discard(session_id)
        except sqlite3.Error as error:
            raise StoreError(f"{self.file}: {error}") from error

    def close(self) -> None:
        """Close the file. Later calls of other methods are errors."""
        with self._lock:
            self._db.close()

    def _rows(self, query: str, values: list[object]) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return list(self._db.execute(query, values))
        except sqlite3.Error as error:
            raise StoreError(f"{self.file}: {error}") from error


def _writable(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no column of text takes."""
    return text.encode("utf-8", "replace").decode()
