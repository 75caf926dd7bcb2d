"""What a killed Pygent left open is ended when its session is gone on with."""

from __future__ import annotations

from typing import Any

import pytest

from pygent.endings import KILLED, endings
from pygent.events import (
    Event,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    TaskFinished,
    TaskStarted,
    ToolFinished,
    ToolStarted,
    from_dict,
    stamp,
    to_dict,
)
from pygent.transcript import Transcript


def stored(*events: Event) -> list[Event]:
    return [
        stamp(event, seq=number, at=float(number), session_id="s") for number, event in enumerate(events, start=1)
    ]


def started(task_id: str) -> TaskStarted:
    return TaskStarted(task_id=task_id, persona="tester", prompt="test it", workspace="copy")


@pytest.mark.hostile(63)
def test_what_was_open_is_ended_from_the_inside_out() -> None:
    events = stored(
        RunStarted(prompt="go"),
        started("t1"),
        started("t2"),
        RunStarted(prompt="test it", agent_id="t1"),
        StepStarted(step=1, agent_id="t1"),
        StepFinished(step=1, agent_id="t1", usage={"total_tokens": 14}, cost=0.5),
        StepStarted(step=2, agent_id="t1"),
        ToolStarted(call_id="c", tool="bash", arguments={}, agent_id="t1"),
        TaskFinished(task_id="t2", status="finished"),
    )
    ends = endings(events)
    assert [type(event) for event in ends][:2] == [ToolFinished, type(ends[1])]
    assert [event.seq for event in ends] == [10, 11, 12, 13, 14, 15]
    (task,) = [event for event in ends if isinstance(event, TaskFinished)]
    assert (task.task_id, task.state, task.status, task.result) == ("t1", "lost", "lost", KILLED)
    assert (task.steps, task.usage, task.cost) == (2, {"total_tokens": 14}, 0.5)
    assert [event.agent_id for event in ends if isinstance(event, RunFinished)] == ["t1", "main"]
    assert all(from_dict(to_dict(event)) == event for event in ends)
    transcript = Transcript()
    for event in [*events, *ends]:
        transcript.apply(event)
    assert {item.task_id: item.state for item in transcript.tasks.values()} == {"t1": "lost", "t2": "finished"}
    assert endings([*events, *ends]) == []


def test_what_is_known_of_a_task_besides_is_told_with_its_end() -> None:
    def known(task_id: str) -> dict[str, Any]:
        changes = [{"path": "a.py", "kind": "changed"}]
        return {"changes": changes, "files_changed": ["a.py"]} if task_id == "t1" else {}

    first, second = (
        event for event in endings(stored(started("t0"), started("t1")), known) if event.type == "task.finished"
    )
    assert isinstance(first, TaskFinished)
    assert isinstance(second, TaskFinished)
    assert (first.task_id, first.state, first.files_changed) == ("t1", "lost", ["a.py"])
    assert (second.task_id, second.changes) == ("t0", [])
