"""The tools that hand work to other agents, wait for it, and take over what they made."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from pygent.approvals.policy import is_protected
from pygent.cancellation import CancelToken
from pygent.errors import TaskError, ToolError, WorkspaceError
from pygent.events import Event
from pygent.persona import Persona
from pygent.tools.registry import Tool

if TYPE_CHECKING:
    from pygent.changes import Applied, ChangeSet, OnConflict


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
        workspace: Literal["files", "copy"] = "files",
    ) -> str:
        """Start an agent in the background; answers the task's id.

        Raises ``RuntimeError`` where it cannot be started, in words for the model.
        """
        ...

    def meant(self, task_id: str) -> str:
        """The id that a model means, which may have written a placeholder."""
        ...

    def status(self, task_id: str) -> str:
        """How a task stands, in words."""
        ...

    def collect_file(self, rt: Any, task_id: str, path: str, dest: str | None = None) -> str:
        """Copy a file of a task's workspace into ``rt``'s; answers in words."""
        ...

    def wait_for(self, task_ids: Sequence[str] | None, cancel: CancelToken, timeout: float | None = None) -> str:
        """Wait until these tasks end, or all that run; answers in words how they ended."""
        ...

    def diff(self, task_id: str) -> ChangeSet:
        """What a task changed and nobody has decided on. Raises as ``apply``."""
        ...

    def apply(
        self,
        task_id: str,
        paths: Sequence[str] | None = None,
        *,
        on_conflict: OnConflict = "leave",
        by: str = "user",
        emit: Callable[[Event], object] | None = None,
    ) -> Applied:
        """Take over what a task changed, all of it or these paths; ``emit`` tells which files were written.

        Raises ``TaskError`` and ``WorkspaceError`` where it cannot be.
        """
        ...


def delegate_task(rt: Any, prompt: str, files: list[str] | None = None) -> str:
    """Start an agent in the background, in a copy of this workspace where no files are named."""
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


def wait_for_tasks(rt: Any, task_ids: list[str] | None = None, **ignored: object) -> str:  # noqa: ARG001
    """Wait for tasks to end; answers what they report.

    Models would choose a time to wait, mostly too short, and ask again and again: the limits of the tasks and of the
    run hold instead.
    """
    tasks = _tasks(rt)
    wanted = [tasks.meant(task_id) for task_id in task_ids] if task_ids else None
    try:
        return tasks.wait_for(wanted, rt.scope.cancel)
    except TaskError as error:
        raise ToolError(str(error)) from error


def apply_task(rt: Any, task_id: str, paths: list[str] | None = None, on_conflict: str = "leave") -> str:
    """Take over what a task changed, all of it or some paths."""
    scope, tasks = rt.scope, _tasks(rt)
    task_id = tasks.meant(task_id)
    from pygent.changes import Applied  # noqa: PLC0415 - only once something is taken over

    if on_conflict not in _LEFT:
        raise ToolError(f"on_conflict {on_conflict!r} cannot be used; give one of {', '.join(_LEFT)}")
    how = cast("OnConflict", on_conflict)
    try:
        paths, trusted = _without_trusted(tasks.diff(task_id).paths, paths or None)
        applied = Applied()
        if paths != []:
            applied = tasks.apply(task_id, paths, on_conflict=how, by=scope.agent_id, emit=scope.emit)
    except (TaskError, WorkspaceError) as error:
        raise ToolError(str(error)) from error
    lines = [f"Took over: {', '.join(applied.paths)}" if applied.paths else "Nothing was taken over."]
    if applied.merged:
        lines.append(f"Merged with what was changed here meanwhile: {', '.join(applied.merged)}")
    lines += [f"Conflict, {_LEFT[how]}: {one.path}: {one.reason}" for one in applied.conflicts]
    if trusted:
        lines.append(
            f"Left out, since other programs trust them: {', '.join(trusted)}. To have them, name them in paths."
        )
    for path, others in (applied.overlaps or {}).items():
        lines.append(f"{path} was changed by {', '.join(others)}, too")
    return "\n".join(lines)


def _without_trusted(changed: Sequence[str], paths: list[str] | None) -> tuple[list[str] | None, list[str]]:
    """What of ``paths`` to take over, and what is left out of it: what other programs trust and nobody named."""
    if not any(is_protected(path) for path in changed):
        return paths, []
    if paths is None:
        chosen = list(changed)
    else:
        names = [posixpath.normpath(path) for path in paths]
        within = {name: [one for one in changed if name == "." or f"{one}/".startswith(f"{name}/")] for name in names}
        for name, found in within.items():
            if not found:
                raise ToolError(f"the task changed no {name}; it changed: {', '.join(changed)}")
        chosen = [one for one in changed if any(one in found for found in within.values())]
    trusted = [path for path in chosen if is_protected(path) and path not in (paths or ())]
    return [path for path in chosen if path not in trusted], trusted


def _start(rt: Any, prompt: str, files: list[str] | None, persona: Persona | None) -> str:
    tasks = _tasks(rt)
    if not prompt.strip():
        raise ToolError("the prompt is empty; say what is to be done")
    depth = rt.scope.depth
    if depth >= 1:
        raise ToolError("a delegated task cannot delegate again; do the work yourself")
    kind, named, note = _workspace(rt, files or [])
    try:
        task_id = tasks.start_task(prompt, rt, files=named, parent_depth=depth, persona=persona, workspace=kind)
    except RuntimeError as error:  # the limit of tasks, in words for the model
        raise ToolError(str(error)) from error
    return f"{note}started {task_id}"


def _workspace(rt: Any, files: list[str]) -> tuple[Literal["files", "copy"], list[str], str]:
    """The kind of workspace, the files to bring, and a word to the model: it may name files that are to be made."""
    if not files:
        return "copy", [], ""
    exists = getattr(getattr(rt, "workspace", None), "exists", None)
    if exists is None:  # a duck-typed runtime: reading them tells
        return "files", files, ""
    there = [path for path in files if exists(path)]
    if not there:
        return "copy", [], f"{', '.join(files)}: not here yet, so the task has a copy of the workspace; "
    if len(there) < len(files):
        missing = ", ".join(path for path in files if path not in there)
        raise ToolError(f"{missing}: there is no such file here; files are those to copy, not those to make")
    return "files", files, ""


def _tasks(rt: Any) -> TaskService:
    tasks = getattr(getattr(rt, "scope", None), "tasks", None)
    if tasks is None:
        raise ToolError("delegation is not available here; do the work yourself")
    service: TaskService = tasks
    return service


_LEFT = {
    "leave": "left as it is here (on_conflict says otherwise)",
    "markers": "both are in the file, with markers",
    "ours": "left as it is here",
    "theirs": "it has the task's version",
}

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_FILES = {**_TEXTS, "description": "copy only these files"}
_PROMPT = {"type": "string", "description": "the whole task; it knows nothing else"}

TOOLS = (
    Tool(
        "delegate_task",
        "Start a background agent in a copy of the workspace; answers its task id.",
        {
            "type": "object",
            "properties": {"prompt": _PROMPT, "files": _FILES},
            "required": ["prompt"],
        },
        delegate_task,
        "delegate",
    ),
    Tool(
        "delegate_persona_task",
        "Like delegate_task, with a persona from list_personas.",
        {
            "type": "object",
            "properties": {"prompt": _TEXT, "persona": _TEXT, "files": _TEXTS},
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
        "wait_for_tasks",
        "Wait for these tasks, or all, to end; answers their reports.",
        {"type": "object", "properties": {"task_ids": _TEXTS}},
        wait_for_tasks,
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
    Tool(
        "apply_task",
        "Take over a task's changes, all or some paths.",
        {
            "type": "object",
            "properties": {"task_id": _TEXT, "paths": _TEXTS, "on_conflict": {"enum": list(_LEFT)}},
            "required": ["task_id"],
        },
        apply_task,
        "write",
    ),
)
