"""What was said in an event, as far as it can be searched for, and who said it."""

from __future__ import annotations

from pygent.events import (
    Event,
    MessageFinished,
    PlanPresented,
    TaskFinished,
    ToolFinished,
    ToolStarted,
)
from pygent.images import text_of
from pygent.plain_text import clean

SEARCHED = (MessageFinished.type, ToolStarted.type, ToolFinished.type, TaskFinished.type, PlanPresented.type)

SHORT = 1_000
"""Characters of a call's argument that is searched; longer ones are files, which tools show in parts."""


def said_in(event: Event) -> tuple[str, str]:
    """Who said it, for people, and what; both "" where there is nothing to search for."""
    who, text = _said_in(event)
    # A colour that ends where a word begins would be a part of the word.
    return who, clean(text) if "\x1b" in text else text


def _said_in(event: Event) -> tuple[str, str]:
    match event:
        case MessageFinished(discarded=False):
            text = text_of(event.message.get("content"))
            who = "Pygent" if event.message.get("role") == "assistant" else "You" if event.origin == "user" else ""
            return (who, text) if who else ("", "")
        case ToolStarted():
            values = [value for value in event.arguments.values() if isinstance(value, str) and len(value) <= SHORT]
            return event.tool, "\n".join(values)
        case ToolFinished():
            return "output", event.output
        case TaskFinished():
            return "task", event.result
        case PlanPresented():
            return "plan", event.plan
    return "", ""
