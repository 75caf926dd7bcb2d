"""The events of a child on the cluster as they arrive: looked at, counted, handed on, and ended where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pygent.endings import endings
from pygent.events import (
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolOutput,
    from_dict,
)
from pygent.openai_compat import Usage

if TYPE_CHECKING:
    from pygent.tasks.executors import TaskWork

_OURS_ALONE = ("task.", "approval.", "session.")
"""Events that a worker has no business to send: what they tell is decided at home."""


class Arrivals:
    """Takes the events of one run of a child, in order, on the task's thread.

    ``spent`` is called once where others have spent what the task shares with them of a budget. ``taken`` are the
    events that are kept.
    """

    def __init__(self, work: TaskWork, spent: Callable[[], object]) -> None:
        self.taken: list[Event] = []
        self._work = work
        self._spent: Callable[[], object] | None = spent
        self._open = _Open()
        self._strange = False

    def take(self, data: Mapping[str, Any]) -> None:
        """Hand one event on, as far as it is one that a child may send."""
        try:
            event = from_dict(dict(data))
            if event.agent_id != self._work.id or event.type.startswith(_OURS_ALONE):
                raise ValueError(f"{event.type} of {event.agent_id}")  # noqa: TRY301 - told with the others
        except (ValueError, TypeError) as error:
            if not self._strange:
                self._strange = True
                text = f"The worker sent something that is no event of this task, which is left out: {error}"
                self._work.publish(Notice(agent_id=self._work.id, level="warning", text=text))
            return
        if isinstance(event, ToolFinished | ToolOutput) and event.output_file:
            event = replace(event, output_file=None)  # a file of the worker's machine
        self._publish(event)
        self._count(event)

    def end(self, why: str) -> None:
        """Publish an end for all that the child had begun."""
        for event in self._open.ends(why):
            self._publish(event)

    def _publish(self, event: Event) -> None:
        self._open.add(event)
        if event.durable:
            self.taken.append(event)
        self._work.publish(event)

    def _count(self, event: Event) -> None:
        """Charge the task's account; the run ends where others have spent what they share with it."""
        account = self._work.account
        if account is None:
            return
        if isinstance(event, StepStarted):
            account.take_step(force=True)
        elif isinstance(event, StepFinished):
            names = ("prompt_tokens", "completion_tokens", "total_tokens")
            usage = Usage(*(int(event.usage.get(name) or 0) for name in names))
            for crossing in account.charge(usage, event.cost):
                if crossing.agent_id != self._work.id:  # of its own budget the child tells itself
                    self._work.publish(Notice(agent_id=crossing.agent_id, level="warning", text=crossing.text))
            if account.spent and self._spent is not None:
                self._spent()
                self._spent = None


class _Open:
    """What the child has begun and not ended. Within a step all is ended when the step is, so little is kept."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._before_step = 0

    def add(self, event: Event) -> None:
        """Take notice of an event."""
        if not event.durable:
            return
        if isinstance(event, RunFinished):
            self._events.clear()
        elif isinstance(event, StepFinished):
            del self._events[self._before_step :]
        else:
            if isinstance(event, RunStarted):
                self._events.clear()
            elif isinstance(event, StepStarted):
                self._before_step = len(self._events)
            self._events.append(event)

    def ends(self, why: str) -> list[Event]:
        """What ends all that is open."""
        events, self._events = self._events, []
        return [
            replace(event, reason="failed", error=why) if isinstance(event, RunFinished) else event
            for event in endings(events)
        ]
