"""`kill -9` at random moments: no acknowledged event is lost, and the session goes on.

With ``--long`` it is 500 moments; ``-s`` shows what came of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.events import ToolFinished
from tests.core.changed_trees import quick_folder
from tests.e2e.killing import KilledSession, Killer, Moment
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
        yield pygents


@pytest.fixture
def killer(folder: Path, pygents: Pygents, request: pytest.FixtureRequest) -> Killer:
    killer = Killer(folder / request.node.name, pygents)
    killer.learn()
    return killer


@pytest.mark.parametrize("part", range(PARTS))
def test_a_session_outlives_kills_at_random_moments(killer: Killer, part: int, pytestconfig: pytest.Config) -> None:
    count = (LONG_KILLS if pytestconfig.getoption("--long") else KILLS) // PARTS
    killer.kill(count - AFRESH, seed=part)
    killer.kill(AFRESH, seed=part, afresh=True)
    figures = killer.figures
    print(f"\n{figures.told()}")
    assert figures.kills == count
    assert figures.events > 20 * count
    assert figures.lost_tasks > count // 20  # else the moments were none of those that matter


def test_two_go_on_with_a_killed_session_in_the_same_moment(killer: Killer, folder: Path, pygents: Pygents) -> None:
    with KilledSession(folder / "twice", pygents) as session:
        for line in (60, 90):
            assert session.live(Moment(line, 0.0)).end == -9
            session.check_kill()
            said = session.live_twice()
            assert "another Pygent" in said
            session.check_end()


def test_a_clock_that_jumps_back_and_forth_loses_nothing(killer: Killer, folder: Path, pygents: Pygents) -> None:
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
