"""What models can do: the built-in tools, tools of one's own, and the executor that runs a call."""

from pygent.tools import control, delegation, edit, files, pictures, planning, search, shell, todos, web
from pygent.tools.decorator import tool
from pygent.tools.executor import CallOutcome, Executor
from pygent.tools.registry import REGISTRY, Tool, ToolFunction, ToolRegistry, register_tool

BUILTIN: tuple[Tool, ...] = (
    *shell.TOOLS,
    *files.TOOLS,
    *edit.TOOLS,
    *search.TOOLS,
    *todos.TOOLS,
    *delegation.TOOLS,
    files.DOWNLOAD,
    *pictures.TOOLS,
    *web.TOOLS,
    *planning.TOOLS,
    *control.TOOLS,
)
"""The tools that are registered automatically."""

for _builtin in BUILTIN:
    REGISTRY.add(_builtin)

__all__ = [
    "BUILTIN",
    "REGISTRY",
    "CallOutcome",
    "Executor",
    "Tool",
    "ToolFunction",
    "ToolRegistry",
    "register_tool",
    "tool",
]
