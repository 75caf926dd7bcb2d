"""Reading the database of sessions."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pygent.blobs import Blobs
from pygent.events import AnyEvent
from pygent.images import text_of
from pygent.store.base import Glimpse, StoredSession, StoreError, writable
from pygent.store.connection import Connection
from pygent.store.rows import from_row, put_back, read_lines
from pygent.store.said import SEARCHED

log = logging.getLogger(__name__)

PIECE = 500
"""Rows that are read or removed at once, so that nobody waits long."""

GLIMPSED = 60
"""Messages in which the last words of both sides are looked for; between them stand those with tool calls alone."""

_SESSION = (
    "SELECT id, title, workspace, model, started_at, updated_at,"
    " (SELECT coalesce(max(seq), 0) FROM events WHERE session_id = id) FROM sessions"
)
_EVENT = "SELECT session_id, seq, line, outside FROM events"


class Reading:
    """The part of the ``Store`` that reads; all raise ``StoreError`` where that fails."""

    file: Path
    blobs: Blobs
    _base: Connection

    def sessions(self, *, workspace: str | None = None, limit: int = 100) -> list[StoredSession]:
        """The sessions in which something was asked, newest first."""
        where = "WHERE title <> '' AND going = 0" + ("" if workspace is None else " AND workspace = ?")
        values = [*([] if workspace is None else [writable(workspace)]), limit]
        rows = self._rows(f"{_SESSION} {where} ORDER BY turn DESC, updated_at DESC LIMIT ?", values)
        return [StoredSession(*row) for row in rows]

    def all_sessions(self) -> list[StoredSession]:
        """All sessions, also those in which nothing was asked, in the order in which they were last at work."""
        rows = self._rows(f"{_SESSION} WHERE going = 0 ORDER BY turn, updated_at", [])
        return [StoredSession(*row) for row in rows]

    def size(self) -> int:
        """Bytes that sessions and their long texts take on disk; what was freed in the database counts nothing."""
        pages, free, page = (
            int(self._rows(f"PRAGMA {name}", [])[0][0]) for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * page + self.blobs.size_of(self.used_blobs())

    def find(self, prefix: str) -> StoredSession:
        """The one session whose id begins with ``prefix``. Raises ``StoreError`` for none or several."""
        where = "WHERE title <> '' AND going = 0 AND substr(id, 1, ?) = ?"
        found = self._rows(f"{_SESSION} {where}", [len(prefix), writable(prefix)])
        if len(found) != 1:
            what = "no session's id begins" if not found else f"{len(found)} sessions' ids begin"
            raise StoreError(f"{what} with {prefix!r}; `pygent sessions list` shows them")
        return StoredSession(*found[0])

    def ends(self) -> list[tuple[str, int]]:
        """The id and the number of the last event of every session."""
        last = "SELECT coalesce(max(seq), 0) FROM events WHERE session_id = id"
        rows = self._rows(f"SELECT id, ({last}) FROM sessions WHERE going = 0", [])  # noqa: S608 - the parts are ours
        return [(session_id, seq) for session_id, seq in rows]

    def events(self, session_id: str, *, after: int = -1) -> Iterator[AnyEvent]:
        """A session's events in order, those behind the number ``after``.

        A row that this version cannot read is logged and left out.
        """
        next_ones = f"{_EVENT} WHERE session_id = ? AND seq > ? ORDER BY seq LIMIT ?"
        while rows := self._rows(next_ones, [session_id, after, PIECE]):
            yield from self._read(rows)
            after = rows[-1][1]

    def event(self, session_id: str, seq: int) -> AnyEvent:
        """One event. Raises ``StoreError`` where there is none, or none that can be read."""
        for event in self._read(self._rows(f"{_EVENT} WHERE session_id = ? AND seq = ?", [session_id, seq])):
            return event
        raise StoreError(f"{self.file}: session {session_id[:8]} has no event {seq} that can be read")

    def said(self, session_id: str, after: int, most: int, *, like: str = "") -> tuple[list[AnyEvent], int | None]:
        """A session's next ``most`` events in which something was said, ``after`` a number, and where they end.

        That is the last one's number, None where no more come. ``like`` are plain small letters; what surely does not
        have them is left out.
        """
        kinds = ", ".join(f"'{kind}'" for kind in SEARCHED)
        where = f"session_id = ? AND seq > ? AND type IN ({kinds})"
        values: list[object] = [session_id, after]
        if like:
            where += " AND (line LIKE ? OR line GLOB '*[^ -~]*' OR line LIKE '%\\u%' OR outside IS NOT NULL)"
            values.append(f"%{like}%")
        rows = self._rows(f"{_EVENT} WHERE {where} ORDER BY seq LIMIT ?", [*values, most])
        return list(self._read(rows)), rows[-1][1] if len(rows) == most else None

    def last_seq(self, session_id: str) -> int:
        """The highest number given to an event of the session; 0 for none."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM events WHERE session_id = ?", [session_id])[0][0])

    def glimpse(self, session_id: str) -> Glimpse:
        """What a list shows of a session besides its title."""
        main = "session_id = ? AND type = 'message.finished' AND line LIKE '%\"agent_id\":\"main\"%'"
        count = self._rows(f"SELECT count(*) FROM events WHERE {main}", [session_id])[0][0]  # noqa: S608 - ours
        last = f"SELECT line, outside FROM events WHERE {main} ORDER BY seq DESC LIMIT {GLIMPSED}"  # noqa: S608
        words = {"user": "", "assistant": ""}
        for line, outside in self._rows(last, [session_id]):
            data = json.loads(line)
            message = data.get("message") or {}
            role = str(message.get("role"))
            spoken = role == "assistant" or data.get("origin") == "user"
            if not spoken or words.get(role, "x"):
                continue
            if outside is not None:
                put_back(data, outside, self.blobs)
            words[role] = text_of((data.get("message") or {}).get("content")).strip()
            if all(words.values()):
                break
        return Glimpse(int(count), words["user"], words["assistant"])

    def used_blobs(self) -> set[str]:
        """The digests of all blobs that stored sessions use."""
        return {digest for (digest,) in self._rows("SELECT DISTINCT digest FROM blobs", [])}

    def _read(self, rows: list[tuple[Any, ...]]) -> Iterator[AnyEvent]:
        found = read_lines([row[2] for row in rows])
        for (session_id, seq, _, outside), data in zip(rows, found, strict=True):
            try:
                yield from_row(data, outside, self.blobs)
            except ValueError as error:
                log.warning("%s: event %d of session %s cannot be read: %s", self.file, seq, session_id, error)

    def _rows(self, query: str, values: list[object]) -> list[tuple[Any, ...]]:
        return self._base.rows(query, values)
