"""Attempts at a task that has a check: what a small model is shown of those that failed.

Shown its own wrong reply, a small model writes it again, word for word. So most attempts begin from the task as it
was, sampled more freely each time; only some see the last one and why it failed.
"""

from __future__ import annotations

from typing import Any

from pygent.images import joined, text_of
from pygent.models.base import Messages

CHECK_FAILED = "The check fails"
"""What the message about a failed check begins with."""

BEGIN_AGAIN = "The files are as they were before. Begin again."
"""What it ends with where the attempt is to be forgotten."""

THINK_FIRST = "First say in one or two sentences what has to be changed and why. Then do it."

_COOL, _WARMER, _WARMEST = 0.4, 0.2, 1.0


def begins_again(failures: int) -> bool:
    """Whether the attempt after that many failed ones starts from the task, not from the last reply."""
    return failures % 3 != 0


def warmth(messages: Messages) -> float:
    """The temperature for the next attempt, 0 for the first."""
    failures = 0
    for message in reversed(messages):
        if _is_task(message):
            break
        failures += _is_failure(message)
    return min(_WARMEST, _COOL + _WARMER * failures) if failures else 0.0


def without_forgotten(messages: Messages) -> Messages:
    """The conversation without the attempts that are to be forgotten."""
    kept: Messages = []
    task = -1
    for message in messages:
        if _is_task(message):
            task = len(kept)
        if task >= 0 and _is_failure(message) and _text(message).endswith(BEGIN_AGAIN):
            del kept[task + 1 :]
            if not _text(kept[task]).endswith(THINK_FIRST):
                kept[task] = {"role": "user", "content": joined(kept[task]["content"], THINK_FIRST)}
        else:
            kept.append(message)
    return kept


def _is_task(message: dict[str, Any]) -> bool:
    return message.get("role") == "user" and getattr(message, "origin", "user") in {"user", "task"}


def _is_failure(message: dict[str, Any]) -> bool:
    return getattr(message, "origin", "") == "check" and _text(message).startswith(CHECK_FAILED)


def _text(message: dict[str, Any]) -> str:
    return text_of(message.get("content") or "")
