"""The targets with inputs that Hypothesis makes: a few seconds each, minutes with ``--long``."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.core.changed_trees import quick_folder
from tests.fuzz.targets import TARGETS

EXAMPLES = {"paths": 1500, "texts": 4000, "arguments": 3000, "streams": 2500}
LONG = 60


@pytest.mark.hostile(1, 2, 3, 20, 21, 56, 64, 70)
@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes(name: str, pytestconfig: pytest.Config) -> None:
    many = EXAMPLES[name] * (LONG if pytestconfig.getoption("--long") else 1)

    @settings(
        max_examples=many,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.binary(max_size=300))
    def run(data: bytes) -> None:
        target(data)

    with quick_folder() as folder:
        target = TARGETS[name](folder)
        run()
