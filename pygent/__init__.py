"""Pygent: a headless coding agent and the terminal application around it.

The names below are imported when they are first used, so that ``import pygent`` costs next to nothing.
"""

from pygent._version import __version__

TYPE_CHECKING = False  # true for type checkers; the module `typing` takes as long as all the rest of this import
if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.budget import Budget
    from pygent.cancellation import CancelToken
    from pygent.errors import (
        APIError,
        APITemporaryError,
        Cancelled,
        DeadlineExceeded,
        PathOutsideWorkspace,
        PygentError,
        SandboxError,
        SandboxUnavailable,
        SettingsError,
        TaskError,
        ToolError,
        WorkspaceError,
    )
    from pygent.loop import RunResult
    from pygent.models import Model, OpenAIModel, StreamingModel, set_custom_model
    from pygent.openai_compat import Message, ToolCall, ToolCallFunction, Usage
    from pygent.persona import Persona
    from pygent.prompts import set_system_message_builder
    from pygent.runtime import Runtime
    from pygent.session import Session
    from pygent.tasks import Task, TaskManager
    from pygent.tools import Tool, ToolRegistry, register_tool, tool

_HOMES = {
    "pygent.agent": ("Agent",),
    "pygent.budget": ("Budget",),
    "pygent.cancellation": ("CancelToken",),
    "pygent.errors": (
        "APIError",
        "APITemporaryError",
        "Cancelled",
        "DeadlineExceeded",
        "PathOutsideWorkspace",
        "PygentError",
        "SandboxError",
        "SandboxUnavailable",
        "SettingsError",
        "TaskError",
        "ToolError",
        "WorkspaceError",
    ),
    "pygent.loop": ("RunResult",),
    "pygent.models": ("Model", "OpenAIModel", "StreamingModel", "set_custom_model"),
    "pygent.openai_compat": ("Message", "ToolCall", "ToolCallFunction", "Usage"),
    "pygent.persona": ("Persona",),
    "pygent.prompts": ("set_system_message_builder",),
    "pygent.runtime": ("Runtime",),
    "pygent.session": ("Session",),
    "pygent.tasks": ("Task", "TaskManager"),
    "pygent.tools": ("Tool", "ToolRegistry", "register_tool", "tool"),
}
_SUBMODULES = frozenset({"errors", "events", "openai_compat", "settings"})
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "APIError",
    "APITemporaryError",
    "Agent",
    "Budget",
    "CancelToken",
    "Cancelled",
    "DeadlineExceeded",
    "Message",
    "Model",
    "OpenAIModel",
    "PathOutsideWorkspace",
    "Persona",
    "PygentError",
    "RunResult",
    "Runtime",
    "SandboxError",
    "SandboxUnavailable",
    "Session",
    "SettingsError",
    "StreamingModel",
    "Task",
    "TaskError",
    "TaskManager",
    "Tool",
    "ToolCall",
    "ToolCallFunction",
    "ToolError",
    "ToolRegistry",
    "Usage",
    "WorkspaceError",
    "__version__",
    "register_tool",
    "set_custom_model",
    "set_system_message_builder",
    "tool",
]


def __getattr__(name: str) -> object:
    """Import a public name's module when the name is first asked for (PEP 562)."""
    from importlib import import_module  # noqa: PLC0415 - `pygent --version` does without it

    if name in _SUBMODULES:
        return import_module(f"pygent.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'pygent' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
