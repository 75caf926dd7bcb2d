"""Ends what a killed Pygent left open, so that a session that is gone on with is whole again."""

from __future__ import annotations

import time
from collections.abc import Iterable
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
    ToolFinished,
    ToolStarted,
    stamp,
)
from pygent.history import INTERRUPTED

_NOTHING = {"role": "assistant", "content": ""}
KILLED = "Pygent was ended in the middle of it."
_PAIRS: tuple[tuple[type[Event], type[Event], tuple[str, ...], dict[str, Any]], ...] = (
    (RunStarted, RunFinished, (), {"reason": "cancelled", "error": KILLED}),
    (StepStarted, StepFinished, ("step",), {}),
    (MessageStarted, MessageFinished, ("message_id",), {"message": _NOTHING, "discarded": True}),
    (TaskStarted, TaskFinished, ("task_id",), {"status": "cancelled", "result": KILLED}),
    (ToolStarted, ToolFinished, ("call_id",), {"status": "cancelled", "output": INTERRUPTED}),
    (ApprovalRequested, ApprovalResolved, ("request_id",), {"decision": "deny", "by": "nobody"}),
)
_BY_TYPE = {kind: pair for pair in _PAIRS for kind in pair[:2]}


def endings(events: Iterable[Event]) -> list[Event]:
    """What ends all that stored events have left open because their process was killed; the innermost first.

    They are numbered on from the last of ``events``.
    """
    seq, session_id = 0, ""
    left: dict[tuple[object, ...], Event] = {}
    for event in events:
        seq, session_id = event.seq, event.session_id
        pair = _BY_TYPE.get(type(event))
        if pair is None:
            continue
        start, end, names, how = pair
        same = {name: getattr(event, name) for name in names}
        key = (start, event.agent_id, *same.values())
        if isinstance(event, end):
            left.pop(key, None)
        else:
            left[key] = end(agent_id=event.agent_id, **same, **how)
    now = time.time()
    return [
        stamp(event, seq=seq + number, at=now, session_id=session_id)
        for number, event in enumerate(reversed(left.values()), start=1)
    ]
