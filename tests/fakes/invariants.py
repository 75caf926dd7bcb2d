"""What must hold of every stream of events and every history, whatever happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pygent.events import (
    USER_CALL,
    Event,
    RunFinished,
    TaskFinished,
    TaskReviewed,
    TaskStarted,
    TaskState,
    TaskUpdated,
    from_dict,
    to_dict,
)
from pygent.transcript import Transcript

PAIRS = {
    "run.started": ("run.finished", ()),
    "step.started": ("step.finished", ("step",)),
    "message.started": ("message.finished", ("message_id",)),
    "tool.started": ("tool.finished", ("call_id",)),
    "approval.requested": ("approval.resolved", ("request_id",)),
    "task.started": ("task.finished", ("task_id",)),
}

ENDS: set[TaskState] = {"finished", "failed", "cancelled", "timeout", "lost"}
FOLLOWING: dict[TaskState, set[TaskState]] = {
    "queued": {"running", *ENDS},
    "running": {"waiting", *ENDS},
    "waiting": {"running", "queued", *ENDS},
    **{end: set[TaskState]() for end in ENDS},
}
USAGE = {"prompt_tokens", "completion_tokens", "total_tokens"}


def check_events(events: Sequence[Event], *, stored: bool = False) -> None:
    """Gapless (but for what is not ``stored``), paired, inert; and the stored log folds to what was live."""
    if stored:
        assert [event.seq for event in events] == sorted({event.seq for event in events})
    else:
        assert [event.seq for event in events] == list(range(events[0].seq, events[0].seq + len(events)))
    for event in events:
        assert from_dict(json.loads(json.dumps(to_dict(event)))) == event
    ends = {end for end, _ in PAIRS.values()}
    for start, (end, names) in PAIRS.items():
        begun = Counter(_key(event, names) for event in events if event.type == start)
        ended = Counter(_key(event, names) for event in events if event.type == end)
        assert begun == ended, f"{start} without {end}: {begun - ended}, more ends than starts: {ended - begun}"
    open_now: set[Any] = set()
    for event in events:
        for start, (end, names) in PAIRS.items():
            if event.type == start:
                open_now.add((start, _key(event, names)))
            elif event.type == end and end in ends:
                assert (start, _key(event, names)) in open_now, f"{event} ends before it starts"
                open_now.discard((start, _key(event, names)))
    check_tasks(events)
    live, stored = Transcript(), Transcript()
    for event in events:
        live.apply(event)
        if event.durable:
            stored.apply(from_dict(json.loads(json.dumps(to_dict(event)))))
    assert _state(live) == _state(stored)


def check_tasks(events: Sequence[Event]) -> None:
    """Each task goes through its states, ends in the one that it was last said to have, and is silent outside."""
    states: dict[str, TaskState] = {}
    over: set[str] = set()
    for event in events:
        if isinstance(event, TaskStarted):
            assert event.task_id not in states, f"{event} starts twice"
            assert event.state in {"queued", "running"}
            states[event.task_id] = event.state
        elif isinstance(event, TaskUpdated):
            assert event.task_id in states.keys() - over, f"{event} of a task that does not run"
            before = states[event.task_id]
            assert event.state in FOLLOWING[before], f"{event} after {before}"
            states[event.task_id] = event.state
        elif isinstance(event, TaskFinished):
            assert event.state in ENDS, f"{event} is no end"
            assert states.get(event.task_id) == event.state, f"{event} after {states.get(event.task_id)}"
            assert event.usage.keys() <= USAGE
            over.add(event.task_id)
        elif isinstance(event, TaskReviewed):
            assert event.task_id in over, f"{event} before its end"
        elif isinstance(event, RunFinished):
            assert all(event.total_usage.get(name, 0) >= count for name, count in event.usage.items())
        if event.agent_id in states and not getattr(event, "call_id", "").startswith(USER_CALL):
            assert event.agent_id not in over, f"{event} after its task's end"


def check_history(history: Sequence[dict[str, Any]]) -> None:
    """One leading system message; every call has exactly one answer, at once after its message, in order."""
    assert [message["role"] for message in history].count("system") <= 1
    waiting: list[str] = []
    for index, message in enumerate(history):
        assert message["role"] != "system" or index == 0
        if message["role"] == "tool":
            assert waiting, f"a result without a call: {message}"
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting, f"calls without an answer: {waiting}"
        if message["role"] == "assistant":
            waiting = [call["id"] for call in message.get("tool_calls", ())]
            assert all(waiting)
            assert len(set(waiting)) == len(waiting)
            assert waiting or message["content"].strip()
    assert not waiting, f"calls without an answer: {waiting}"


def _key(event: Event, names: tuple[str, ...]) -> tuple[Any, ...]:
    return (event.agent_id, *(getattr(event, name) for name in names))


def _state(transcript: Transcript) -> Any:
    return (
        {name: (view.items, view.step, view.usage, view.running) for name, view in transcript.agents.items()},
        transcript.approvals,
        transcript.tasks,
        transcript.files_changed,
    )
