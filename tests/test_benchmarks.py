"""The measurements run; and the budgets that do not depend on the machine hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import bare_textual
from benchmarks.harness import Row, clean_environment, table, within
from benchmarks.terminal import start
from pygent import Agent, OpenAIModel, Runtime
from tests.fakes.openai_server import FakeOpenAI, reply

ROOT = Path(__file__).resolve().parents[1]


def test_a_part_can_be_measured_by_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "startup"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=100,
    )
    assert "| `pygent --version` |" in done.stdout
    assert "| `from pygent import Agent` |" in done.stdout


def test_a_row_says_whether_its_figure_is_met() -> None:
    rows = [
        within("this", "that", 0.010, 0.025, 3),
        within("this", "that", 0.010, 0.035, 3),
        Row("so", "", "", "", None),
    ]
    assert [line.rpartition(" |")[0].rpartition("| ")[2] for line in table(rows).splitlines()[2:]] == [
        "met",
        "**missed**",
        "",
    ]


def test_a_key_typed_before_the_start_is_waited_for() -> None:
    with clean_environment() as env:
        begun = start([sys.executable, bare_textual.__file__], env, env["HOME"])
    assert 0 < begun.first_frame <= begun.key_shown
    assert begun.memory > 10


def test_the_first_request_is_small(tmp_path: Path) -> None:
    with FakeOpenAI([reply("hello")]) as server:
        runtime = Runtime(use_docker=False, workspace=tmp_path)
        Agent(runtime, OpenAIModel(server.url, "none"), "small").step("hello")
        runtime.cleanup()
        assert len(server.requests[0]["tools"]) == 13
        assert len(server.bodies[0]) <= 6000
