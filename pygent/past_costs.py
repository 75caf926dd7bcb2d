"""What a stored session has cost, counted once more from its events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pygent.events import (
    MAIN,
    ContextCompacted,
    Event,
    RunFinished,
    RunStarted,
    SessionStarted,
    StepFinished,
    StepStarted,
    TaskStarted,
)
from pygent.ledger import Account
from pygent.openai_compat import Usage

Span = tuple[float, float]


def replay(session: Account, past: Iterable[Event]) -> None:
    """Count in the session's account, and in those of its personas, what ``past`` tells of."""
    personas: dict[str, str] = {}
    begun: dict[str, float] = {}
    spans: dict[str, list[Span]] = defaultdict(list)
    at = 0.0

    def end(agent_id: str) -> None:
        spans[personas.get(agent_id, agent_id)].append((begun.pop(agent_id, at), at))

    for event in past:
        at = event.at or at
        match event:
            case SessionStarted():
                personas[MAIN] = event.persona
            case TaskStarted():
                personas[event.task_id] = event.persona
            case RunStarted():
                begun[event.agent_id] = at
            case RunFinished():
                end(event.agent_id)
            case StepStarted():
                _account(session, personas, event).take_step(force=True)
            case StepFinished() | ContextCompacted():
                _account(session, personas, event).charge(_usage(event.usage), event.cost)
    for agent_id in list(begun):  # what was killed
        end(agent_id)
    for name, worked in spans.items():
        session.persona(name).worked(covered(worked))
    session.worked(covered([span for worked in spans.values() for span in worked]))


def covered(spans: Iterable[Span]) -> float:
    """Seconds that at least one of these spans covers."""
    total, until = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _account(session: Account, personas: Mapping[str, str], event: Event) -> Account:
    return session.persona(personas.get(event.agent_id, event.agent_id))


def _usage(counts: Mapping[str, Any]) -> Usage:
    return Usage(*(int(counts.get(name) or 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")))
