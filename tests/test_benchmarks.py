"""The measurements run; and the budgets that do not depend on the machine hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import bare_textual, big_folder, children, copies, crowd, floods, history, store, streaming
from benchmarks.harness import Row, clean_environment, table, within
from benchmarks.picture import Picture
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
        assert len(server.requests[0]["tools"]) == 16
        assert len(server.bodies[0]) <= 6000


def test_typing_is_measured_while_an_answer_streams() -> None:
    rows = list(streaming.measure(count=100, rate=200))
    assert len(rows) == 3
    assert all("ms" in row.pygent or "cores" in row.pygent for row in rows)


def test_a_long_conversation_is_measured() -> None:
    rows = list(history.measure(messages=60, short=20, seconds=0.5))
    assert not [row for row in rows if "failed" in row.pygent]
    assert [row.what.split()[0] for row in rows[-3:]] == ["PageUp", "Home", "End"]


def test_the_store_is_measured() -> None:
    rows = [*store.appending(60), *store.searching(sessions=3, events=40)]
    assert len(rows) == 5
    assert all("s" in row.pygent for row in rows)


def test_floods_tasks_and_folders_are_measured() -> None:
    rows = [
        *floods.measure({"lines": "seq 1000; sleep 0.2"}, "sleep 0.2", 0.2),
        *crowd.measure(tasks=2, rate=20, seconds=1),
        *big_folder.measure(files=300, repeats=1, seconds=0.6),
    ]
    assert not [row for row in rows if "failed" in row.pygent]


def test_tasks_and_their_copies_are_measured() -> None:
    rows = [
        *copies.measure(files=120, changed=30, repeats=1),
        *children.measure(children=3, beside=2, own=80, repeats=1, pause=0.1),
    ]
    assert len(rows) == 5
    assert not [row for row in rows if "not measured" in row.pygent]


def test_a_picture_is_told_from_what_is_written() -> None:
    picture = Picture(20, 3)
    written = "\x1b[2J\x1b[2;3H\x1b[1mhéllo\x1b[0m there\x1b[1;1H\x1b]0;title\x07top\x1b[2;3HJ".encode()
    for start_at in range(0, len(written), 5):
        picture.feed(written[start_at : start_at + 5])
    assert picture.text.split("\n") == ["top", "  Jéllo there", ""]
