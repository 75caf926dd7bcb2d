"""Old sessions go by age and by size; what is open stays, and a clock that is wrong costs nothing."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pygent.bus import EventBus
from pygent.claims import claim
from pygent.events import Event, Notice, RunFinished, RunStarted, SessionStarted, ToolFinished, stamp
from pygent.retention import DAY, Limits, tidy, told
from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from pygent.upkeep import Upkeep
from tests.fakes.models import ScriptedModel, say


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        yield store


def keep(store: Store, name: str, days: float, output: str = "short") -> None:
    """Store a session that was last at work so many days ago."""
    for seq, event in enumerate(
        [
            SessionStarted(model="m", persona="p", workspace="/w", sandbox="local", version="0"),
            RunStarted(prompt=f"prompt of {name}"),
            ToolFinished(call_id="c", status="ok", output=output),
        ],
        start=1,
    ):
        store.append(stamp(event, seq=seq, at=time.time() - days * DAY, session_id=name))


def names(store: Store) -> list[str]:
    return [one.id for one in store.sessions()]


def until(true: Callable[[], Any], seconds: float = 20.0) -> None:
    end_by = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_by, "it did not come in time"
        time.sleep(0.01)


def test_what_is_too_old_goes_and_what_is_open_stays(store: Store, tmp_path: Path) -> None:
    for name, days in (("elsewhere", 60), ("open", 50), ("old", 40), ("young", 20), ("new", 0)):
        keep(store, name, days)
    store.search("prompt")
    code = (
        "import sys\nfrom pathlib import Path\nfrom pygent.claims import claim\n"
        "kept = claim(Path(sys.argv[1]), 'elsewhere')\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    with (
        claim(tmp_path / "open", "open"),
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "open")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        limits = Limits(days=30)
        gone = tidy(store, tmp_path / "open", limits)
        assert [one.id for one in gone] == ["old"]
        assert told(gone, limits).startswith("1 session was removed, the oldest: they are kept for 30 days (sess")
        assert names(store) == ["new", "young", "open", "elsewhere"]
        other.communicate("")
    assert [one.id for one in tidy(store, tmp_path / "open", Limits(days=30))] == ["elsewhere", "open"]
    assert [one.id for one in store.search("prompt")] == ["new", "young"]
    assert tidy(store, tmp_path / "open", Limits()) == []


def test_the_oldest_go_until_all_fit(store: Store, tmp_path: Path) -> None:
    shared = "s" * 600_000
    for number in range(6):
        keep(store, f"s{number}", 10 - number, f"{number}" * 400_000 if number % 2 else shared)
    for file in store.blobs.folder.rglob("*"):
        os.utime(file, (1, 1))
    assert store.size() > 1_800_000
    assert tidy(store, tmp_path / "open", Limits(days=30, size=1_900_000)) == []
    gone = tidy(store, tmp_path / "open", Limits(size=1_100_000))
    assert [one.id for one in gone] == ["s0", "s1", "s2", "s3"]
    assert names(store) == ["s5", "s4"]
    assert store.blobs.size() == 600_000 + 400_000
    assert [event.output for event in store.events("s4") if isinstance(event, ToolFinished)] == [shared]


def test_the_disk_gets_its_room_back(store: Store, tmp_path: Path) -> None:
    for name, days in (("old", 40), ("new", 0)):  # in the order in which they were at work
        for seq in range(400):
            at = time.time() - days * DAY
            store.append(stamp(RunStarted(prompt="x" * 8000), seq=seq, at=at, session_id=name))
    before = store.size()
    assert [one.id for one in tidy(store, tmp_path / "open", Limits(days=30))] == ["old"]
    assert store.size() < before * 0.6
    store.close()
    assert store.file.stat().st_size < before * 0.6


def test_what_was_last_at_work_is_not_old_because_the_clock_was_put_back(store: Store, tmp_path: Path) -> None:
    for name, days in (("first", 60), ("second", 3), ("put back", 4000), ("last", 1)):
        keep(store, name.replace(" ", "-"), days)
    assert [one.id for one in tidy(store, tmp_path / "open", Limits(days=30))] == ["first"]


def test_a_clock_that_runs_ahead_for_once_removes_nothing(store: Store, tmp_path: Path) -> None:
    keep(store, "a", -4000)  # was at work under a clock that ran ahead
    keep(store, "b", 2)
    assert tidy(store, tmp_path / "open", Limits(days=30)) == []
    store.delete("a")
    for name, days in (("b", 400), ("c", 390)):  # as they look to a clock that runs ahead now
        store.delete(name)
        keep(store, name, days)
    assert tidy(store, tmp_path / "open", Limits(days=30)) == []


def test_a_session_whose_clock_ran_ahead_goes_with_the_one_that_came_after_it(store: Store, tmp_path: Path) -> None:
    for name, days in (("first", 60.0), ("ahead", -4000.0), ("second", 2.0), ("newest", -300.0)):
        keep(store, name, days)
    assert [one.id for one in tidy(store, tmp_path / "open", Limits(days=30))] == ["first"]
    assert [one.id for one in tidy(store, tmp_path / "open", Limits(days=1))] == ["ahead", "second"]
    assert names(store) == ["newest"]  # which may be of today


def test_upkeep_tells_what_it_removed_and_prepares_searching(store: Store, tmp_path: Path) -> None:
    keep(store, "old", 40)
    keep(store, "new", 0)
    bus, seen = EventBus("live"), list[Event]()
    bus.subscribe(store.append, first=True)
    bus.subscribe(seen.append)
    upkeep = Upkeep(store, tmp_path / "open", Limits(days=30), bus.publish, pause=0.0)
    bus.subscribe(upkeep)
    upkeep.begin()
    until(lambda: any(isinstance(event, Notice) and "1 session was removed" in event.text for event in seen))
    assert names(store) == ["new"]
    index = tmp_path / "search.db"
    until(index.exists)
    bus.publish(RunStarted(prompt="one more"))
    bus.publish(ToolFinished(call_id="c", status="ok", output="a needle"))
    bus.publish(RunFinished(reason="completed"))
    until(lambda: store.ends() and dict(store.ends())["live"] == store.reached_by_search().get("live"))
    upkeep.close()
    assert [one.id for one in store.search("needle")] == ["live"]


def test_a_session_looks_after_the_store_as_its_settings_say(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path / "work", use_docker=False)
    settings = replace(settings, sessions_keep_days=0, sessions_keep_size=0)
    session = Session(settings, model=ScriptedModel([say("done")]), store=lambda: Store(tmp_path / "s.db"))
    session.open()
    began = time.monotonic()
    session.close()
    assert time.monotonic() - began < 4.0  # it does not wait for what was to come later
