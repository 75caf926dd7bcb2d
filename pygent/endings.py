"""Ends what a killed Pygent left open, so that a session that is gone on with is whole again."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pygent.events import (
    ApprovalRequested,
    ApprovalResolved,
    Event,
    MessageFinished,
    MessageStarted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    TaskFinished,
    TaskStarted,
    TaskUpdated,
    ToolFinished,
    ToolStarted,
    stamp,
)
from pygent.history import INTERRUPTED

_OVER = {"finished", "failed", "cancelled", "timeout", "lost"}
_NOTHING = {"role": "assistant", "content": ""}
KILLED = "Pygent was ended in the middle of it."
_PAIRS: tuple[tuple[type[Event], type[Event], tuple[str, ...], dict[str, Any]], ...] = (
    (RunStarted, RunFinished, (), {"reason": "cancelled", "error": KILLED}),
    (StepStarted, StepFinished, ("step",), {}),
    (MessageStarted, MessageFinished, ("message_id",), {"message": _NOTHING, "discarded": True}),
    (TaskStarted, TaskFinished, ("task_id",), {"status": "lost", "state": "lost", "result": KILLED}),
    (ToolStarted, ToolFinished, ("call_id",), {"status": "cancelled", "output": INTERRUPTED}),
    (ApprovalRequested, ApprovalResolved, ("request_id",), {"decision": "deny", "by": "nobody"}),
)
_BY_TYPE = {kind: pair for pair in _PAIRS for kind in pair[:2]}


class _Used:
    """What an agent has used, as its steps tell it."""

    def __init__(self) -> None:
        self.steps = 0
        self.usage: Counter[str] = Counter()
        self.cost: float | None = None

    def take(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self.steps += 1
        elif isinstance(event, StepFinished):
            self.usage.update({name: count for name, count in event.usage.items() if isinstance(count, int)})
            if event.cost is not None:
                self.cost = (self.cost or 0.0) + event.cost

    def fields(self) -> dict[str, Any]:
        return {"steps": self.steps, "usage": dict(self.usage), "cost": self.cost}


def nothing_more(_task_id: str) -> Mapping[str, Any]:
    """Nothing is known of a task besides its events."""
    return {}


def endings(
    events: Iterable[Event], known: Callable[[str], Mapping[str, Any]] = nothing_more, why: str = KILLED
) -> list[Event]:
    """What ends all that stored events have left open because their process was killed; the innermost first.

    They are numbered on from the last of ``events``. ``known`` answers what is known besides of a task by its id:
    fields of ``TaskFinished``. ``why`` is told of runs and tasks.
    """
    seq, session_id = 0, ""
    states: dict[str, TaskUpdated] = {}
    left: dict[tuple[object, ...], Event] = {}
    used: dict[str, _Used] = defaultdict(_Used)
    for event in events:
        seq, session_id = event.seq, event.session_id
        used[event.agent_id].take(event)
        if isinstance(event, TaskUpdated):
            states[event.task_id] = event
        pair = _BY_TYPE.get(type(event))
        if pair is None:
            continue
        start, end, names, how = pair
        same = {name: getattr(event, name) for name in names}
        key = (start, event.agent_id, *same.values())
        if isinstance(event, end):
            left.pop(key, None)
        else:
            told: dict[str, Any] = {name: why if value is KILLED else value for name, value in how.items()}
            left[key] = end(agent_id=event.agent_id, **same, **told)
    now = time.time()
    ends: list[Event] = []
    for event in reversed(left.values()):
        if isinstance(event, TaskFinished):
            ends += _task_ends(
                event, states.get(event.task_id), {**used[event.task_id].fields(), **known(event.task_id)}
            )
        else:
            ends.append(event)
    return [
        stamp(event, seq=seq + number, at=now, session_id=session_id) for number, event in enumerate(ends, start=1)
    ]


def _task_ends(end: TaskFinished, last: TaskUpdated | None, known: Mapping[str, Any]) -> list[Event]:
    """The end of a task that stands in the state of ``last``, which a task that was said to be over keeps."""
    if last is not None and last.state in _OVER:  # its process was killed between the two
        return [replace(end, **{**known, "state": last.state, "status": last.status})]
    end = replace(end, **known)
    return [TaskUpdated(agent_id=end.agent_id, task_id=end.task_id, status=end.status, state=end.state), end]
