"""What is known of a stored conversation's length: a server has counted it, up to the last step."""

from __future__ import annotations

from collections.abc import Sequence

from pygent.events import ContextCompacted, ContextRestored, Event, MessageFinished, StepFinished, ToolFinished
from pygent.records import record
from pygent.tokens import MESSAGE, of_message, of_text


@record
class Counted:
    """``tokens`` at the end of the last step, ``since`` by the rule of `pygent.tokens` what came after it.

    ``messages`` says of how many messages, without the system's.
    """

    tokens: int
    since: int
    messages: int


def counted(events: Sequence[Event], messages: int) -> Counted | None:
    """What the ``events`` of an agent that count tell of its conversation of ``messages``.

    None where no server counted, or not since it was compacted.
    """
    since = 0
    for event in reversed(events):
        if isinstance(event, StepFinished):
            known = event.context_tokens if event.usage.get("prompt_tokens") else 0
            return Counted(known, since, messages) if known else None
        if isinstance(event, ContextCompacted | ContextRestored):
            return None
        if isinstance(event, MessageFinished) and not event.discarded:
            since += of_message(event.message)
        elif isinstance(event, ToolFinished):
            since += MESSAGE + of_text(event.output)
    return None
