"""The life of one task: its place, agent and files are made ready, its work is done, its end is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent.approvals import narrowed
from pygent.bus import Sink, Stream
from pygent.errors import Cancelled, PygentError, Stopped, TaskLost
from pygent.events import E, Event, Notice, Reason, TaskFinished, TaskState, TaskUpdated
from pygent.ledger import Account
from pygent.loop import Limits, RunResult
from pygent.model_call import ModelInUse
from pygent.persona import Persona
from pygent.settings import Settings, from_environment
from pygent.tasks.accounts import session_account, task_account
from pygent.tasks.executors import TaskExecutor, TaskWork
from pygent.tasks.place import Place, Record
from pygent.tasks.task import Order, Task
from pygent.wiring import Wiring, open_network, workspace_roots

if TYPE_CHECKING:
    from pygent.agent import Agent

log = logging.getLogger(__name__)

NOTES_SHOWN = 5
"""What was left out of a copy is told up to so many times."""


@dataclass(slots=True)
class Surroundings:
    """What all tasks of a manager share. ``folder`` is where their places are, None for temporary ones."""

    parent: Agent | None
    factory: Callable[[Persona], Any] | None
    executor: TaskExecutor
    settings: Settings
    folder: Path | None = None
    account: Account = field(default_factory=Account)
    """What counts the costs where no parent's session does."""

    @property
    def session_id(self) -> str:
        """The session of the parent's stream, "" where it has none."""
        return str(getattr(self.parent.wiring.bus, "session_id", "")) if self.parent is not None else ""

    def emit(self, event: Event) -> None:
        """Tell the parent's stream."""
        if self.parent is not None:
            self.parent.wiring.bus.publish(event)


class TaskStream:
    """The stream that a task's agent writes to: the task takes note, and the parent's stream goes on with it."""

    def __init__(self, task: Task, stream: Stream) -> None:
        self._task = task
        self._stream = stream
        self.redactor = stream.redactor

    def publish(self, event: E) -> E:
        """See ``Stream``."""
        self._task.take(event)
        return self._stream.publish(event)

    def subscribe(self, sink: Sink) -> Callable[[], None]:
        """See ``Stream``."""
        return self._stream.subscribe(sink)


def prepare(task: Task, order: Order, around: Surroundings) -> None:
    """Make the task's place, its agent, and the files it begins with.

    Raises whatever the agent's factory raises, ``TaskError`` and ``WorkspaceError``; ``discard`` then clears up.
    """
    source = getattr(order.parent_rt, "workspace", None)
    if source is not None:
        record = Record(
            id=task.id,
            session_id=around.session_id,
            parent=str(source.root),
            persona=task.persona.name,
            prompt=task.prompt,
            workspace=order.workspace,
            files=list(order.files),
            ignored=order.workspace == "copy" and around.settings.tasks_copy_ignored,
            delegated=order.delegated,
            retry_of=order.retry_of,
            started_at=task.started_at,
        )
        task.place = Place.make(around.folder, record)
    task.agent = _agent(task, around)
    _join(task, around)
    from pygent.tasks.workspaces import furnish  # noqa: PLC0415 - only once a task is started

    furnish(task, order)
    if not around.executor.remote:
        _start(task.agent)  # only now: a container mounts parts of what there is in the workspace


def tell_left_out(task: Task, around: Surroundings) -> None:
    """Say what could not be copied for the task, and what of its persona cannot be held."""
    note = "" if around.executor.remote else open_network(task.persona, getattr(task.agent, "runtime", None))
    if note:
        around.emit(Notice(level="warning", text=note))
    if task.base is not None and task.base.notes:
        shown = task.base.notes[:NOTES_SHOWN]
        more = len(task.base.notes) - len(shown)
        text = f"Not copied for task {task.id}: {'; '.join(shown)}{f'; and {more} more' if more else ''}"
        around.emit(Notice(level="warning", text=text))


def _start(agent: Any) -> None:
    """Have what the agent's commands run in ready. Raises ``SandboxUnavailable``."""
    start = getattr(getattr(getattr(agent, "runtime", None), "sandbox", None), "open", None)
    if start is not None:
        start()


def discard(task: Task) -> None:
    """Undo ``prepare``: the agent is closed and the place removed."""
    close = getattr(task.agent, "close", None)
    if close is not None:
        close()
    if task.place is not None:
        task.place.remove()


def _agent(task: Task, around: Surroundings) -> Any:
    if around.factory is not None:
        return around.factory(task.persona)
    folder = task.place.workspace if task.place is not None else None
    if around.parent is not None:
        return _child(around.parent, task.persona, folder)
    from pygent.agent import Agent  # noqa: PLC0415 - the one import that goes up: a task's agent
    from pygent.runtime import Runtime  # noqa: PLC0415 - loaded with it

    runtime = Runtime(temporary=True) if folder is None else Runtime(workspace=folder)
    return Agent(runtime, persona=task.persona)


def _child(parent: Agent, persona: Persona, workspace: Path | None) -> Agent:
    """An agent with the parent's model, tools and kind of runtime, as far as its persona allows."""
    from pygent.agent import Agent  # noqa: PLC0415 - see _agent
    from pygent.runtime import Runtime  # noqa: PLC0415 - loaded with it

    sibling = getattr(parent.runtime, "sibling", None)
    runtime = (
        Runtime(temporary=True)
        if sibling is None
        else sibling(workspace=workspace, image=persona.image, network=persona.network, start=False)
    )
    find = parent.wiring.find_model
    if persona.model and find is not None:
        chosen = find(persona.model)
        agent = Agent(runtime, chosen.model, chosen.name, persona, tools=parent.registry)
        agent.use(chosen)
    else:
        name = persona.model or parent.model_name or from_environment().model
        agent = Agent(runtime, parent.model, name, persona, tools=parent.registry)
        window = parent.chosen.window if name == parent.model_name else lambda: None
        agent.use(ModelInUse(agent.model, name, parent.wiring.prices, window))
    agent.disabled_tools = {*parent.registry.names()} - {*parent.tool_names(), "stop", "continue"}
    return agent


def _join(task: Task, around: Surroundings) -> None:
    join = getattr(task.agent, "join", None)
    if join is None:  # an agent of another make, with a stream of its own
        return
    wiring: Wiring = task.agent.wiring if around.parent is None else around.parent.wiring
    session = session_account(around.parent, around.account)
    task.account = task_account(task.id, task.persona, task.budget, session, around.parent)
    stream = TaskStream(task, wiring.bus)
    child = around.factory is None and around.parent is not None
    approvals = narrowed(wiring.approvals, workspace_roots(task.agent.runtime), task.persona, stream.publish)
    if approvals is not None:
        approvals.on_wait = lambda waits: _waits(task, around, waits)
    join(
        Wiring(
            bus=stream,
            agent_id=task.id,
            approvals=approvals,
            cancel=task.cancel,
            depth=1,
            cancellable=True,
            steering=task.inbox.take,
            prices=task.agent.wiring.prices if child else wiring.prices,
            budget=task.account,
            vision=wiring.vision,
            compact_at=wiring.compact_at,
            instructions=wiring.instructions,
        )
    )


def _waits(task: Task, around: Surroundings, waits: bool) -> None:
    """The task waits for a person from now on, or no longer does."""
    task.state = task.status = "waiting" if waits else "running"
    around.emit(TaskUpdated(task_id=task.id, status=task.status, state=task.state))


def work(task: Task, order: Order, around: Surroundings, prompt: str) -> tuple[TaskState, str]:
    """Run the task's agent on ``prompt`` and on what is said to it meanwhile; answers how that ended."""
    limit = around.settings.max_time if order.task_timeout is None else order.task_timeout
    steps = [most for most in (around.settings.max_steps, task.persona.max_steps) if most is not None]
    limits = Limits(min(steps, default=None), order.step_timeout, limit)
    wiring = getattr(task.agent, "wiring", None)
    publish = wiring.bus.publish if wiring is not None else task.take
    prices = wiring.prices if wiring is not None else {}
    begun = time.monotonic()
    try:
        while True:
            task.result = around.executor.run(TaskWork(task, prompt, limits, publish, prices))
            reason: Reason = task.result.reason if task.result is not None else "completed"
            if reason not in {"stopped", "completed", "input_required"}:
                break
            late = task.inbox.last_call() if reason != "input_required" else task.inbox.take()
            if not late:
                break
            prompt = "\n\n".join(late)
        seconds = getattr(task.result, "seconds", 0.0) or time.monotonic() - begun
        return _end(reason, limit, seconds)
    except TaskLost as error:
        return "lost", f"error: {error}"
    except Stopped as stop:
        return ("cancelled", "cancelled") if isinstance(stop, Cancelled) else ("timeout", f"timeout after {limit:g}s")
    except Exception as error:  # the boundary of the task's thread: the parent reads it as the status
        return "failed", f"error: {error}"


def _end(reason: Reason, limit: float | None, seconds: float) -> tuple[TaskState, str]:
    match reason:
        case "stopped" | "completed":
            return "finished", "finished"
        case "timeout" if limit is not None and seconds > limit - 0.05:
            return "timeout", f"timeout after {limit:g}s"
        case "max_steps" | "budget" | "timeout":
            return "timeout", f"timeout after {seconds:.1f}s"
        case "input_required":
            return "waiting", "waiting"
        case "cancelled":
            return "cancelled", "cancelled"
        case _:
            return "failed", f"error: {reason}"


def finish(task: Task, around: Surroundings, state: TaskState, status: str) -> None:
    """The task is over: its container ends, its changes are looked at, its place and the stream are told."""
    task.inbox.close()
    close_sandbox(task)
    notes = _look_at_changes(task)
    task.state, task.status, task.ended_at = state, status, time.time()
    task.question = None
    changes = [change.to_dict() for change in task.changes.files] if task.changes is not None else []
    usage = task.usage.to_dict()
    if task.place is not None:
        try:
            task.place.save(
                state=state,
                status=status,
                ended_at=task.ended_at,
                result=task.text,
                steps=task.steps,
                usage=usage,
                cost=task.cost,
                changes=changes,
            )
        except OSError:
            log.exception("the end of task %s could not be written down", task.id)
        if task.base is not None:  # a session can have many tasks behind it, and each would keep files open
            task.base.close()
            if not changes and task.changes is not None:
                task.place.rest()
    around.emit(TaskUpdated(task_id=task.id, status=status, state=state))
    around.emit(
        TaskFinished(
            task_id=task.id,
            status=status,
            state=state,
            result=task.text,
            files_changed=_files_changed(task.result, changes),
            steps=task.steps,
            usage=usage,
            cost=task.cost,
            changes=changes,
        )
    )
    for note in notes:
        around.emit(Notice(level="warning", text=f"Task {task.id}: {note}"))


def _files_changed(result: RunResult | None, changes: Iterable[dict[str, Any]]) -> list[str]:
    told = list(result.files_changed) if result is not None else []
    return list(dict.fromkeys([*told, *(change["path"] for change in changes)]))


def _look_at_changes(task: Task) -> Iterable[str]:
    if task.base is None or task.place is None:
        return ()
    try:
        from pygent.tasks.workspaces import listing  # noqa: PLC0415 - loaded with the task

        task.changes = task.base.changes(listing(task.base.root, task.place.record))
    except (PygentError, OSError) as error:
        return (f"its changes cannot be told: {error}",)
    return ()


def close_sandbox(task: Task) -> None:
    """End the task's container; the files stay to be collected."""
    close = getattr(getattr(task.agent, "runtime", None), "close_sandbox", None)
    if close is None:
        return
    try:
        close()
    except Exception:  # the task has ended, whatever becomes of its container
        log.exception("the sandbox of task %s could not be closed", task.id)
