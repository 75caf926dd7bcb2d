"""A session written out for people (Markdown) and for programs (JSON Lines)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

from pygent.event_lines import to_line
from pygent.events import Event
from pygent.plain_text import clean
from pygent.transcript import (
    AssistantItem,
    CompactionItem,
    Item,
    NoticeItem,
    PlanItem,
    RunItem,
    TaskItem,
    ToolItem,
    Transcript,
    UserItem,
)

ExportFormat = Literal["markdown", "jsonl"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)

SHOWN_OUTPUT = 4000
"""Characters of a tool's output that the Markdown has; the JSON Lines have all of it."""


def export(events: Iterable[Event], form: ExportFormat) -> str:
    """The durable ``events`` in the given form.

    Raises ``ValueError`` for another form.
    """
    if form not in FORMATS:
        raise ValueError(f"unknown format {form!r}; one of {', '.join(FORMATS)}")
    durable = [event for event in events if event.durable]
    lines = _json_lines(durable) if form == "jsonl" else _markdown(durable)
    return "\n".join(lines) + "\n"


def _json_lines(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        yield to_line(event)


def _markdown(events: Iterable[Event]) -> Iterator[str]:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    started = transcript.session
    yield "# Pygent session"
    if started is not None:
        yield f"\n{started.workspace} · {started.model} · {started.sandbox} · Pygent {started.version}"
    for view in transcript.agents.values():
        if view.agent_id != transcript.main.agent_id:
            yield f"\n# Task {view.agent_id}"
        for item in view.items:
            yield from _item(item)


def _item(item: Item) -> Iterator[str]:
    match item:
        case UserItem():
            who = "Reminder" if item.reminder else "Report of a task" if item.report else "User"
            yield f"\n## {who}\n\n{clean(item.text)}"
        case AssistantItem() if item.text.strip():
            yield f"\n## Assistant\n\n{clean(item.text)}"
        case ToolItem():
            arguments = json.dumps(item.arguments, ensure_ascii=False)
            yield f"\n### {item.tool} ({item.state}, {item.seconds:.1f} s)\n"
            yield from _fenced(clean(arguments))
            yield from _fenced(_shortened(clean(item.output)))
        case PlanItem():
            yield f"\n## Plan ({item.state})\n\n{clean(item.text or item.plan)}"
            yield from [f"\nTo be different: {clean(item.feedback)}"] if item.feedback else []
        case NoticeItem():
            yield f"\n> {item.level}: {clean(item.text)}"
        case CompactionItem():
            undone = " (undone)" if item.undone else ""
            yield f"\n> {item.headline}, {item.before_tokens} to {item.after_tokens} tokens{undone}"
            yield from [f"\n{clean(item.summary)}"] if item.summary else []
        case RunItem():
            yield f"\n---\n\n{item.reason}, {item.steps} steps" + (f": {clean(item.error)}" if item.error else "")
        case TaskItem():
            yield f"\n### Task {item.task_id} for {item.persona} ({item.status})\n\n{clean(item.prompt)}"


def _shortened(text: str) -> str:
    left_out = len(text) - SHOWN_OUTPUT
    return (
        text
        if left_out <= 0
        else f"{text[: SHOWN_OUTPUT // 2]}\n… {left_out} characters …\n{text[-SHOWN_OUTPUT // 2 :]}"
    )


def _fenced(text: str) -> Iterator[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    yield f"{fence}\n{text}\n{fence}"
