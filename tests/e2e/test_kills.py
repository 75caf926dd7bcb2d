"""`kill -9` at random moments: no acknowledged event is lost, and the session goes on.

With ``--long`` it is 500 moments; ``-s`` shows what came of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.changed_trees import quick_folder
from tests.e2e.killing import Killer
from tests.fakes.pygents import Pygents

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
