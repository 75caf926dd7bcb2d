"""What fills the model's window: the parts of what it is sent, with the tokens of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pygent.compaction import NO_SUMMARY, SUMMARY
from pygent.instructions import HEAD, Instructions
from pygent.records import record
from pygent.tokens import IMAGE, MESSAGE, of_calls, of_content, of_text, of_tools

BIGGEST = 5
"""Outputs of tools that are named."""

_SAID = {"user": "what you said", "task": "reports of tasks", "tool": "pictures"}


@record
class Part:
    """A part of what is sent, and its tokens; ``count`` is how many messages, files or tools it has."""

    name: str
    tokens: int
    count: int = 0


@record
class ContextUse:
    """``parts`` add up to ``tokens``, the whole of what is sent; ``window`` None where that is not known.

    ``biggest`` are outputs of tools, by the call; ``instructions`` the files that are told, each with its tokens.
    ``counted`` where the server has counted, else all is estimated. ``compact_at`` is a share of the window, 0 for
    never.
    """

    tokens: int
    window: int | None
    compact_at: float
    parts: tuple[Part, ...]
    biggest: tuple[Part, ...] = ()
    instructions: tuple[Part, ...] = ()
    problems: tuple[str, ...] = ()
    counted: bool = False


def context_use(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] | None,
    instructions: Instructions,
    *,
    tokens: int | None,
    window: int | None,
    compact_at: float,
    counted: bool,
) -> ContextUse:
    """What ``messages`` and ``tools`` take of ``tokens``, to which the rule of `pygent.tokens` is scaled.

    ``tokens`` None: as many as there are by the rule.
    """
    found: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    biggest: list[tuple[int, str]] = []
    calls: dict[str, str] = {}

    def add(name: str, size: int, count: int = 1) -> None:
        if size:
            found[name] += size
            counts[name] += count

    told = of_text(instructions.text) if instructions.files else 0
    for message in messages:
        role, content = message.get("role"), message.get("content")
        text = content if isinstance(content, str) else ""
        size = MESSAGE + of_content(content)
        if role == "system":
            present = bool(told) and HEAD in text
            add("system prompt", size - told if present else size)
            add("instructions", told if present else 0, len(instructions.files))
        elif role == "tool":
            add("outputs of tools", size)
            biggest.append((size, calls.get(str(message.get("tool_call_id")), "a call")))
        elif role == "assistant":
            add("summary" if text.startswith((SUMMARY, NO_SUMMARY)) else "answers", size)
            add("thoughts", of_text(str(message.get("reasoning_content") or "")))
            add("calls of tools", of_calls(message), len(message.get("tool_calls") or ()))
            calls |= {call["id"]: _call(call["function"]) for call in message.get("tool_calls") or ()}
        else:
            images = _images(content)
            add("pictures", images * IMAGE, images)
            add(_SAID.get(getattr(message, "origin", "user"), "reminders"), size - images * IMAGE)
    add("definitions of tools", of_tools(tools), len(tools or ()))
    tokens = found.total() if tokens is None else tokens
    scale = tokens / max(1, found.total())
    biggest.sort(key=lambda one: -one[0])
    return ContextUse(
        tokens,
        window,
        compact_at,
        tuple(Part(name, round(size * scale), counts[name]) for name, size in found.most_common()),
        tuple(Part(name, round(size * scale)) for size, name in biggest[:BIGGEST]),
        tuple(Part(file.path, round(of_text(file.text) * scale)) for file in instructions.files),
        instructions.problems,
        counted,
    )


def _images(content: object) -> int:
    parts = content if isinstance(content, list) else []
    return sum(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)


def _call(function: Mapping[str, Any]) -> str:
    """A call in a line: its tool, and what it was called with."""
    try:
        given = json.loads(function["arguments"])
        words = " ".join(" ".join(str(value).split()) for value in given.values())
    except (ValueError, AttributeError, KeyError):
        words = ""
    return f"{function.get('name')} {words[:60]}".strip()
