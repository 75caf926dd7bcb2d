"""The open database, through what can happen to its file meanwhile: it is damaged, moved or removed."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pygent.store.base import StoreError
from pygent.store.opening import open_database
from pygent.store.recovery import LOOKED_AT, is_damaged, recover

log = logging.getLogger(__name__)


class MendedError(StoreError):
    """There is another database of that name than the one that was written to; it should be written to once more."""


class Connection:
    """The database in ``file``, opened. Methods may be called from any thread, and raise ``StoreError``.

    ``on_other`` is called where the connection is from then on to another file of that name. ``read_only`` says why
    nothing can be written, "" where it can.
    """

    def __init__(self, file: Path, patience: float, on_other: Callable[[], None]) -> None:
        self._file = file
        self._patience = patience
        self._on_other = on_other
        self._lock = threading.RLock()
        self._hear: Callable[[str], object] | None = None
        self._untold: list[str] = []
        self._place: tuple[int, int] = (0, 0)
        self._looked = 0.0
        self.read_only = ""
        try:
            self._db = self._open()
        except sqlite3.Error as error:
            if not is_damaged(error):
                raise StoreError(f"{file}: sessions cannot be stored: {error}") from error
            self._db = self._mend(error)

    def listen(self, hear: Callable[[str], object]) -> None:
        """Have it told, for people, where a damaged database was replaced, also before this."""
        self._hear = hear
        while self._untold:
            hear(self._untold.pop(0))

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query finds."""
        try:
            return self._rows(query, values)
        except MendedError:
            return self._rows(query, values)

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock, self._telling():
            self._check_place()
            return list(self._db.execute(query, values))

    def insert(self, statement: str, values: Sequence[object]) -> None:
        """A transaction of one statement; raises as ``writing`` does."""
        if self.read_only:
            raise StoreError(self.read_only)
        with self._lock, self._telling():
            self._db.execute(statement, values)
            self._check_place()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction. Raises ``sqlite3.IntegrityError`` too, and ``MendedError`` where to try again."""
        if self.read_only:
            raise StoreError(self.read_only)
        with self._lock, self._telling():
            db = self._db
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:  # some failures have ended it already
                    db.execute("ROLLBACK")
            self._check_place()

    def close(self) -> None:
        """Close the file. Later calls of other methods are errors."""
        with self._lock:
            self._place = (0, 0)
            self._db.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            if is_damaged(error) and not self.read_only:
                self._db = self._mend(error)
                raise MendedError(f"{self._file}: it was damaged, and is replaced") from error
            raise StoreError(f"{self._file}: {error}") from error

    def _check_place(self) -> None:
        """Go over to the file that has the name now: another process may have replaced a damaged one.

        Raises ``MendedError`` then. Looking costs a part of a write, so it is done once in ``LOOKED_AT`` seconds,
        after a write, and whoever replaces the file keeps all others from writing for longer than that.
        """
        now = time.monotonic()
        if now - self._looked < LOOKED_AT or self.read_only:
            return
        self._looked = now
        if self._place in ((0, 0), _place_of(self._file)):
            return
        log.warning("%s is another file than it was; it is opened anew", self._file)
        self._db.close()
        self._db = self._open()
        self._on_other()
        raise MendedError(f"{self._file}: there is another file of that name")

    def _open(self) -> sqlite3.Connection:
        db, self.read_only = open_database(self._file, self._patience)
        self._place, self._looked = _place_of(self._file), time.monotonic()
        return db

    def _mend(self, error: sqlite3.Error) -> sqlite3.Connection:
        log.info("%s: %s", self._file, error)
        if self._place != (0, 0):
            self._db.close()
        try:
            recovered = recover(self._file, self._patience)
            db = self._open()
        except (OSError, sqlite3.Error) as failure:
            raise StoreError(f"{self._file}: it is damaged ({error}), and cannot be replaced: {failure}") from failure
        self._on_other()
        if recovered is not None:
            self._untold.append(str(recovered))
            if self._hear is not None:
                self.listen(self._hear)
        return db


def _place_of(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (-1, -1)
    return (found.st_dev, found.st_ino)
