"""Opening the file of the database, so that a newer one is not touched and one that cannot be written can be read."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from pygent.store.base import StoreError
from pygent.store.schema import VERSION, bring_up, refuse_newer, version_of

BUSY_SECONDS = 5.0
"""How long a call waits for another process that holds the database locked."""


def open_database(file: Path, patience: float) -> tuple[sqlite3.Connection, str]:
    """The database, up to date, and why it can only be read, "" where it can be written.

    Raises ``StoreError`` where it was written by a newer Pygent, or can be neither written nor read, and
    ``sqlite3.DatabaseError`` where it is damaged.
    """
    try:
        create_private(file)
        _check_writable(file)
    except OSError as error:
        return _read_only(file, error.strerror or str(error), patience)
    _look(file, patience)
    db = _connect(str(file), patience)
    try:
        if not version_of(db):
            db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # counts for a new file only
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA foreign_keys=ON")
        bring_up(db, file)
    except sqlite3.OperationalError as error:
        db.close()
        if "readonly" not in str(error) and "unable to open" not in str(error):
            raise StoreError(f"{file}: sessions cannot be stored: {error}") from error
        return _read_only(file, str(error), patience)
    except BaseException:
        db.close()
        raise
    return db, ""


def create_private(file: Path) -> None:
    """Make a file that only its owner reads, and its folder, where they are not there. Raises ``OSError``.

    One that is there is not opened: closing it would give up the locks that this process has on it.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _check_writable(file: Path) -> None:
    """Raises ``OSError``, whose text names what cannot be written."""
    for place in (file.parent, file):
        if not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, f"{place.name} cannot be written")


def _look(file: Path, patience: float) -> None:
    """Refuse a newer database through a connection that could not write; any other trouble shows later."""
    if not file.stat().st_size:
        return
    try:
        db = _connect(_uri(file, "mode=ro"), patience, uri=True)
    except sqlite3.Error:
        return
    try:
        refuse_newer(db, file)
    except sqlite3.Error:
        pass
    finally:
        db.close()


def _read_only(file: Path, why: str, patience: float) -> tuple[sqlite3.Connection, str]:
    """The database to read from. Raises ``StoreError`` where it cannot be, which also tells why it is not written."""
    problem = f"{file}: sessions cannot be stored: {why}"
    wal = Path(f"{file}-wal")
    # In a folder that cannot be written, a database without a log can only be read as a file that nobody changes.
    modes = ("mode=ro",) if _holds_something(wal) else ("mode=ro", "mode=ro&immutable=1")
    for mode in modes:
        try:
            db = _connect(_uri(file, mode), patience, uri=True)
        except sqlite3.Error:
            continue
        try:
            if refuse_newer(db, file) == VERSION:
                return db, problem
        except sqlite3.Error:
            pass
        except BaseException:
            db.close()
            raise
        db.close()
    raise StoreError(problem)


def _holds_something(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def _uri(file: Path, query: str) -> str:
    return f"file:{quote(os.fsencode(file.absolute()))}?{query}"


def files_of(file: Path) -> tuple[Path, Path, Path]:
    """A database, its log and the log's index."""
    return file, Path(f"{file}-wal"), Path(f"{file}-shm")


def _connect(name: str, patience: float, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(name, timeout=patience, check_same_thread=False, isolation_level=None, uri=uri)
