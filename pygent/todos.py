"""The list of to-dos that a model keeps and people see.

In events and in the model's calls a to-do is ``{"text": …, "state": …}``; the state is one of `STATES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pygent.events import MAIN, Event, TodosUpdated

STATES = ("pending", "active", "done")
MOST = 50
"""To-dos of one list."""
LONGEST = 300
"""Characters of one to-do."""
NAMED = 4
"""Open to-dos that a reminder names."""

_MEANT = {
    "": "pending",
    "todo": "pending",
    "open": "pending",
    "not_started": "pending",
    "in_progress": "active",
    "doing": "active",
    "current": "active",
    "complete": "done",
    "completed": "done",
    "finished": "done",
    "cancelled": "done",
}
"""What models write in place of a state."""


class Progress(NamedTuple):
    """How far a list is. ``now`` is the first active to-do, or the first that is open; "" where all are done."""

    done: int
    total: int
    now: str

    @property
    def words(self) -> str:
        """``2 of 5 done``."""
        return f"{self.done} of {self.total} done"


def read_todos(todos: Iterable[Any]) -> list[dict[str, Any]]:
    """To-dos as a model wrote them, in their fixed form.

    Raises ``ValueError``, in words for the model, for an unknown state, an empty text and a list that is too long.
    """
    found: list[dict[str, Any]] = []
    for number, one in enumerate(todos, 1):
        given: Mapping[str, Any] = one if isinstance(one, Mapping) else {"text": one}
        text = " ".join(str(given.get("text") or "").split())
        if not text:
            raise ValueError(f"to-do {number} has no text")
        word = str(given.get("state") or "").strip().lower().replace(" ", "_").replace("-", "_")
        state = _MEANT.get(word, word)
        if state not in STATES:
            raise ValueError(f"to-do {number}: the state {word!r} is none of {', '.join(STATES)}")
        found.append({"text": text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…", "state": state})
    if len(found) > MOST:
        raise ValueError(f"{len(found)} to-dos are too many; a list has at most {MOST}")
    return found


def progress(todos: Sequence[Mapping[str, Any]]) -> Progress:
    """How far a list is."""
    left = [one for one in todos if one.get("state") != "done"]
    active = [one for one in left if one.get("state") == "active"]
    now = str((active or left)[0].get("text", "")) if left else ""
    return Progress(len(todos) - len(left), len(todos), now)


def last_todos(events: Iterable[Event], agent_id: str = MAIN) -> list[dict[str, Any]]:
    """The list as an agent's stored events leave it."""
    found: list[dict[str, Any]] = []
    for event in events:
        if isinstance(event, TodosUpdated) and event.agent_id == agent_id:
            found = event.todos
    return found


class TodoList:
    """The list of one agent, and what it is to be reminded of."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._told = ""

    def to_do(self) -> str:
        """What is open, in words for the model; "" where nothing is, or where that was told already."""
        left = [str(one.get("text")) for one in self.items if one.get("state") != "done"]
        if not left:
            return ""
        named = "; ".join(left[:NAMED]) + (f"; {len(left) - NAMED} more" if len(left) > NAMED else "")
        text = f"Open on your list: {named}."
        if text == self._told:
            return ""
        self._told = text
        return text
