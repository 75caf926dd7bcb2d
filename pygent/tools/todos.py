"""``update_todos``: the list of what is to be done, which the user sees."""

from __future__ import annotations

from typing import Any

from pygent.errors import ToolError
from pygent.events import TodosUpdated
from pygent.todos import progress, read_todos
from pygent.tools.registry import Tool


def update_todos(rt: Any, todos: list[Any]) -> str:
    """Replace the list of to-dos. Raises ``ToolError`` for to-dos that cannot be used."""
    try:
        items = read_todos(todos)
    except ValueError as error:
        raise ToolError(str(error)) from error
    scope = getattr(rt, "scope", None)
    if scope is not None:
        scope.emit(TodosUpdated(agent_id=scope.agent_id, todos=items))
    if not items:
        return "The list is empty."
    found = progress(items)
    return f"{found.words}. Next: {found.now}" if found.now else f"{found.words}."


TOOLS = (
    Tool(
        "update_todos",
        "Show the user the steps of longer work. Send the whole list.",
        {
            "type": "object",
            "properties": {
                "todos": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "text": {"type": "string"},
                            "state": {"description": "pending, active or done"},
                        },
                        "required": ["text"],
                    },
                }
            },
            "required": ["todos"],
        },
        update_todos,
        "read",
    ),
)
