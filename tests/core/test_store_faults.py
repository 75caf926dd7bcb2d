"""What can happen to the store: damage, a disk that is full or cannot be written, locks, kills, clocks."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

import pygent
from pygent.commands import sessions as command
from pygent.events import Event, Notice, RunStarted, SessionStarted, ToolFinished, stamp
from pygent.scratch import own_folder
from pygent.session import Session
from pygent.settings import Settings, data_dir
from pygent.store import Store, StoreError
from pygent.store.recovery import LOOKED_AT
from tests.fakes.models import ScriptedModel, call

Events = dict[str, list[Event]]

DONE = call(("stop", {}), text="done")


def fill(file: Path, sessions: int = 6, events: int = 80, *, at: float = 1_700_000_000.0) -> Events:
    """Store sessions with events of all sizes."""
    draw = random.Random(3)
    kept: Events = {}
    with contextlib.closing(Store(file)) as store:
        for number in range(sessions):
            name = f"{number:032x}"
            made: list[Event] = [
                SessionStarted(model="m", persona="p", workspace="/w", sandbox="local", version="0"),
                RunStarted(prompt=f"prompt {number}"),
            ]
            for seq in range(events - 2):
                text = "größe " * 4_000 if seq == 50 else draw.choice([1, 20, 150, 900, 2_500])
                made.append(ToolFinished(call_id=f"c{seq}", status="ok", output=f"{seq} {text}"))
            kept[name] = [
                stamp(event, seq=seq, at=at + number, session_id=name) for seq, event in enumerate(made, start=1)
            ]
            store.append_all(kept[name])
            store.rename(name, f"title {number}")
    return kept


def read(store: Store, kept: Events) -> Events:
    return {name: list(store.events(name)) for name in kept}


def whole(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def asides(file: Path) -> list[str]:
    return sorted(one.name for one in file.parent.glob("*.damaged-*.db"))


def damage(file: Path, at: int, length: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(random.Random(1).randbytes(length))


def test_of_a_page_that_is_damaged_in_the_middle_only_its_rows_are_lost(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    kept = fill(file)
    pages = file.stat().st_size // 4096
    damage(file, pages // 2 * 4096, 4096)
    told: list[str] = []
    with contextlib.closing(Store(file)) as store:
        store.listen(told.append)
        found = read(store, kept)
        total = sum(len(events) for events in kept.values())
        left = sum(len(events) for events in found.values())
        assert total - 40 < left < total
        assert all(set(map(repr, found[name])) <= set(map(repr, kept[name])) for name in kept)
        assert sorted(one.title for one in store.sessions()) == [f"title {number}" for number in range(6)]
        (aside,) = asides(file)
        (text,) = told
        assert f"was damaged: {left} events of 6 sessions could be read and are in a new one" in text
        assert str(tmp_path / aside) in text
        store.append(stamp(RunStarted(prompt="on"), seq=500, at=1.0, session_id=f"{0:032x}"))
        assert store.last_seq(f"{0:032x}") == 500
        assert len(store.search("title")) == 6
    whole(file)


@pytest.mark.hostile(67)
@pytest.mark.parametrize("how", ["no header", "cut in half", "cut to nothing readable", "an inner page", "no tables"])
def test_whatever_can_be_read_of_a_damaged_database_is_recovered(tmp_path: Path, how: str) -> None:
    file = tmp_path / "s.db"
    kept = fill(file)
    size = file.stat().st_size
    least = 0.9
    with contextlib.closing(sqlite3.connect(file)) as db:
        used = {digest for (digest,) in db.execute("SELECT digest FROM blobs")}
        if how == "no header":  # what was noted of blobs is lost, too: the events tell it
            db.execute("DELETE FROM blobs")
            db.commit()
    if how == "no header":
        damage(file, 0, 100)
    elif how == "cut in half":
        os.truncate(file, size // 2)
        least = 0.2
    elif how == "cut to nothing readable":
        os.truncate(file, 77)
        least = 0.0
    elif how == "no tables":
        damage(file, 100, 3996)
    else:
        inner = next(
            number for number in range(2, size // 4096) if file.read_bytes()[number * 4096] == 0x02
        )  # of the events' tree
        damage(file, inner * 4096, 4096)
    with contextlib.closing(Store(file)) as store:
        found = read(store, kept)
        total = sum(len(events) for events in kept.values())
        assert sum(len(events) for events in found.values()) >= total * least
        assert all(set(map(repr, found[name])) <= set(map(repr, kept[name])) for name in kept)
        if least > 0.5:
            assert store.used_blobs() == used != set()
            assert sorted(one.title for one in store.sessions()) == [f"title {number}" for number in range(6)]
        assert len(asides(file)) == 1
    whole(file)
    with contextlib.closing(Store(file)) as store:
        assert read(store, kept) == found
        assert len(asides(file)) == 1


def test_halves_of_surrogate_pairs_stop_no_recovery(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    with contextlib.closing(Store(file)) as store:
        store.append(stamp(RunStarted(prompt="hi \udcff"), seq=1, at=1.0, session_id="s" * 32))
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("DELETE FROM sessions")  # as where its page is the damaged one
        db.commit()
    damage(file, 0, 100)
    with contextlib.closing(Store(file)) as store:
        assert [one.title for one in store.sessions()] == ["hi ?"]
        assert [event.seq for event in store.events("s" * 32)] == [1]
    whole(file)


def test_what_only_the_log_of_a_killed_process_has_is_recovered_too(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    fill(file, 1, 10)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom tests.core.test_store_faults import *\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for seq in range(11, 200):\n"
        "    store.append(stamp(RunStarted(prompt=f'{seq}' * 100), seq=seq, at=1.0, session_id='0' * 32))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=False)
    assert Path(f"{file}-wal").stat().st_size > 10_000
    copy = tmp_path / "copy" / "s.db"
    copy.parent.mkdir()
    for end in ("", "-wal"):
        shutil.copyfile(f"{file}{end}", f"{copy}{end}")
    with contextlib.closing(Store(file)) as store:  # as it is, SQLite reads it
        assert [event.seq for event in store.events("0" * 32)] == list(range(1, 200))
        assert asides(file) == []
    whole(file)
    damage(copy, 0, 100)
    with contextlib.closing(Store(copy)) as store:  # and with a damaged database beside it, we do
        assert [event.seq for event in store.events("0" * 32)] == list(range(1, 200))
    whole(copy)


@pytest.mark.hostile(67)
def test_a_session_at_work_goes_on_where_its_database_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    fill(file)
    settings = Settings(workspace=tmp_path / "work", use_docker=False)
    seen: list[Event] = []
    session = Session(settings, model=ScriptedModel([DONE, DONE]), store=lambda: Store(file))
    session.subscribe(seen.append)
    session.open()
    other = Store(file)  # another Pygent has it open as well
    session.run("first")
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(file, 0, file.stat().st_size)
    session.run("second")
    session.close()
    notices = [event.text for event in seen if isinstance(event, Notice) and event.level == "error"]
    assert [text for text in notices if "was damaged" in text and asides(file)[0] in text], notices
    other.append(stamp(RunStarted(prompt="elsewhere"), seq=1, at=1.0, session_id="e" * 32))
    other.close()
    with contextlib.closing(Store(file)) as store:
        stored = list(store.events(session.id))
        assert stored
        assert [event for event in seen if event.durable][-len(stored) :] == stored
        assert "second" in [event.prompt for event in stored if isinstance(event, RunStarted)]
        assert [one.title for one in store.sessions() if one.id == "e" * 32] == ["elsewhere"]
    whole(file)
    assert len(asides(file)) == 1


def test_a_database_that_was_removed_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    with contextlib.closing(Store(file)) as store:
        store.append(stamp(RunStarted(prompt="one"), seq=1, at=1.0, session_id="s"))
        for end in ("", "-wal", "-shm"):
            Path(f"{file}{end}").unlink(missing_ok=True)
        time.sleep(LOOKED_AT)
        store.append(stamp(RunStarted(prompt="two"), seq=2, at=1.0, session_id="s"))
        assert [event.seq for event in store.events("s")] == [2]
    whole(file)


def load_all() -> None:
    """Load all of Pygent and what a session needs: not everybody may read this Python."""
    for module in pkgutil.walk_packages(pygent.__path__, "pygent.", onerror=lambda _: None):
        with contextlib.suppress(ImportError):  # what an extra brings
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(
            Settings(ephemeral=True, use_docker=False),
            model=ScriptedModel([DONE]),
            store=lambda: Store(Path(folder, "s.db")),
        )
        session.open()
        session.run("hello")
        session.close()


def become_nobody() -> None:
    """Give up the rights of root, in a process of its own."""
    load_all()
    if os.getuid() == 0:
        for one in (own_folder(), *own_folder().rglob("*")):
            os.chown(one, 65534, 65534)
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def as_nobody(code: str, *words: object) -> str:
    """Run code in a process that may write what everybody may, and answer what it prints."""
    head = "import sys\nfrom pathlib import Path\nfrom tests.core.test_store_faults import *\nbecome_nobody()\n"
    done = subprocess.run(
        [sys.executable, "-c", head + code, *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


READ_ONLY = """
closed, logged = map(Path, sys.argv[1:])
for file, data in ((closed, closed.parent), (logged, logged.parents[1] / "hidden")):
    os.environ["XDG_DATA_HOME"] = str(data)  # what else is kept cannot be written, or not even be looked at
    store = Store(file)
    print(len(list(store.events("0" * 32))), len(store.search("title")), store.read_only)
    try:
        store.append(stamp(RunStarted(prompt="x"), seq=99, at=1.0, session_id="0" * 32))
    except StoreError as error:
        print(error)
    store.close()
    for resume in (None, "0" * 32):
        seen = []
        settings = Settings(ephemeral=True, use_docker=False, local_sandbox="off")
        session = Session(settings, model=ScriptedModel([DONE]), store=lambda: Store(file), resume=resume)
        session.subscribe(seen.append)
        session.open()
        print(len(session.past), session.run("hello").reason, session.is_stored)
        print([event.text for event in seen if isinstance(event, Notice)][0])
        session.close()
"""


@pytest.mark.hostile(67)
def test_where_the_data_folder_cannot_be_written_the_past_can_be_read() -> None:
    with tempfile.TemporaryDirectory(prefix="pygent-read-only-") as folder:
        Path(folder).chmod(0o755)
        closed, logged = Path(folder, "closed", "s.db"), Path(folder, "logged", "s.db")
        for file in (closed, logged):
            file.parent.mkdir()
            fill(file, 2, 10)
        with contextlib.closing(Store(logged)) as opened:  # its last event is in the log
            opened.append(stamp(RunStarted(prompt="more"), seq=11, at=1.0, session_id=f"{0:032x}"))
            Path(folder, "hidden").mkdir(mode=0)
            for one in (*closed.parent.rglob("*"), *logged.parent.rglob("*"), closed.parent, logged.parent):
                one.chmod(0o555 if one.is_dir() else 0o444)
            lines = as_nobody(READ_ONLY, closed, logged).splitlines()
            for file in (closed, logged):
                file.parent.chmod(0o755)
            Path(folder, "hidden").chmod(0o755)
        for file, count, shown in ((closed, 10, lines[:6]), (logged, 11, lines[6:])):
            why = f"{file}: sessions cannot be stored: "
            assert shown[0].startswith(f"{count} 2 {why}")
            assert shown[1] == shown[0].partition(" 2 ")[2]
            assert shown[2] == "0 stopped False"
            assert shown[3].startswith(f"This session is not stored: {why}")
            assert shown[4].endswith(" stopped False")
            assert int(shown[4].split()[0]) >= count  # and what ends what was left open
            assert shown[5] == shown[3]


FULL = """
mount -t tmpfs -o size=4m none "$1" || exit 77
exec "$2" -c '
import os, sys, time
from pathlib import Path
from tests.core.test_store_faults import *
folder = Path(sys.argv[1])
seen = []
model = ScriptedModel([call(("stop", {}), text="x" * 3_000)] * 8)
session = Session(Settings(ephemeral=True, use_docker=False), model=model, store=lambda: Store(folder / "s.db"))
session.subscribe(seen.append)
session.open()
filler = (folder / "filler").open("wb", buffering=0)
try:
    while True:
        filler.write(b"x" * 4096)
except OSError as error:
    print(error.strerror)
for number in range(8):
    assert session.run("y" * 3_000).reason == "stopped"
told = [event.text for event in seen if isinstance(event, Notice)]
print(told[0])
filler.close()
(folder / "filler").unlink()
session.close()
with contextlib.closing(Store(folder / "s.db")) as store:
    stored = list(store.events(session.id))
    assert stored == [event for event in seen if event.durable][: len(stored)], "they are the first, in order"
    print(len([event for event in seen if event.durable]) - len(stored))
whole(folder / "s.db")
' "$1"
"""


@pytest.mark.hostile(67)
def test_a_full_disk_loses_nothing_once_it_has_room_again(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    command_line = ["unshare", "-rm", "sh", "-c", FULL, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(command_line, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("a file system cannot be mounted here")
    assert done.returncode == 0, done.stderr
    first, told, lost = done.stdout.splitlines()
    assert first == "No space left on device"
    assert "database or disk is full" in told
    assert "kept in memory" in told
    assert int(lost) <= 1  # the last notice tells that all is stored


def hold(file: Path, seconds: float) -> subprocess.Popen[str]:
    """Another process that holds the database locked; it has it when this returns."""
    code = (
        "import sqlite3, sys, time\ndb = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('BEGIN IMMEDIATE')\nprint('held', flush=True)\ntime.sleep(float(sys.argv[2]))\n"
        "db.execute('ROLLBACK')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(file), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_that_ends_in_time_is_waited_for_and_a_longer_one_is_told(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "s.db", patience=30.0)) as store:
        with hold(store.file, 0.3):
            store.append(stamp(RunStarted(prompt="waits"), seq=1, at=1.0, session_id="s"))
        assert store.last_seq("s") == 1
    with contextlib.closing(Store(tmp_path / "s.db", patience=0.05)) as store, hold(tmp_path / "s.db", 60.0) as other:
        with pytest.raises(StoreError, match=r"s\.db: database is locked"):
            store.append(stamp(RunStarted(prompt="does not"), seq=2, at=1.0, session_id="s"))
        assert store.last_seq("s") == 1  # it can be read all the while
        with contextlib.closing(Store(tmp_path / "s.db", patience=0.05)) as third:  # and opened
            assert third.sessions()[0].title == "waits"
        other.kill()


def test_a_clock_that_jumps_back_changes_no_order(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        now = time.time()
        for name, moments in (("a", (now, now - 50_000.0)), ("b", (now - 90_000.0, now - 80_000.0))):
            for seq, moment in enumerate(moments, start=1):
                store.append(stamp(RunStarted(prompt=f"{name}{seq}"), seq=seq, at=moment, session_id=name))
        assert [one.id for one in store.sessions()] == ["b", "a"]  # --continue goes on with what was last at work
        assert [event.prompt for event in store.events("a") if isinstance(event, RunStarted)] == ["a1", "a2"]
        store.append(stamp(RunStarted(prompt="a3"), seq=3, at=5.0, session_id="a"))
        assert [one.id for one in store.sessions()] == ["a", "b"]


def test_the_command_tells_where_a_damaged_database_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    file = data_dir() / command.DATABASE
    fill(file, 2, 30)
    damage(file, 0, 50)
    assert command.main(["list"]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 2
    assert "pygent: The database of sessions was damaged: 60 events of 2 sessions could be read" in shown.err
    assert str(data_dir() / asides(file)[0]) in shown.err


@pytest.mark.hostile(65, 67)
def test_two_processes_that_meet_a_damaged_database_replace_it_once(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    kept = fill(file, 3, 60)
    damage(file, 0, 100)
    counts: list[int] = []

    def look() -> None:
        with contextlib.closing(Store(file)) as store:
            counts.append(sum(len(events) for events in read(store, kept).values()))

    code = (
        "import sys\nfrom pathlib import Path\nfrom pygent.store import Store\nsys.stdin.read()\n"
        "print(len(list(Store(Path(sys.argv[1])).events('0' * 32))))"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert other.communicate("", timeout=60)[0] == "60\n"
    for thread in threads:
        thread.join()
    assert counts == [180, 180]
    assert len(asides(file)) == 1
    whole(file)
