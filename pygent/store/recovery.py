"""A damaged database is moved aside, and a new one begun with all that can still be read."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pygent.events import CheckpointMade, FilesRestored
from pygent.locks import in_turn
from pygent.store.base import title_of, writable
from pygent.store.index import FILE, discard
from pygent.store.opening import create_private, files_of
from pygent.store.pages import Pages, Value
from pygent.store.rows import digests_of
from pygent.store.schema import bring_up

log = logging.getLogger(__name__)

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DIGEST = 64
LOOKED_AT = 1.0
"""Seconds in which whoever has the database open notices that there is another one of that name."""

_LATER = (0, 0)
"""What the columns of a session hold that older databases have not: `going` and `turn`."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """Where the damaged database is now, and how much of it is in the new one."""

    aside: Path
    sessions: int
    events: int

    def __str__(self) -> str:
        found = f"{self.events:,} events of {self.sessions:,} sessions could be read and are in a new one"
        return f"The database of sessions was damaged: {found}; the damaged one is {self.aside}."


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is no whole database."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


def recover(file: Path, patience: float) -> Recovered | None:
    """Replace a damaged database; answers None where another process just did so.

    The new one is made beside it and takes its place when it is whole: a kill in the middle leaves the damaged one,
    to be recovered once more. Raises ``OSError`` and ``sqlite3.Error``.
    """
    with in_turn(Path(f"{file}.recovering")):  # nobody else recovers it meanwhile
        if _is_whole(file, patience):
            return None
        fresh = Path(f"{file}.new")
        discard(fresh)
        with _nobody_writes(file):
            sessions, events = _fill(file, fresh)
            aside = _free_name(file)
            for old, moved in zip(files_of(file), files_of(aside), strict=True):
                with contextlib.suppress(FileNotFoundError):
                    old.rename(moved)
            fresh.rename(file)
        discard(file.parent / FILE)
        recovered = Recovered(aside, sessions, events)
        log.info("%s", recovered)
        return recovered


def _fill(damaged: Path, fresh: Path) -> tuple[int, int]:
    create_private(fresh)
    db = sqlite3.connect(fresh, isolation_level=None)
    pages = Pages(damaged)
    try:
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        db.execute("PRAGMA synchronous=OFF")  # until it is whole it is nothing
        bring_up(db, fresh)
        db.execute("BEGIN")
        for row in pages.rows():
            _take(db, row)
        _complete(db)
        db.execute("COMMIT")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA journal_mode=WAL")
        sessions, events = _count(db, "sessions"), _count(db, "events")
    finally:
        pages.close()
        db.close()
    handle = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return sessions, events


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - the name is ours


def _take(db: sqlite3.Connection, row: tuple[Value, ...]) -> None:
    """Keep what is a row of one of our tables; a copy of one that there is already tells nothing new."""
    match row:
        case (str(session), int(seq), str(kind), str(line), *rest) if len(rest) <= 1 and _is_event(
            line, session, seq
        ):
            outside = rest[0] if rest and isinstance(rest[0], str) else None
            db.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)", (session, seq, kind, line, outside))
        case (str(session), str(digest)) if len(digest) == _DIGEST and digest.isalnum():
            db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (session, digest))
        case (str(), str(), str(), str(), float() | int(), float() | int(), *rest) if len(rest) <= len(_LATER):
            values = (*row[:6], *rest, *_LATER[len(rest) :])
            db.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        case _:
            pass


def _is_event(line: str, session: str, seq: int) -> bool:
    try:
        data = json.loads(line)
    except ValueError:
        return False
    return isinstance(data, dict) and data.get("session_id") == session and data.get("seq") == seq


def _complete(db: sqlite3.Connection) -> None:
    """Make the rows of sessions that have events only, and remove what belongs to no session and no event."""
    orphans = "SELECT DISTINCT session_id FROM events WHERE session_id NOT IN (SELECT id FROM sessions)"
    for (session,) in db.execute(orphans).fetchall():
        found = db.execute(
            "SELECT line FROM events WHERE session_id = ? AND type IN ('session.started', 'run.started')"
            " ORDER BY seq DESC",
            (session,),
        )
        about = [json.loads(line) for (line,) in found]
        first, last = db.execute("SELECT min(seq), max(seq) FROM events WHERE session_id = ?", (session,)).fetchone()
        times = [_at(db, session, seq) for seq in (first, last)]
        started: dict[str, str] = next((one for one in about if one["type"] == "session.started"), {})
        runs = [str(one.get("prompt", "")) for one in about if one["type"] == "run.started"]
        title = title_of((runs or [""])[-1]) or "(recovered)"
        values = (session, title, *(writable(str(started.get(name, ""))) for name in ("workspace", "model")), *times)
        db.execute(
            "INSERT INTO sessions (id, title, workspace, model, started_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )
    db.execute("DELETE FROM blobs WHERE session_id NOT IN (SELECT id FROM sessions)")
    kinds = ", ".join(f"'{kind}'" for kind in (CheckpointMade.type, FilesRestored.type))
    users = f"SELECT session_id, line, outside FROM events WHERE outside IS NOT NULL OR type IN ({kinds})"  # noqa: S608
    for session, line, outside in db.execute(users).fetchall():
        used = [(session, digest) for digest in digests_of(line, outside)]
        db.executemany("INSERT OR IGNORE INTO blobs VALUES (?, ?)", used)


def _at(db: sqlite3.Connection, session: str, seq: int) -> float:
    (line,) = db.execute("SELECT line FROM events WHERE session_id = ? AND seq = ?", (session, seq)).fetchone()
    at = json.loads(line).get("at")
    return float(at) if isinstance(at, (int, float)) else time.time()


def _is_whole(file: Path, patience: float) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=patience)) as db:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.Error as error:
        if is_damaged(error):
            return False
        raise


@contextlib.contextmanager
def _nobody_writes(file: Path) -> Iterator[None]:
    """Keep others from writing to the damaged database, until they notice that it is another one.

    As far as it still has locks; who writes to one that has none finds it damaged himself.
    """
    held = False
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(sqlite3.Error):
            db = stack.enter_context(contextlib.closing(sqlite3.connect(file, timeout=1.0, isolation_level=None)))
            db.execute("BEGIN IMMEDIATE")
            held = True
        yield
        if held:
            time.sleep(LOOKED_AT + 0.1)


def _free_name(file: Path) -> Path:
    moment = time.strftime("%Y%m%d-%H%M%S")
    endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (file.with_name(f"{file.stem}.damaged-{moment}{end}{file.suffix}") for end in endings)
    return next(name for name in names if not name.exists())
