"""Which of the tasks are shown: what a filter's words mean, and the list in its order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pygent.transcript import TaskItem
from pygent.tui.panes.task_words import live, name_of, sign_of, to_review
from pygent.tui.panes.tool_filter import split_words

STATES = ("queued", "running", "waiting", "finished", "failed", "cancelled", "timeout", "lost")
GROUPS = {
    "running": ("queued", "running", "waiting"),
    "ended": ("finished", "failed", "cancelled", "timeout", "lost"),
    "review": ("review",),
}
CYCLE = ("", "running", "ended", "review")
"""The states that one key goes through; "" is all."""


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Words that a task must have in its persona, prompt or id, and what its state and persona must be.

    ``states`` and ``personas`` are empty, or have alternatives of which one must fit. ``unknown`` are words that mean
    nothing.
    """

    words: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    personas: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.states or self.personas or self.unknown)

    def fits(self, task: TaskItem) -> bool:
        """Whether the task is shown."""
        if self.unknown or (self.states and not any(_is(task, state) for state in self.states)):
            return False
        name = spelled(task)
        if self.personas and not any(persona in name for persona in self.personas):
            return False
        text = f"{task.persona}\n{task.prompt}\n{task.task_id}".lower()
        return all(word in text for word in self.words)


def spelled(task: TaskItem) -> str:
    """A task's persona as a filter has it: small letters, no blanks."""
    return name_of(task).lower().replace(" ", "-")


def parse_filter(text: str) -> TaskFilter:
    """Read what was typed: plain words, and ``status:`` and ``persona:`` with alternatives after commas."""
    words, found = split_words(text, ("status", "persona"))
    states: list[str] = []
    unknown: list[str] = []
    for state in found["status"]:
        fitting = GROUPS.get(state) or [one for one in (*STATES, "review") if one.startswith(state)]
        states += fitting
        unknown += [] if fitting else [state]
    return TaskFilter(tuple(words), tuple(states), tuple(found["persona"]), tuple(unknown))


def in_order(tasks: Iterable[TaskItem]) -> list[TaskItem]:
    """What goes on comes first, in the order of its start; what ended after it, the last end first."""
    return sorted(tasks, key=lambda task: (not live(task), task.at if task.ended_at is None else -task.ended_at))


def summary_of(tasks: Sequence[TaskItem]) -> str:
    """How many there are of each kind, the ones that need somebody among them."""
    states = [sign_of(task).word for task in tasks if live(task)]
    waiting, queued = states.count("waiting"), states.count("queued")
    review, ended = sum(map(to_review, tasks)), len(tasks) - len(states)
    parts = (
        (len(states) - waiting - queued, "running"),
        (waiting, "waiting"),
        (review, "to review"),
        (queued, "queued"),
        (ended - review, "ended"),
    )
    return " · ".join(f"{number} {word}" for number, word in parts if number)


def _is(task: TaskItem, state: str) -> bool:
    if state == "review":
        return to_review(task)
    word = sign_of(task).word
    word = "failed" if word == "error" else word
    return word == state and live(task) == (state in GROUPS["running"])
