"""A task in words and signs: its state, what became of its changes, what it took; and what can be done with it."""

from __future__ import annotations

import time

from pygent.transcript import AgentView, TaskItem
from pygent.tui.panes.signs import Sign, task_sign
from pygent.tui.panes.text import one_line, running_for, took
from pygent.tui.text import count, money, plural

REVIEWS: dict[str, Sign] = {
    "applied": Sign("✓", "applied", "success"),
    "partly applied": Sign("◐", "partly applied", "warning"),
    "discarded": Sign("⊘", "discarded", "muted"),
    "undone": Sign("◇", "undone", "accent"),
}

_LIMITS = {"budget": "its budget is spent", "max_steps": "it may take no more steps"}


def name_of(task: TaskItem) -> str:
    """Whom people see: the persona."""
    return one_line(task.persona or task.task_id, 60)


def live(task: TaskItem) -> bool:
    """Whether it has not ended: it waits for its turn, works, or waits for somebody."""
    return task.ended_at is None


def sign_of(task: TaskItem) -> Sign:
    """Sign and word of its state. Logs of older versions have only the status in words."""
    if task.state in {"running", "finished"}:
        return task_sign(task.status)
    return task_sign(task.state)


def span(task: TaskItem) -> str:
    """How long it took, or has been going on; empty where nobody knows, since Pygent was killed meanwhile."""
    if task.state == "lost" and task.ended_at is not None and task.ended_at - task.at < 1:
        return ""
    return running_for(time.time() - task.at) if task.ended_at is None else took(max(0.0, task.ended_at - task.at))


def why(task: TaskItem) -> str:
    """What its end says beyond the word of its state, as ``timeout after 60s`` does; empty for nothing."""
    if task.status == "lost":
        return "Pygent ended while it worked"
    status = one_line(task.status) if ":" in task.status or " " in task.status else ""
    return " · ".join(part for part in (status, limit(task)) if part)


def limit(task: TaskItem) -> str:
    """Which limit has ended it, where that was not the time; empty for none."""
    return _LIMITS.get(task.reason or "", "") if task.state == "timeout" else ""


def outcome(task: TaskItem) -> str:
    """What came of it: why it ended, where that is not as it should, and what it said at its end."""
    return " · ".join(part for part in (why(task), one_line(task.result)) if part)


def changed(task: TaskItem, view: AgentView | None) -> int:
    """Files that it changed, so far as is known."""
    if task.ended_at is not None and (task.changes or task.files_changed):
        return len(task.changes or task.files_changed)
    return len(view.files_changed) if view is not None else 0


def to_review(task: TaskItem) -> bool:
    """Whether its changes wait for somebody's decision."""
    if task.ended_at is None or not (task.changes or task.files_changed):
        return False
    return task.review in {None, "partly applied", "undone"} or bool(task.conflicts and task.review == "applied")


def review_of(task: TaskItem) -> Sign | None:
    """What became of its changes; None while it works, and where it changed nothing."""
    if task.ended_at is None:
        return None
    number = len(task.changes or task.files_changed)
    if task.review is None or task.review == "undone":
        return Sign("◇", f"{plural(number, 'file')} to review", "accent") if number else None
    sign = REVIEWS[task.review]
    if task.conflicts and task.review != "discarded":
        return sign._replace(word=f"{sign.word}, {plural(len(task.conflicts), 'conflict')}", style="warning")
    return sign


def tokens(task: TaskItem, view: AgentView | None) -> int:
    """All tokens it took so far."""
    told = int(task.usage.get("total_tokens", 0) or 0)
    return max(told, view.tokens if view is not None else 0)


def cost(task: TaskItem, view: AgentView | None) -> float | None:
    """What it cost so far, None where no price is known."""
    return task.cost if task.cost is not None else view.cost if view is not None else None


def spent(number: int, price: float | None) -> str:
    """Tokens and cost; the cost is in the currency of the settings' prices. Empty where nothing was used."""
    parts = [f"{count(number)} tok" if number else "", f"cost {money(price)}" if price is not None else ""]
    return " · ".join(part for part in parts if part)


def can(task: TaskItem, view: AgentView | None = None) -> frozenset[str]:
    """What a person can do with it now: of ``stop``, ``message``, ``retry``, ``review`` and ``discard``."""
    if live(task):
        found = {"stop", "message"}
        return frozenset(found | ({"review"} if changed(task, view) else set()))
    found = {"retry"}
    if task.changes or task.files_changed:
        found.add("review")  # also of what was decided: it can be taken back
    if to_review(task):
        found.add("discard")
    return frozenset(found)
