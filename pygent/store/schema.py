"""The tables of the database of sessions, and the steps from each version of them to the next.

A new database goes through all steps, so that it has the same tables as one that has been brought up to date.
"""

from __future__ import annotations

import sqlite3

from pygent.store.base import StoreError

VERSION = 3
"""What ``PRAGMA user_version`` is in a database of this Pygent; 0 is a new one."""

_STEPS: dict[int, tuple[str, ...]] = {
    1: (
        """
        CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL DEFAULT '',
            workspace TEXT NOT NULL DEFAULT '',
            model TEXT NOT NULL DEFAULT '',
            started_at REAL NOT NULL,
            updated_at REAL NOT NULL
        )
        """,
        """
        CREATE TABLE events (
            session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            seq INTEGER NOT NULL,
            type TEXT NOT NULL,
            line TEXT NOT NULL,
            PRIMARY KEY (session_id, seq)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX sessions_by_age ON sessions (updated_at DESC)",
    ),
    2: (
        # Where the long texts of the line are, see `rows`; NULL where it has all of them itself.
        "ALTER TABLE events ADD COLUMN outside TEXT",
        # Which blobs a session uses: what stands here is not swept.
        """
        CREATE TABLE blobs (
            session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            digest TEXT NOT NULL,
            PRIMARY KEY (session_id, digest)
        ) WITHOUT ROWID
        """,
        # A session that is being deleted: it is shown no more, and goes in pieces that hold nobody up.
        "ALTER TABLE sessions ADD COLUMN going INTEGER NOT NULL DEFAULT 0",
    ),
    3: (
        # The order in which sessions were last at work: a clock may be put back, and times with it.
        "ALTER TABLE sessions ADD COLUMN turn INTEGER NOT NULL DEFAULT 0",
        "UPDATE sessions SET turn = (SELECT count(*) FROM sessions AS s WHERE s.updated_at <= sessions.updated_at)",
        "CREATE INDEX sessions_by_turn ON sessions (turn DESC)",
    ),
}


def version_of(db: sqlite3.Connection) -> int:
    """The version of a database's tables. Raises ``sqlite3.Error``."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def refuse_newer(db: sqlite3.Connection, file: object) -> int:
    """The version of the tables. Raises ``StoreError`` where a newer Pygent has made them, ``sqlite3.Error``."""
    version = version_of(db)
    if version > VERSION:
        raise StoreError(f"{file} was written by a newer Pygent (version {version}); nothing was touched")
    return version


def bring_up(db: sqlite3.Connection, file: object) -> None:
    """Make the tables, or bring those of an older version up to date, in one transaction.

    Raises ``StoreError`` where they are newer, ``sqlite3.Error``.
    """
    if refuse_newer(db, file) == VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for version in range(refuse_newer(db, file) + 1, VERSION + 1):  # another process may have done it meanwhile
            for statement in _STEPS[version]:
                db.execute(statement)
        db.execute(f"PRAGMA user_version={VERSION}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
