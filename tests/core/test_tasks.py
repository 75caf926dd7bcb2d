"""Delegated tasks: what their status says however they end, and what they leave to their parent."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pygent import Agent, Runtime, SandboxError, TaskManager
from pygent.bus import EventBus
from pygent.events import Event
from pygent.wiring import Wiring
from tests.fakes.invariants import check_events
from tests.fakes.models import ScriptedModel, call, say


class Files:
    """The least of a runtime, whose container cannot be closed."""

    def bash(self, cmd: str) -> str:
        return f"$ {cmd}"

    def write_file(self, path: str, content: str) -> str:
        return path

    def close_sandbox(self) -> None:
        raise SandboxError("the engine is gone")


def slow(messages: Any) -> Any:
    time.sleep(5)


@pytest.mark.parametrize(
    "limits",
    [{"task_timeout": 0.3}, {"task_timeout": 0.3, "step_timeout": 20}, {"task_timeout": 20, "step_timeout": 0.3}],
)
def test_a_timeout_says_after_how_long(limits: dict[str, float]) -> None:
    manager = TaskManager(lambda persona: Agent(Files(), ScriptedModel([slow]), persona=persona))
    task = manager.start_task("go", Files(), **limits)  # type: ignore[arg-type]
    assert manager.wait(task, 4)
    assert manager.status(task).startswith("timeout after 0.")


def test_a_task_ends_also_where_its_container_does_not() -> None:
    events: list[Event] = []
    bus = EventBus()
    bus.subscribe(events.append)
    parent = Agent(Files(), ScriptedModel([]), wiring=Wiring(bus=bus))
    manager = TaskManager(lambda persona: Agent(Files(), ScriptedModel([say("a"), say("b")])), 1, parent=parent)
    for _ in range(2):  # a task that has ended makes room
        task = manager.start_task("go", Files())
        assert manager.wait(task, 5)
        assert manager.status(task) == "finished"
    check_events(events)


def test_a_child_has_its_parent_s_variables_and_bans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_STEP_TIMEOUT", "20")
    parent = Runtime(use_docker=False, env={"PATH": "/usr/bin:/bin", "WHO": "me"}, banned_commands=["curl"])
    done = call(("stop", {}))
    delegate = call(("delegate_task", {"prompt": "say who"}))
    agent = Agent(parent, ScriptedModel([delegate, *[done] * 4]))
    agent.run_until_stop("go")
    (task,) = agent.tasks.tasks.values()
    assert agent.tasks.wait(task.id, 5)
    child = task.agent.runtime
    assert child.bash("echo $WHO").startswith("$ echo $WHO\nme\n")
    assert child.banned_commands == {"curl"}
    agent.close()
    assert not child.base_dir.exists()
