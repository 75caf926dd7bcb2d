"""One sign and one word for each state: never colour alone. ``style`` names a colour role of the rows."""

from __future__ import annotations

from typing import NamedTuple


class Sign(NamedTuple):
    """How a state is shown."""

    sign: str
    word: str
    style: str


TOOL_SIGNS: dict[str, Sign] = {
    "waiting": Sign("?", "waiting", "warning"),
    "running": Sign("●", "running", "primary"),
    "ok": Sign("✓", "ok", "success"),
    "error": Sign("✗", "error", "error"),
    "denied": Sign("⊘", "denied", "warning"),
    "cancelled": Sign("■", "cancelled", "muted"),
    "timeout": Sign("!", "timeout", "error"),
}

_TASK_SIGNS = (
    ("running", TOOL_SIGNS["running"]),
    ("queued", Sign("○", "queued", "muted")),
    ("finished", Sign("✓", "finished", "success")),
    ("waiting", TOOL_SIGNS["waiting"]),
    ("cancelled", TOOL_SIGNS["cancelled"]),
    ("timeout", TOOL_SIGNS["timeout"]),
    ("error", TOOL_SIGNS["error"]),
    ("failed", Sign("✗", "failed", "error")),
    ("lost", Sign("⊘", "lost", "warning")),
)


def task_sign(status: str) -> Sign:
    """The sign of a task's status, which may go on in words: ``timeout after 60s``, ``error: …``."""
    for word, sign in _TASK_SIGNS:
        if status.startswith(word):
            return sign
    return Sign("·", status or "unknown", "muted")
