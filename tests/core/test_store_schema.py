"""Databases of other versions: an older one is brought up to date with all that is in it, a newer one not touched."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pygent.event_lines import to_line
from pygent.events import Event, RunStarted, SessionStarted, ToolFinished, stamp
from pygent.store import Store, StoreError
from pygent.store.schema import VERSION

VERSION_1 = """
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
PRAGMA user_version=1;
"""

EVENTS: list[Event] = [
    stamp(event, seq=seq, at=1_700_000_000.0 + seq, session_id="old")
    for seq, event in enumerate(
        [
            SessionStarted(model="m", persona="p", workspace="/w", sandbox="local", version="0"),
            RunStarted(prompt="mend it"),
            ToolFinished(call_id="c", status="ok", output="größe\n" * 10_000),
        ],
        start=1,
    )
]


def version_1(file: Path) -> None:
    """A database as the first version of Pygent made it, with a session in it."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(VERSION_1)
        db.execute("INSERT INTO sessions VALUES ('old', 'mend it', '/w', 'm', 1700000001.0, 1700000002.0)")
        for event in EVENTS:
            row = ("old", event.seq, event.type, to_line(event, compact=True))
            db.execute("INSERT INTO events (session_id, seq, type, line) VALUES (?, ?, ?, ?)", row)


def tables(file: Path) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(file)) as db:
        found = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        return [(name, " ".join(sql.split())) for name, sql in found]


def test_a_database_of_version_1_is_brought_up_to_date_with_all_that_is_in_it(tmp_path: Path) -> None:
    version_1(tmp_path / "s.db")
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        assert list(store.events("old")) == EVENTS
        (session,) = store.sessions()
        assert (session.title, session.workspace, session.events) == ("mend it", "/w", 3)
        more = stamp(ToolFinished(call_id="d", status="ok", output="x" * 50_000), seq=4, at=1.0, session_id="old")
        store.append(more)
        assert list(store.events("old")) == [*EVENTS, more]
    Store(tmp_path / "new.db").close()
    assert tables(tmp_path / "s.db") == tables(tmp_path / "new.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "s.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_old_pygent_that_has_the_database_open_can_go_on_writing(tmp_path: Path) -> None:
    version_1(tmp_path / "s.db")
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as old,
        contextlib.closing(Store(tmp_path / "s.db")) as store,
    ):
        event = stamp(RunStarted(prompt="on"), seq=4, at=1.0, session_id="old")
        row = ("old", 4, event.type, to_line(event))
        old.execute("INSERT INTO events (session_id, seq, type, line) VALUES (?, ?, ?, ?)", row)
        assert list(store.events("old")) == [*EVENTS, event]


def test_several_processes_bring_one_database_up_to_date_at_once(tmp_path: Path) -> None:
    version_1(tmp_path / "s.db")
    code = "import sys\nfrom pathlib import Path\nfrom pygent.store import Store\nsys.stdin.read()\n"
    code += "print(len(list(Store(Path(sys.argv[1])).events('old'))))"
    command = [sys.executable, "-c", code, str(tmp_path / "s.db")]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    time.sleep(0.5)  # so that they have all been imported: the nearer together they begin, the more this shows
    assert [process.communicate(timeout=60) for process in started] == [("3\n", "")] * 3


@pytest.mark.hostile(67)
def test_a_newer_database_is_told_and_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "data" / "s.db"
    Store(file).close()
    newer = sqlite3.connect(file, isolation_level=None)
    newer.execute("CREATE TABLE of_later (text)")
    newer.execute(f"PRAGMA user_version={VERSION + 1}")
    newer.close()
    # Its log is left as it is, too, as a kill leaves one behind.
    code = (
        "import os, sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute(\"INSERT INTO of_later VALUES ('kept in the log')\")\nos._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    before = {one.name: one.read_bytes() for one in file.parent.iterdir() if not one.name.endswith("-shm")}
    assert before["s.db-wal"]
    with pytest.raises(StoreError, match=r"s\.db was written by a newer Pygent \(version \d+\); nothing was touched"):
        Store(file)
    after = {one.name: one.read_bytes() for one in file.parent.iterdir() if not one.name.endswith("-shm")}
    assert after == before
