"""Events are in the store before anybody sees them, and a time without a store loses none of them."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.bus import EventBus
from pygent.events import Event, Notice, RunStarted
from pygent.recorder import Recorder
from pygent.session_log import SessionLog
from pygent.store import Store


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another connection writes for as long as this is open."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def until(true: Callable[[], Any], seconds: float = 20.0) -> None:
    end_by = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_by, "it did not come in time"
        time.sleep(0.005)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "s.db", patience=0.02)
    yield store
    store.close()


def recorded(store: Store, **options: Any) -> tuple[EventBus, Recorder, list[Event]]:
    bus = EventBus("s")
    recorder = Recorder(store, bus.publish, **{"pause": 0.02, **options})
    bus.subscribe(recorder)
    seen: list[Event] = []
    bus.subscribe(seen.append)
    return bus, recorder, seen


def notices(events: list[Event]) -> list[str]:
    return [f"{event.level}: {event.text}" for event in events if isinstance(event, Notice)]


def test_what_anybody_sees_is_stored_already(tmp_path: Path) -> None:
    bus = EventBus()
    other = Store(tmp_path / "s.db")
    missing: list[int] = []

    def look(event: Event) -> None:
        if other.last_seq(event.session_id) != event.seq:
            missing.append(event.seq)

    bus.subscribe(look)  # as a front end does, before the session is open
    log = SessionLog(bus, lambda: Store(tmp_path / "s.db"))
    log.open(None)
    for number in range(20):
        bus.publish(RunStarted(prompt=str(number)))
    assert missing == []
    log.close()
    other.close()


def test_a_locked_database_delays_events_and_loses_none(store: Store) -> None:
    bus, recorder, seen = recorded(store)
    bus.publish(RunStarted(prompt="before"))
    with locked(store.file):
        threads = [
            threading.Thread(target=lambda: [bus.publish(RunStarted(prompt="at once")) for _ in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(recorder.waiting("s")) == 201  # the notice, too
        (told,) = notices(seen)
        assert "kept in memory" in told
        assert str(store.file) in told
    until(lambda: len(notices(seen)) == 2)
    assert notices(seen)[1] == "info: Events are stored again, and so is what happened meanwhile."
    bus.publish(RunStarted(prompt="after"))
    assert list(store.events("s")) == seen
    assert [event.seq for event in seen] == list(range(1, 205))
    with locked(store.file):
        bus.publish(RunStarted(prompt="once more"))
    until(lambda: len(notices(seen)) == 4)
    assert list(store.events("s")) == seen
    recorder.close()


def test_what_waits_when_the_session_ends_is_written_then(store: Store) -> None:
    bus, recorder, seen = recorded(store, pause=600.0)
    with locked(store.file):
        bus.publish(RunStarted(prompt="first"))
    recorder.close()
    assert [event.type for event in store.events("s")] == ["run.started", "notice"]
    assert len(seen) == 3


def test_what_could_not_be_stored_to_the_end_is_told(store: Store) -> None:
    bus, recorder, seen = recorded(store, pause=600.0)
    with locked(store.file):
        bus.publish(RunStarted(prompt="first"))
        recorder.close()
    assert len(notices(seen)) == 2
    assert notices(seen)[1].startswith("error: 2 events at the end of this session could not be stored: ")
    assert "locked" in notices(seen)[1]


def test_memory_for_what_waits_has_a_limit(store: Store) -> None:
    bus, recorder, seen = recorded(store, room=5_000)
    with locked(store.file):
        for number in range(100):
            bus.publish(RunStarted(prompt=f"{number} " + "x" * 500))
        kept = len(recorder.waiting("s"))
        assert 5 <= kept <= 8
    until(lambda: len(notices(seen)) == 2)
    assert f"except for {101 - kept} events for which there was no room" in notices(seen)[1]
    stored = list(store.events("s"))
    assert stored[:-1] == [event for event in seen if event.seq > 101 - kept][:-1]
    recorder.close()


def test_where_another_one_writes_the_same_session_it_is_left_to_that(store: Store) -> None:
    bus, recorder, seen = recorded(store)
    bus.publish(RunStarted(prompt="mine"))
    other = EventBus("s")  # on a file system without locks
    other.go_on_after(1)
    other.subscribe(store.append)
    other.publish(RunStarted(prompt="theirs"))
    bus.publish(RunStarted(prompt="mine, too"))
    bus.publish(RunStarted(prompt="and this"))
    (told,) = notices(seen)
    assert told.startswith("error: From here on this session is not stored: ")
    recorder.close()
    assert [event.prompt for event in store.events("s") if isinstance(event, RunStarted)] == ["mine", "theirs"]


def test_the_session_s_own_events_are_whole_meanwhile(tmp_path: Path) -> None:
    bus = EventBus()
    log = SessionLog(bus, lambda: Store(tmp_path / "s.db", patience=0.02))
    log.open(None)
    bus.publish(RunStarted(prompt="one"))
    with locked(tmp_path / "s.db"):
        bus.publish(RunStarted(prompt="two"))
        prompts = [event.prompt for event in log.events() if isinstance(event, RunStarted)]
    assert prompts == ["one", "two"]
    log.close()


FULL = """
import resource, signal, sys
from pathlib import Path
from pygent.bus import EventBus
from pygent.events import Notice, RunStarted
from pygent.recorder import Recorder
from pygent.store import Store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
bus, store, seen = EventBus("s"), Store(Path(sys.argv[1])), []
recorder = Recorder(store, bus.publish, pause=0.02)
bus.subscribe(recorder)
bus.subscribe(seen.append)
bus.publish(RunStarted(prompt="before"))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # what a full disk is to a write
for number in range(40):
    bus.publish(RunStarted(prompt=str(number) + "x" * 10_000))
assert len(recorder.waiting("s")) > 20, len(recorder.waiting("s"))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
recorder.close()
assert list(store.events("s")) == seen[:-1], (len(list(store.events("s"))), len(seen))
assert [type(event) for event in seen if isinstance(event, Notice)] == [Notice, Notice], seen
store.close()
"""


@pytest.mark.hostile(67)
def test_a_full_disk_delays_events_and_loses_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "s.db")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    db = sqlite3.connect(tmp_path / "s.db")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
