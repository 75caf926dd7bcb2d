"""What every event has."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

from pygent.records import record

MAIN = "main"
Json: TypeAlias = dict[str, Any]


@record(kw_only=True)
class Event:
    """What all events carry: position, Unix time in seconds, session, and the agent it is about."""

    type: ClassVar[str]
    durable: ClassVar[bool] = True

    seq: int = 0
    at: float = 0.0
    session_id: str = ""
    agent_id: str = MAIN
