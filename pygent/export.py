"""A session written out for people (Markdown, HTML) and for programs (JSON Lines)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Literal, get_args

from pygent.event_lines import to_line
from pygent.events import Event
from pygent.plain_text import clean, escaped, one_line
from pygent.settings.secrets import without_secrets
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

ExportFormat = Literal["markdown", "jsonl", "html"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
ENDINGS: dict[str, ExportFormat] = {".md": "markdown", ".jsonl": "jsonl", ".html": "html", ".htm": "html"}
"""What the ending of a file's name asks for."""

SHOWN_OUTPUT = 4000
"""Characters of a tool's output that the Markdown has; the JSON Lines have all of it."""


def format_of(name: str) -> ExportFormat:
    """The form that a file's name asks for, Markdown where it asks for none."""
    return ENDINGS.get(PurePath(name).suffix.lower(), "markdown")


def export(events: Iterable[Event], form: ExportFormat, *, title: str = "", secrets: Sequence[str] = ()) -> str:
    """The durable ``events`` in the given form, with known ``secrets`` hidden; ``title`` is the session's.

    Raises ``ValueError`` for another form.
    """
    if form not in FORMATS:
        raise ValueError(f"unknown format {form!r}; one of {', '.join(FORMATS)}")
    durable = [event for event in events if event.durable]
    if form == "html":
        from pygent.export_html import html_lines  # noqa: PLC0415 - rarely asked for

        lines = html_lines(durable, title)
    else:
        lines = _json_lines(durable) if form == "jsonl" else map(clean, _markdown(durable, title))
    return without_secrets("\n".join(lines) + "\n", secrets)


def write_new(file: Path, text: str) -> None:
    """Write ``text`` to a file that only its owner can read. Raises ``OSError``, also where there is one already."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(handle, "w", encoding="utf-8", errors="replace") as out:  # noqa: PTH123 - a file that is open already
        out.write(text)


def _json_lines(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        yield escaped(to_line(event))


def _markdown(events: Iterable[Event], title: str) -> Iterator[str]:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    started = transcript.session
    yield f"# {one_line(title, 200) or 'Pygent session'}"
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
            yield f"\n## {item.who}\n\n{clean(item.text)}"
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
