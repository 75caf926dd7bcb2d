"""Tasks of a session that is gone on with, and lost ones of the same workspace, are there again to be decided on."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent.errors import PygentError
from pygent.events import MAIN, Event, Level, MessageFinished, TaskFinished, TaskStarted, TaskUpdated, ToolFinished
from pygent.loop import RunResult
from pygent.persona import Persona
from pygent.tasks.left import left, take_left
from pygent.tasks.place import Place, Record
from pygent.tasks.reports import report
from pygent.tasks.task import Order, Task, usage_of
from pygent.tasks.work import Work
from pygent.workspace import Workspace

if TYPE_CHECKING:
    from pygent.tasks.manager import TaskManager

log = logging.getLogger(__name__)

_ENDS = re.compile(r"^Task (\w+) \(.*\): (?!running|queued|waiting)", re.MULTILINE)
"""How a report begins."""


def known_end(folder: Path, task_id: str) -> dict[str, Any]:
    """What ``TaskFinished`` tells of a task of a process that is gone; nothing where nothing is known of it."""
    place = Place.take(folder / task_id)
    if place is None:
        return {}
    try:
        _look(place, Path(place.record.parent))
        return _end(place.record)
    finally:
        place.close()


def restore(
    manager: TaskManager,
    folder: Path,
    parent_rt: Any,
    *,
    session_id: str | None,
    known: Collection[str],
    heard: Collection[str] = (),
) -> list[Record]:
    """Take over what lies in ``folder`` of the session and of the workspace.

    Answers the tasks of other sessions, and those of its own that were lost.

    ``parent_rt`` is the agent's runtime, which has a workspace. ``known`` are the ids of tasks that the stream tells
    of already; of others it is told now. Those of them that the parent has not ``heard`` of are reported to it.
    """
    workspace: Workspace = parent_rt.workspace
    found: list[Record] = []
    for place in take_left(folder, session_id=session_id, workspace=str(workspace.root)):
        if place.record.parent != str(workspace.root):  # the session was in another workspace then
            place.close()
            continue
        _look(place, workspace.root)
        events = () if place.record.id in known else _events(place.record)
        task = _task(manager, place, parent_rt)
        manager.adopt(task, *events)
        if task.id in known and task.id not in heard:
            _report(manager, task)
        if place.record.state == "lost" or place.record.session_id != session_id:
            found.append(place.record)
    return found


def newly_lost(folder: Path, workspace: Workspace) -> list[Record]:
    """The lost tasks of the workspace that nobody has been told of; told of are they from now on."""
    found: list[Record] = []
    for one in left(folder):
        if one.record.ended_at is not None or one.held or one.record.parent != str(workspace.root):
            continue
        if (place := Place.take(one.root)) is not None:
            _look(place, workspace.root)
            found.append(place.record)
            place.close()
    return found


def mend(folder: Path, workspace: Workspace) -> list[str]:
    """Complete or undo what a process that was killed left half written in ``workspace``; answers that in words."""
    told: list[str] = []
    for one in left(folder):
        if one.held or one.record.parent != str(workspace.root):
            continue
        if (place := Place.take(one.root)) is not None:
            try:
                told += Work(place, workspace).mend()
            except (PygentError, OSError) as error:
                told.append(f"What task {one.record.id} left half written could not be mended: {error}")
            finally:
                place.close()
    return told


def told(records: Sequence[Record], *, here: bool) -> Iterator[tuple[Level, str]]:
    """For people: which tasks are there again, and where to decide on what they did: ``here``, or in the shell."""
    how = "is there to review" if here else "can be reviewed with `pygent tasks`"
    if lost := _names(record for record in records if record.state == "lost"):
        yield "warning", f"Pygent was ended while tasks ran, and they are lost: {lost}. What they had done {how}."
    if ended := _names(record for record in records if record.state != "lost"):
        yield "info", f"Nobody has decided yet on what tasks of earlier sessions changed: {ended}. It {how}."


def _names(records: Iterable[Record]) -> str:
    return ", ".join(f"{record.persona} ({record.id})" for record in records)


def _look(place: Place, parent: Path) -> None:
    """Note what the task had changed, where nobody came to that."""
    record = place.record
    if record.state != "lost" or not parent.is_dir():
        return
    from pygent.changes.base import Base  # noqa: PLC0415 - only after a crash

    try:
        if Base.was_made(place.base):
            record.changes = [change.to_dict() for change in Work(place, Workspace(parent)).changes().files]
        else:  # killed before the task had begun
            record.changes = []
        place.save()
    except (PygentError, OSError):
        log.exception("the changes of task %s cannot be told", record.id)


def _report(manager: TaskManager, task: Task) -> None:
    """Let the parent hear of a task whose end it could not be told."""
    try:
        task.changes = manager.diff(task.id)
    except (PygentError, OSError):
        log.exception("the changes of task %s cannot be told", task.id)
    manager.reports.put(task.id, report(task))


def heard_of(events: Iterable[Event]) -> set[str]:
    """Ids of the tasks whose end the parent was told, in a message of its own or as a result of waiting."""
    told: set[str] = set()
    for event in events:
        if event.agent_id != MAIN:
            continue
        if isinstance(event, MessageFinished) and event.origin == "task":
            told.update(_ENDS.findall(str(event.message.get("content") or "")))
        elif isinstance(event, ToolFinished):
            told.update(_ENDS.findall(event.output))
    return told


def _events(record: Record) -> tuple[Event, ...]:
    return (
        TaskStarted(
            task_id=record.id,
            persona=record.persona,
            prompt=record.prompt,
            workspace=record.workspace,
            retry_of=record.retry_of,
        ),
        TaskUpdated(task_id=record.id, status=record.status, state=record.state),
        TaskFinished(task_id=record.id, **_end(record)),
    )


def _end(record: Record) -> dict[str, Any]:
    told: dict[str, Any] = {
        "status": record.status,
        "state": record.state,
        "files_changed": [str(change.get("path")) for change in record.changes],
        "changes": record.changes,
    }
    if record.state == "lost":  # of the rest nothing was noted
        return told
    return {**told, "result": record.result, "steps": record.steps, "usage": record.usage, "cost": record.cost}


def _task(manager: TaskManager, place: Place, parent_rt: Any) -> Task:
    record = place.record
    persona = next((one for one in manager.personas if one.name == record.persona), Persona(record.persona, ""))
    usage = usage_of(record.usage)
    task = Task(
        record.id,
        persona,
        record.prompt,
        status=record.status,
        state=record.state,
        started_at=record.started_at,
        ended_at=record.ended_at,
        workspace=record.workspace,
        retry_of=record.retry_of,
        steps=record.steps,
        usage=usage,
        cost=record.cost,
        place=place,
        result=RunResult("cancelled", record.result, record.steps, usage),
        order=Order(
            prompt=record.prompt,
            persona=persona,
            parent_rt=parent_rt,
            files=tuple(record.files),
            workspace=record.workspace,
            delegated=record.delegated,
        ),
    )
    task.inbox.close()
    task.resting.set()
    return task
