"""Launches agents in the background and keeps track of them."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pygent.errors import PygentError, TaskError
from pygent.events import Event, Reason, TaskFinished, TaskStarted, TaskUpdated
from pygent.ledger import Account
from pygent.persona import Persona
from pygent.settings import from_environment
from pygent.tasks.accounts import session_account, task_account
from pygent.tasks.files import copy_between
from pygent.tasks.task import Task
from pygent.wiring import Wiring, workspace_roots

if TYPE_CHECKING:
    from pygent.agent import Agent

log = logging.getLogger(__name__)

AgentFactory = Callable[[Persona], Any]


class TaskManager:
    """Launches agents in the background and keeps track of them.

    ``agent_factory`` is called with the persona and answers an ``Agent``. ``max_tasks`` limits how many run at once
    (default ``PYGENT_MAX_TASKS``, 3). ``personas`` are taken in turn where a task names none (default
    ``PYGENT_TASK_PERSONAS``). ``parent`` is the agent on whose behalf the tasks run: they join its event stream and
    its approvals.
    """

    def __init__(
        self,
        agent_factory: AgentFactory | None = None,
        max_tasks: int | None = None,
        personas: Sequence[Persona] | None = None,
        *,
        parent: Agent | None = None,
    ) -> None:
        settings = from_environment()
        self.max_tasks = settings.max_tasks if max_tasks is None else max_tasks
        self.personas: list[Persona] = list(settings.personas if personas is None else personas)
        self.tasks: dict[str, Task] = {}
        self._factory = agent_factory or _default_agent
        self._settings = settings
        self._parent = parent
        self._account = Account(settings.budget)
        self._lock = threading.Lock()
        self._turn = itertools.count()

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
        """Start a background agent on ``prompt``; answers its id.

        ``files`` are copied from ``parent_rt``'s workspace into the agent's own. The timeouts are in seconds and
        default to ``PYGENT_STEP_TIMEOUT`` and ``PYGENT_TASK_TIMEOUT``. ``persona`` is one or the name of one.

        Raises ``TaskError`` (a ``RuntimeError``) where ``max_tasks`` tasks run already, the parent is a task itself,
        or the persona is not known; ``WorkspaceError`` where a file cannot be copied.
        """
        if parent_depth >= 1:
            raise TaskError("a delegated task cannot delegate again: nested tasks are not allowed")
        task = self._reserve(prompt, self._persona(persona))
        try:
            task.agent = self._factory(task.persona)
            self._join(task)
            for path in files or ():
                copy_between(parent_rt, task.agent.runtime, path, path)
        except BaseException:
            with self._lock:
                del self.tasks[task.id]
            _clean_up(task)
            raise
        self._emit(TaskStarted(task_id=task.id, persona=task.persona.name, prompt=prompt))
        task.thread = threading.Thread(
            target=self._work, args=(task, step_timeout, task_timeout), name=f"pygent-task-{task.id}", daemon=True
        )
        task.thread.start()
        return task.id

    def status(self, task_id: str) -> str:
        """The task's status in the words a model reads; ``Task … not found`` for an unknown id."""
        task = self.tasks.get(task_id)
        return f"Task {task_id} not found" if task is None else task.status

    def collect_file(self, rt: Any, task_id: str, path: str, dest: str | None = None) -> str:
        """Copy a file or folder of the task's workspace into ``rt``'s, as ``dest`` or under its own name.

        Answers ``Retrieved …``, or in words why not; a model reads it.
        """
        task = self.tasks.get(task_id)
        if task is None:
            return f"Task {task_id} not found"
        try:
            copied = copy_between(task.agent.runtime, rt, path, dest or path)
        except PygentError as error:
            return f"Error: {error}"
        more = f" ({len(copied)} files)" if len(copied) > 1 else ""
        return f"Retrieved {dest or path}{more}"

    def cancel(self, task_id: str) -> bool:
        """Tell a task to end; answers False where it is over or unknown."""
        task = self.tasks.get(task_id)
        if task is None or not task.running:
            return False
        task.cancel.cancel("the task was stopped")
        return True

    def wait(self, task_id: str, timeout: float | None = None) -> bool:
        """Wait at most ``timeout`` seconds for a task's end; answers whether it ended.

        Raises ``TaskError`` for an unknown id.
        """
        task = self.tasks.get(task_id)
        if task is None:
            raise TaskError(f"Task {task_id} not found")
        if task.thread is not None:
            task.thread.join(timeout)
        return not task.running

    def running(self) -> list[Task]:
        """The tasks that have not ended."""
        with self._lock:
            return [task for task in self.tasks.values() if task.running]

    def stop_all(self, timeout: float = 5.0) -> None:
        """End all tasks and wait at most ``timeout`` seconds for them."""
        running = self.running()
        for task in running:
            task.cancel.cancel("the session ended")
        limit = time.monotonic() + timeout
        for task in running:
            if task.thread is not None:
                task.thread.join(max(0.0, limit - time.monotonic()))

    def close(self) -> None:
        """End all tasks and remove their workspaces."""
        self.stop_all()
        for task in list(self.tasks.values()):
            _clean_up(task)

    def _persona(self, wanted: Persona | str | None) -> Persona:
        if isinstance(wanted, Persona):
            return wanted
        if wanted is None:
            return self.personas[next(self._turn) % len(self.personas)] if self.personas else self._settings.persona
        for persona in self.personas:
            if persona.name.casefold() == wanted.casefold():
                return persona
        names = ", ".join(persona.name for persona in self.personas) or "none"
        raise TaskError(f"there is no persona {wanted!r}; there are: {names}")

    def _reserve(self, prompt: str, persona: Persona) -> Task:
        task = Task(uuid4().hex[:8], persona, prompt)
        if self._parent is not None:
            task.cancel = self._parent.wiring.cancel.child()
        with self._lock:
            if sum(other.running for other in self.tasks.values()) >= self.max_tasks:
                raise TaskError(f"max {self.max_tasks} tasks run at once; wait for one to end")
            self.tasks[task.id] = task
        return task

    def _join(self, task: Task) -> None:
        join = getattr(task.agent, "join", None)
        if join is None:  # an agent of another make, with a stream of its own
            return
        parent = self._parent
        wiring = task.agent.wiring if parent is None else parent.wiring
        session = session_account(parent, self._account)
        task.account = task_account(task.id, task.persona, task.budget, session, parent)
        approvals = wiring.approvals and wiring.approvals.within(workspace_roots(task.agent.runtime))
        join(
            Wiring(
                bus=wiring.bus,
                agent_id=task.id,
                approvals=approvals,
                cancel=task.cancel,
                depth=1,
                cancellable=True,
                prices=wiring.prices,
                budget=task.account,
            )
        )

    def _work(self, task: Task, step_timeout: float | None, task_timeout: float | None) -> None:
        limit = self._settings.max_time if task_timeout is None else task_timeout
        status = "error: it ended without a result"
        try:
            task.result = task.agent.run_until_stop(
                task.prompt, max_steps=self._settings.max_steps, step_timeout=step_timeout, max_time=limit
            )
            status = _status(task.result.reason if task.result else "completed", task, limit)
        except Exception as error:  # the boundary of the task's thread: the parent reads it as the status
            status = f"error: {error}"
        finally:
            _close_sandbox(task)
            with self._lock:
                task.status = status
                task.ended_at = time.time()
            self._emit(TaskUpdated(task_id=task.id, status=status))
            self._emit(
                TaskFinished(
                    task_id=task.id,
                    status=status,
                    result=task.result.text if task.result else "",
                    files_changed=list(task.result.files_changed) if task.result else [],
                )
            )

    def _emit(self, event: Event) -> None:
        if self._parent is not None:
            self._parent.wiring.bus.publish(event)


def _status(reason: Reason, task: Task, task_timeout: float | None) -> str:
    seconds = time.time() - task.started_at
    match reason:
        case "stopped" | "completed":
            return "finished"
        case "timeout" if task_timeout is not None and seconds > task_timeout - 0.05:
            return f"timeout after {task_timeout:g}s"
        case "max_steps" | "budget" | "timeout":
            return f"timeout after {seconds:.1f}s"
        case "input_required":
            return "waiting"
        case "cancelled":
            return "cancelled"
        case _:
            return f"error: {reason}"


def _default_agent(persona: Persona) -> Agent:
    from pygent.agent import Agent  # noqa: PLC0415 - the one import that goes up: a task's agent
    from pygent.runtime import Runtime  # noqa: PLC0415 - loaded with it

    return Agent(Runtime(temporary=True), persona=persona)


def _close_sandbox(task: Task) -> None:
    """End the task's container; the files stay to be collected."""
    close = getattr(task.agent.runtime, "close_sandbox", None)
    if close is None:
        return
    try:
        close()
    except Exception:  # the task has ended, whatever becomes of its container
        log.exception("the sandbox of task %s could not be closed", task.id)


def _clean_up(task: Task) -> None:
    close = getattr(task.agent, "close", None)
    if close is not None:
        close()
