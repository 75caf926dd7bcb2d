"""`pygent -p` that stops while its tasks run: it waits for them and goes on with what they report, or ends them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.events import from_dict
from pygent.tasks.place import places
from tests.fakes.invariants import check_events
from tests.fakes.openai_server import FakeOpenAI, Step, reply, status


def said(message: dict[str, Any]) -> str:
    return message["content"] or ""


class Talk:
    """A parent that delegates, stops at once, and applies what it is then told of; a child that works a while."""

    def __init__(self) -> None:
        self.reports: list[str] = []
        self.seconds = "0.3"
        self.fails = False

    def __call__(self, request: dict[str, Any]) -> Step:
        messages = request["messages"]
        results = [said(message) for message in messages if message["role"] == "tool"]
        if said(messages[1]) == "write it":
            if results:
                return reply("It is written.", tool_calls=[("stop", {})])
            return reply(
                tool_calls=[("bash", {"cmd": f"sleep {self.seconds}; echo made > made.txt", "timeout": 100})]
            )
        if not results:
            return reply(tool_calls=[("delegate_task", {"prompt": "write it"})])
        told = [said(message) for message in messages if message["role"] == "user"][1:]
        if not told and self.fails:
            return status(400, "no more")
        if not told:
            return reply("I leave it to the task.", tool_calls=[("stop", {})])
        if len(results) == 2:  # the second one is that of `stop`
            self.reports = told
            return reply(tool_calls=[("apply_task", {"task_id": results[0].split()[-1]})])
        return reply("All is there.", tool_calls=[("stop", {})])


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
def start(talk: Talk, tmp_path: Path) -> Iterator[Any]:
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG")}
    (tmp_path / "work").mkdir()
    with FakeOpenAI(talk) as server:

        def start(*options: str, **env: str) -> subprocess.Popen[str]:
            known = {"HOME": str(tmp_path), "OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": server.url}
            words = ("-p", "delegate it", "--no-docker", "--permission-mode", "yolo", *options)
            return subprocess.Popen(
                [sys.executable, "-m", "pygent", *words],
                cwd=tmp_path / "work",
                env={**keep, **known, **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        yield start


def left_of_tasks(tmp_path: Path) -> list[Path]:
    folder = tmp_path / ".local/share/pygent/tasks"
    return list(places(folder))


def test_it_waits_and_goes_on_with_what_they_report(start: Any, talk: Talk, tmp_path: Path) -> None:
    process = start("--output-format", "stream-json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert (tmp_path / "work" / "made.txt").read_text() == "made\n"
    (report,) = talk.reports
    assert "finished" in report
    assert "made.txt" in report
    events = [from_dict(json.loads(line)) for line in out.splitlines()]
    check_events(events)
    (task,) = [event.task_id for event in events if event.type == "task.started"]
    assert {event.agent_id for event in events} == {"main", task}
    (reviewed,) = [event for event in events if event.type == "task.reviewed"]
    assert (reviewed.review, reviewed.paths, reviewed.by) == ("applied", ["made.txt"], "main")
    assert events[-1].text == "All is there."  # type: ignore[union-attr]
    assert events[-1].files_changed == ["made.txt"]  # type: ignore[union-attr]
    assert left_of_tasks(tmp_path) == []  # nothing in it is still to be decided on


def test_it_waits_also_where_no_step_is_left_to_go_on(start: Any, tmp_path: Path) -> None:
    process = start("--max-steps", "2")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "I leave it to the task.\n")
    (place,) = left_of_tasks(tmp_path)
    assert f"waits to be decided on, with `pygent tasks`: developer ({place.name})" in err
    assert (place / "workspace" / "made.txt").read_text() == "made\n"
    assert json.loads((place / "task.json").read_text())["state"] == "finished"


@pytest.mark.parametrize("how", ["setting", "failure"])
def test_a_run_that_is_over_ends_its_tasks(start: Any, talk: Talk, tmp_path: Path, how: str) -> None:
    talk.seconds, talk.fails = "60", how == "failure"
    process = start(PYGENT_TASKS_AT_STOP="cancel" if how == "setting" else "wait")
    _, err = process.communicate(timeout=30)
    assert process.returncode == (0 if how == "setting" else 1)
    assert "its tasks are ended before they are done" in err
    assert left_of_tasks(tmp_path) == []  # it had changed nothing


def test_an_interrupt_ends_the_waiting(start: Any, talk: Talk, tmp_path: Path) -> None:
    talk.seconds = "0.1; echo half > half.txt; sleep 60"
    process = start()
    end_by = time.monotonic() + 20
    while not list((tmp_path / ".local/share/pygent/tasks").glob("*/workspace/half.txt")):
        assert time.monotonic() < end_by
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    (place,) = left_of_tasks(tmp_path)
    record = json.loads((place / "task.json").read_text())
    assert record["state"] == "cancelled"
    assert [change["path"] for change in record["changes"]] == ["half.txt"]
    assert not (tmp_path / "work" / "half.txt").exists()
