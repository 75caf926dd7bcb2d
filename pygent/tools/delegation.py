"""The tools that hand work to other agents and fetch what they made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from pygent.errors import ToolError
from pygent.persona import Persona
from pygent.tools.registry import Tool


class TaskService(Protocol):
    """What these tools need of whoever runs tasks; ``TaskManager`` is one."""

    personas: list[Persona]

    def start_task(
        self,
        prompt: str,
        parent_rt: Any,
        files: Sequence[str] | None = None,
        parent_depth: int = 0,
        step_timeout: float | None = None,
        task_timeout: float | None = None,
        persona: Persona | str | None = None,
    ) -> str:
        """Start an agent in the background; answers the task's id.

        Raises ``RuntimeError`` where it cannot be started, in words for the model.
        """
        ...

    def status(self, task_id: str) -> str:
        """How a task stands, in words."""
        ...

    def collect_file(self, rt: Any, task_id: str, path: str, dest: str | None = None) -> str:
        """Copy a file of a task's workspace into ``rt``'s; answers in words."""
        ...


def delegate_task(rt: Any, prompt: str, files: list[str] | None = None) -> str:
    """Start an agent in the background."""
    return _start(rt, prompt, files, None)


def delegate_persona_task(rt: Any, prompt: str, persona: str, files: list[str] | None = None) -> str:
    """Start an agent of a chosen persona in the background."""
    personas = _tasks(rt).personas
    wanted = persona.strip().casefold()
    chosen = next((one for one in personas if one.name.casefold() == wanted), None)
    if chosen is None:
        names = ", ".join(one.name for one in personas) or "none"
        raise ToolError(f"there is no persona {persona!r}; there are: {names}")
    return _start(rt, prompt, files, chosen)


def list_personas(rt: Any) -> str:
    """The personas that a task can be given to, as a JSON array."""
    return json.dumps([persona.to_dict() for persona in _tasks(rt).personas], ensure_ascii=False)


def task_status(rt: Any, task_id: str) -> str:
    """How a task stands."""
    return _tasks(rt).status(task_id.strip())


def collect_file(rt: Any, task_id: str, path: str, dest: str | None = None) -> str:
    """Copy a file from a task's workspace into this one."""
    answer = _tasks(rt).collect_file(rt, task_id.strip(), path, dest)
    if not answer.startswith("Retrieved"):
        raise ToolError(answer.removeprefix("Error: "))
    return answer


def _start(rt: Any, prompt: str, files: list[str] | None, persona: Persona | None) -> str:
    tasks = _tasks(rt)
    if not prompt.strip():
        raise ToolError("the prompt is empty; say what is to be done")
    depth = rt.scope.depth
    if depth >= 1:
        raise ToolError("a delegated task cannot delegate again; do the work yourself")
    try:
        task_id = tasks.start_task(prompt, rt, files=files, parent_depth=depth, persona=persona)
    except RuntimeError as error:  # the limit of tasks, in words for the model
        raise ToolError(str(error)) from error
    return f"started {task_id}"


def _tasks(rt: Any) -> TaskService:
    tasks = getattr(getattr(rt, "scope", None), "tasks", None)
    if tasks is None:
        raise ToolError("delegation is not available here; do the work yourself")
    service: TaskService = tasks
    return service


_TEXT = {"type": "string"}
_FILES = {"type": "array", "items": _TEXT, "description": "files to copy into its workspace"}
_PROMPT = {"type": "string", "description": "the whole task; it knows nothing else"}

TOOLS = (
    Tool(
        "delegate_task",
        "Start a background agent in its own workspace; answers its task id.",
        {"type": "object", "properties": {"prompt": _PROMPT, "files": _FILES}, "required": ["prompt"]},
        delegate_task,
        "delegate",
    ),
    Tool(
        "delegate_persona_task",
        "Like delegate_task, with a persona from list_personas.",
        {
            "type": "object",
            "properties": {"prompt": _TEXT, "persona": _TEXT, "files": {"type": "array", "items": _TEXT}},
            "required": ["prompt", "persona"],
        },
        delegate_persona_task,
        "delegate",
    ),
    Tool(
        "list_personas",
        "List the personas for delegation.",
        {"type": "object", "properties": {}},
        list_personas,
        "read",
    ),
    Tool(
        "task_status",
        "Status of a delegated task.",
        {"type": "object", "properties": {"task_id": _TEXT}, "required": ["task_id"]},
        task_status,
        "read",
    ),
    Tool(
        "collect_file",
        "Copy a file from a task's workspace into yours.",
        {
            "type": "object",
            "properties": {"task_id": _TEXT, "path": _TEXT, "dest": _TEXT},
            "required": ["task_id", "path"],
        },
        collect_file,
        "write",
    ),
)
