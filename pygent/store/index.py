"""The full-text index of what was said, in a file of its own beside the database.

It is made of the database and can be made again at any time, so it may be deleted; and since it is a file of its own,
no event that is being stored waits for it. The texts themselves do not stand in it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pygent.store.opening import create_private, files_of
from pygent.store.words import Term, expression, indexable

log = logging.getLogger(__name__)

FILE = "search.db"
VERSION = 1

_TABLES = (
    # `number` is never used twice: what an index still has of a session that is gone is nobody's then.
    """
    CREATE TABLE indexed (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT NOT NULL UNIQUE,
        seq INTEGER NOT NULL DEFAULT 0
    )
    """,
    # What comes in is so that this makes of it the words of `words`; `rowid` is number and seq.
    "CREATE VIRTUAL TABLE said USING fts5(words, content='', columnsize=0, tokenize='ascii')",
    f"PRAGMA user_version={VERSION}",
)
MERGED = 500
"""Pages that are merged, or given back to the disk, at once."""

_SEQ_BITS = 32
_SEQ_MASK = (1 << _SEQ_BITS) - 1

Text = tuple[int, str]
"""The number of an event, and what was said in it."""


class IndexUnusableError(Exception):
    """This index cannot be used, and why. What it finds has to be found without it."""


class Index:
    """The index in ``file``, made where there is none. ``patience`` in seconds is as for the store.

    One that is damaged, or of another version, is begun anew. Methods may be called from any thread. All raise
    ``IndexUnusableError``.
    """

    def __init__(self, file: Path, patience: float) -> None:
        self.file = file
        self._patience = patience
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None

    def reached(self) -> dict[str, int]:
        """The number of the last event that is in the index, by session."""
        with self._using() as db:
            return dict(db.execute("SELECT session_id, seq FROM indexed"))

    def add(self, session_id: str, texts: Sequence[Text], after: int, upto: int) -> bool:
        """Take up a session's texts of the events ``after`` one number ``upto`` another.

        Answers False, and does nothing, where somebody else has done so meanwhile.
        """
        with self._using() as db, _transaction(db):
            db.execute("INSERT OR IGNORE INTO indexed (session_id) VALUES (?)", (session_id,))
            number, seq = db.execute("SELECT number, seq FROM indexed WHERE session_id = ?", (session_id,)).fetchone()
            if seq != after:
                return False
            db.executemany("INSERT INTO said (rowid, words) VALUES (?, ?)", _rows(number, texts))
            db.execute("UPDATE indexed SET seq = ? WHERE number = ?", (upto, number))
            return True

    def remove(self, session_id: str, texts: Sequence[Text], down_to: int) -> None:
        """Forget a session's texts, which are those of its last events, from the number ``down_to`` on."""
        with self._using() as db, _transaction(db):
            found = db.execute("SELECT number, seq FROM indexed WHERE session_id = ?", (session_id,)).fetchone()
            if found is None:
                return
            number, seq = found
            there = [one for one in texts if one[0] <= seq]
            delete = "INSERT INTO said (said, rowid, words) VALUES ('delete', ?, ?)"
            db.executemany(delete, _rows(number, there))
            db.execute("UPDATE indexed SET seq = ? WHERE number = ?", (min(seq, down_to - 1), number))

    def forget(self, session_id: str) -> None:
        """Forget that there was such a session; ``remove`` has to have removed its texts."""
        with self._using() as db:
            db.execute("DELETE FROM indexed WHERE session_id = ?", (session_id,))

    def shrink(self) -> None:
        """Merge a piece of what was forgotten away, and give free room back to the disk."""
        with self._using() as db:
            if self.file.stat().st_size == 0:
                return
            with _transaction(db):
                db.execute("INSERT INTO said (said, rank) VALUES ('merge', ?)", (MERGED,))
            list(db.execute(f"PRAGMA incremental_vacuum({MERGED})"))

    def find(self, terms: Sequence[Term]) -> dict[str, tuple[int, int]]:
        """The sessions in which one event has all ``terms``: the last such event's number, and how many there are."""
        with self._using() as db:
            found = db.execute(
                "SELECT session_id, last, hits FROM (SELECT rowid >> ? AS number, max(rowid) & ? AS last,"
                " count(*) AS hits FROM said WHERE said MATCH ? GROUP BY 1) JOIN indexed USING (number)",
                (_SEQ_BITS, _SEQ_MASK, expression(terms)),
            )
            return {session_id: (last, hits) for session_id, last, hits in found}

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._db is None:
                    self._db = self._open()
                yield self._db
            except sqlite3.OperationalError as error:
                raise IndexUnusableError(_said(error)) from error
            except sqlite3.DatabaseError as error:
                self._begin_anew(error)
                raise IndexUnusableError(f"{self.file} was damaged and is begun anew") from error
            except OSError as error:
                raise IndexUnusableError(f"{self.file}: {error.strerror or error}") from error

    def _open(self) -> sqlite3.Connection:
        create_private(self.file)
        db = sqlite3.connect(self.file, timeout=self._patience, check_same_thread=False, isolation_level=None)
        try:
            self._make(db)
        except BaseException:
            db.close()
            raise
        return db

    def _make(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise IndexUnusableError(f"{self.file} was written by a newer Pygent")
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # counts for a new file
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        if version == VERSION:
            return
        with _transaction(db):
            if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:  # nobody else has just made it
                for statement in _TABLES:
                    db.execute(statement)

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        """Whoever has the damaged file open keeps on with it, and finds the new one when it is next started."""
        log.warning("%s is damaged and begun anew: %s", self.file, error)
        self.close()
        discard(self.file)


def discard(file: Path) -> None:
    """Remove an index, which is made again when it is needed. Raises ``OSError``."""
    for name in files_of(file):
        name.unlink(missing_ok=True)


def _rows(number: int, texts: Iterable[Text]) -> list[tuple[int, str]]:
    return [(number << _SEQ_BITS | seq, indexable(text)) for seq, text in texts]


def _said(error: sqlite3.OperationalError) -> str:
    text = str(error)
    return "this SQLite has no full-text search (FTS5)" if "no such module" in text else f"the index: {text}"


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
