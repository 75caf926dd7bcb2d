"""What a person does with the agent's list of to-dos."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pygent.bus import EventBus
from pygent.events import TodosUpdated

if TYPE_CHECKING:
    from pygent.agent import Agent


class SessionPlans:
    """The part of a ``Session`` that is about what is to be done."""

    bus: EventBus
    _ready: Callable[[], Agent]

    def clear_todos(self) -> None:
        """Take all to-dos off the list; the agent may begin another. Raises ``PygentError`` before it is open."""
        self._ready().todos.items = []
        self.bus.publish(TodosUpdated(todos=[]))
