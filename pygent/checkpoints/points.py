"""The places in a conversation that a person can go back to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pygent.checkpoints.offered import Point
from pygent.checkpoints.stack import Stack
from pygent.events import MAIN, Event, MessageFinished, MessageStarted, RunStarted, StepFinished, StepStarted
from pygent.images import text_of
from pygent.standing import standing

_SHOWN = 200


def points(events: Iterable[Event], stack: Stack) -> list[Point]:
    """Before each message of the person's and after each of the agent's steps but the last, in order."""
    found: list[Point] = []
    counting = standing(events, MAIN)
    begins, began_run, said, in_step = 0, False, "", False
    for event in counting:
        if isinstance(event, RunStarted):
            begins, began_run = event.seq - 1, True
        elif isinstance(event, MessageStarted) and event.role == "user" and not began_run:
            begins = event.seq - 1
        elif isinstance(event, StepStarted):
            in_step, said = True, ""
        elif isinstance(event, MessageFinished) and not event.discarded:
            text = " ".join(text_of(event.message.get("content")).split())[:_SHOWN]
            if event.origin == "user":
                found.append(Point(begins, said=True, text=text, at=event.at))
                began_run = False
            elif in_step and event.message.get("role") == "assistant":
                calls = ", ".join(str(one["function"]["name"]) for one in event.message.get("tool_calls") or ())
                said = text or calls
        elif isinstance(event, StepFinished):
            in_step = False
            if said:
                found.append(Point(event.seq, said=False, text=said, at=event.at))
    if found and not found[-1].said:
        found.pop()  # that is where the conversation stands
    files = _files_after({one.to_seq for one in found}, stack)
    return [replace(one, files=files[one.to_seq]) for one in found]


def _files_after(places: Iterable[int], stack: Stack) -> dict[int, int]:
    """How many files were changed after each place."""
    made = sorted(stack.done, key=lambda one: one.seq)  # a redo puts earlier ones at the end
    paths: set[str] = set()
    counts: dict[int, int] = {}
    for place in sorted(places, reverse=True):
        while made and made[-1].seq > place:
            paths.update(made.pop().paths)
        counts[place] = len(paths)
    return counts


def taken_away(events: Iterable[Event], to_seq: int) -> tuple[int, str]:
    """How many messages a rewind takes away, and what the first one said where it is the person's."""
    gone = [
        event
        for event in standing(events, MAIN)
        if isinstance(event, MessageFinished) and not event.discarded and event.seq > to_seq
    ]
    first = gone[0] if gone else None
    prompt = text_of(first.message.get("content")) if first is not None and first.origin == "user" else ""
    return len(gone), prompt
