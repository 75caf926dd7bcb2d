"""`kill -9` at random moments: no acknowledged event is lost, and the session goes on.

With ``--long`` it is 500 moments; ``-s`` shows what came of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.commands.sessions import open_store
from pygent.events import CheckpointMade, ToolFinished
from pygent.session import Session
from pygent.settings import Settings
from tests.core.changed_trees import quick_folder
from tests.e2e.killed_session import KilledSession, Moment
from tests.e2e.killing import Killer, learn
from tests.fakes.pygents import Pygents

pytestmark = pytest.mark.timeout(3_600)  # 500 take some minutes

KILLS, LONG_KILLS = 100, 500
PARTS = 2
AFRESH = 2
"""How many kills of each part are of a process that was started as a person starts it."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def pygents(folder: Path) -> Iterator[Pygents]:
    with Pygents(folder) as pygents:
        learn(pygents, folder)
        yield pygents


@pytest.mark.hostile(62)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_session_outlives_kills_at_random_moments(
    pygents: Pygents, folder: Path, part: int, pytestconfig: pytest.Config
) -> None:
    killer = Killer(folder / f"part-{part}", pygents)
    killer.measure()
    count = (LONG_KILLS if pytestconfig.getoption("--long") else KILLS) // PARTS
    killer.kill(count - AFRESH, seed=part)
    killer.kill(AFRESH, seed=part, afresh=True)
    figures = killer.figures
    print(f"\n{figures.told()}")
    assert figures.kills == count
    assert figures.events > 20 * count
    assert figures.lost_tasks > count // 20  # else the moments were none of those that matter


def test_what_killed_processes_changed_is_undone(
    pygents: Pygents, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with KilledSession(folder / "undone", pygents) as session:
        before = contents(session.folder)
        for line in (50, 75, 110):
            assert session.live(Moment(line, 0.0)).end == -9
            session.check_kill()
        assert session.live(None).end == 0
        for name, value in session.environment.items():
            monkeypatch.setenv(name, value)
        settings = Settings(workspace=session.folder, use_docker=False)
        again = Session(settings, model=object(), store=open_store, resume=session.id)
        again.open()
        try:
            after = contents(session.folder)
            steps = [event for event in session.events if isinstance(event, CheckpointMade)]
            paths = {path for event in steps for path in event.paths}
            assert {"shared.txt", "of-life-1.txt", "of-life-4.txt"} <= paths
            undone = again.restore(again.offer_undo(len(steps)))
            now, left = contents(session.folder), {path for path, _ in undone.left}
            # A command that was killed has no end: what it changed is nobody's, and what somebody changed stays.
            assert {path: now.get(path) for path in paths - left} == {path: before.get(path) for path in paths - left}
            assert left <= {"pid.txt", "d", "part.txt"}, undone.left
            again.restore(again.offer_redo())
            assert contents(session.folder) == after
        finally:
            again.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.hostile(65)
def test_two_go_on_with_a_killed_session_in_the_same_moment(pygents: Pygents, folder: Path) -> None:
    with KilledSession(folder / "twice", pygents) as session:
        for line in (60, 90):
            assert session.live(Moment(line, 0.0)).end == -9
            session.check_kill()
            said = session.live_twice()
            assert "another Pygent" in said
            session.check_end()


def test_a_clock_that_jumps_back_and_forth_loses_nothing(pygents: Pygents, folder: Path) -> None:
    hour = 3_600.0
    with KilledSession(folder / "clock", pygents) as session:
        assert session.live(None, jump=(60, -26 * hour)).end == 0
        times = [event.at for event in session.events]
        assert min(times) < times[0] - 25 * hour  # it has jumped, in the middle
        assert times.index(min(times)) > 5
        session.check_end()
        assert session.live(Moment(70, 0.0), jump=(40, 900 * hour)).end == -9
        session.check_kill()
        assert session.live(None, jump=(30, -5_000 * hour)).end == 0
        session.check_end()
        tools = [event.seconds for event in session.events if isinstance(event, ToolFinished)]
        assert all(0 <= seconds < 60 for seconds in tools)
