"""Attempts at a task that has a check: what a small model is shown of those that failed.

Shown its own wrong reply, a small model writes it again, word for word. So an attempt at mending something begins
from the task as it was, sampled more freely each time. What is written anew is shown, with its failure, every other
time.
"""

from __future__ import annotations

from typing import Any

from pygent.images import joined, text_of
from pygent.models.asking import CHECK_FAILED, asked, targets
from pygent.models.base import Messages

BEGIN_AGAIN = "The files are as they were before. Begin again."
"""What it ends with where the attempt is to be forgotten."""

_GO_ON = "If this answers or completes it, say so in one sentence without a block. If not, do what comes next."
_REPEATED = 600
"""Characters of a task that is told again; a longer one would only fill the window."""

_COOL, _WARMER, _WARMEST = 0.3, 0.15, 0.8


def warmth(messages: Messages) -> float:
    """The temperature for the next attempt, 0 for the first."""
    failures = 0
    for message in reversed(messages):
        if _is_task(message):
            break
        failures += _is_failure(message)
    return min(_WARMEST, _COOL + _WARMER * failures) if failures else 0.0


def as_shown(messages: Messages) -> Messages:
    """The conversation without attempts that are to be forgotten; a task that has a check ends with how to do it."""
    kept: Messages = []
    task, failures = -1, 0
    for message in messages:
        if _is_task(message):
            task, failures = len(kept), 0
        failed = task >= 0 and _is_failure(message)
        failures += failed
        if failed and _text(message).endswith(BEGIN_AGAIN):
            del kept[task + 1 :]
        else:
            kept.append(message)
    if task >= 0 and (len(kept) == task + 1 or _is_failure(kept[-1])):
        last = asked(_text(kept[task]), getattr(kept[task], "words", ""), failures)
        if last:
            kept[-1] = {"role": "user", "content": joined(kept[-1]["content"], last)}
    return kept


def wanted(messages: Messages) -> list[str]:
    """The files that the answer to the last task may have to hold."""
    task = next((message for message in reversed(messages) if _is_task(message)), None)
    return targets(_text(task), getattr(task, "words", "")) if task is not None else []


def task_again(messages: Messages) -> str:
    """What the last results of tools are to end with: the task once more, which a small model loses sight of."""
    if not messages or messages[-1].get("role") != "tool":
        return ""
    task = next((message for message in reversed(messages) if _is_task(message)), None)
    words = getattr(task, "words", "").strip()
    return f"The task: {words}\n{_GO_ON}" if words and len(words) <= _REPEATED else ""


def _is_task(message: dict[str, Any]) -> bool:
    return message.get("role") == "user" and getattr(message, "origin", "user") in {"user", "task"}


def _is_failure(message: dict[str, Any]) -> bool:
    return getattr(message, "origin", "") == "check" and _text(message).startswith(CHECK_FAILED)


def _text(message: dict[str, Any]) -> str:
    return text_of(message.get("content") or "")
