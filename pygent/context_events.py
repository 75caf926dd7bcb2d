"""The events of what the model sees of its conversation: made shorter, and put back."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from pygent.event_base import Event, Json
from pygent.records import record

CompactedBy = Literal["limit", "overflow", "user"]


@record(kw_only=True)
class ContextCompacting(Event):
    """Older history is about to be replaced, which may take a while; ``over`` where it was not. Not stored."""

    type: ClassVar[str] = "context.compacting"
    durable: ClassVar[bool] = False
    before_tokens: int
    over: bool = False


@record(kw_only=True)
class ContextCompacted(Event):
    """Older history was replaced by a summary, or shortened where ``summary`` is "".

    ``messages`` are what the model sees from there on, without the system message; a user's has its ``origin``, and
    in ``words`` a person's own text where the message has more. ``by`` says what for: the ``limit`` is near, the
    server refused (``overflow``), the ``user`` asked. ``left_out`` messages are fewer, ``outputs`` of tools shortened
    and ``images`` left out. ``usage`` and ``cost`` are those of the summary, as in ``StepFinished``.
    """

    type: ClassVar[str] = "context.compacted"
    before_tokens: int
    after_tokens: int
    compaction_id: str = ""
    by: CompactedBy = "limit"
    summary: str = ""
    messages: list[Json] = field(default_factory=list)
    left_out: int = 0
    outputs: int = 0
    images: int = 0
    usage: Json = field(default_factory=dict)
    cost: float | None = None


@record(kw_only=True)
class ContextRestored(Event):
    """A compaction was undone: the model sees again what it stood for. ``tokens`` has the conversation then."""

    type: ClassVar[str] = "context.restored"
    compaction_id: str
    tokens: int = 0
