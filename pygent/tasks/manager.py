"""Launches agents in the background and keeps track of them."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pygent.budget import Budget
from pygent.cancellation import CancelToken
from pygent.errors import PygentError, TaskError
from pygent.events import Notice
from pygent.ledger import Account
from pygent.persona import Persona
from pygent.settings import Settings, from_environment
from pygent.tasks import running as life
from pygent.tasks.executors import TaskExecutor, Threads
from pygent.tasks.files import copy_between, left_files
from pygent.tasks.pool import TaskPool
from pygent.tasks.review import TaskReviews
from pygent.tasks.task import Order, Task, TaskWorkspace

if TYPE_CHECKING:
    from pygent.agent import Agent

AgentFactory = Callable[[Persona], Any]

REMOVING = 1.0
"""Seconds that ``close`` waits for the removal of workspaces; a later start removes the rest."""

_ID = re.compile(r"[0-9a-f]{8}")

MARGIN = 0.5
"""Seconds before the end of a step's time at which waiting for tasks ends."""


class TaskManager(TaskPool, TaskReviews):
    """Launches agents in the background and keeps track of them.

    ``agent_factory`` is called with the persona and answers an ``Agent``. ``max_tasks`` limits how many run at once
    (default ``PYGENT_MAX_TASKS``, 3). ``personas`` are taken in turn where a task names none (default
    ``PYGENT_TASK_PERSONAS``). ``parent`` is the agent on whose behalf the tasks run: they join its event stream and
    its approvals, and it is told once how each ended. ``executor`` does the work, on threads of this process where
    none is given. ``folder`` is where the tasks' places are kept, temporary ones where it is None.
    """

    def __init__(
        self,
        agent_factory: AgentFactory | None = None,
        max_tasks: int | None = None,
        personas: Sequence[Persona] | None = None,
        *,
        parent: Agent | None = None,
        executor: TaskExecutor | None = None,
        folder: Path | None = None,
    ) -> None:
        settings = from_environment()
        around = life.Surroundings(
            parent, agent_factory, executor or Threads(), settings, folder, Account(settings.budget)
        )
        super().__init__(around, settings.max_tasks if max_tasks is None else max_tasks)
        self.personas: list[Persona] = list(settings.personas if personas is None else personas)
        self._turn = itertools.count()

    @property
    def folder(self) -> Path | None:
        """Where the places of tasks are kept; None: in temporary folders that go with them."""
        return self._around.folder

    @folder.setter
    def folder(self, folder: Path | None) -> None:
        self._around.folder = folder

    @property
    def executor(self) -> TaskExecutor:
        """What does the work of tasks that start from now on."""
        return self._around.executor

    @executor.setter
    def executor(self, executor: TaskExecutor) -> None:
        self._around.executor = executor

    def start_task(  # noqa: PLR0913, PLR0917 - the documented signature
        self,
        prompt: str,
        parent_rt: Any,
        files: Sequence[str] | None = None,
        parent_depth: int = 0,
        step_timeout: float | None = None,
        task_timeout: float | None = None,
        persona: Persona | str | None = None,
        workspace: TaskWorkspace = "files",
        budget: Budget | Mapping[str, Any] | str | None = None,
        *,
        queue: bool = False,
        retry_of: str | None = None,
    ) -> str:
        """Start a background agent on ``prompt``; answers its id.

        With ``workspace="files"`` the agent's own workspace begins with the ``files`` that are named, with ``"copy"``
        with all of ``parent_rt``'s, tracked or not, save what is ignored there. The timeouts are in seconds and
        default to ``PYGENT_STEP_TIMEOUT`` and ``PYGENT_TASK_TIMEOUT``. ``persona`` is one or the name of one.
        ``budget`` limits what it may use: a ``Budget``, a mapping such as ``{"steps": 20}``, or ``"steps=20"``. With
        ``queue`` it waits for its turn where ``max_tasks`` run already.

        Raises ``TaskError`` (a ``RuntimeError``) where ``max_tasks`` tasks run already, the parent is a task itself,
        the persona or the kind of workspace is not known, or the budget cannot be used or is spent;
        ``WorkspaceError`` where a file cannot be copied.
        """
        if parent_depth >= 1:
            raise TaskError("a delegated task cannot delegate again: nested tasks are not allowed")
        if workspace not in get_args(TaskWorkspace):
            raise TaskError(f"workspace={workspace!r} is not one of {', '.join(get_args(TaskWorkspace))}")
        if workspace == "copy" and files:
            raise TaskError('workspace="copy" brings all files; name none, or use workspace="files"')
        scope = getattr(parent_rt, "scope", None)
        order = Order(
            prompt=prompt,
            persona=self._persona(persona),
            parent_rt=getattr(parent_rt, "runtime", parent_rt),  # a task outlives the call that starts it
            files=tuple(files or ()),
            workspace=workspace,
            step_timeout=step_timeout,
            task_timeout=task_timeout,
            budget=_budget(budget),
            retry_of=retry_of,
            delegated=scope is not None,
        )
        return self._start(order, queue=queue, cancel=scope.cancel if scope is not None else CancelToken()).id

    def status(self, task_id: str) -> str:
        """The task's status in the words a model reads; ``Task … not found`` for an unknown id."""
        task = self.tasks.get(task_id)
        return f"Task {task_id} not found" if task is None else task.status

    def result(self, task_id: str) -> str:
        """What the task said last, "" before it said anything. Raises ``TaskError`` for an unknown id."""
        return self._known(task_id).text

    def collect_file(self, rt: Any, task_id: str, path: str, dest: str | None = None) -> str:
        """Copy a file or folder of the task's workspace into ``rt``'s, as ``dest`` or under its own name.

        Answers ``Retrieved …``, or in words why not; a model reads it.
        """
        task = self.tasks.get(task_id)
        if task is None:
            return f"Task {task_id} not found"
        source = task.agent.runtime if task.agent is not None else left_files(task.place)
        if source is None:
            return f"Error: task {task_id} has no workspace yet ({task.status})"
        try:
            copied = copy_between(source, rt, path, dest or path)
        except PygentError as error:
            return f"Error: {error}"
        more = f" ({len(copied)} files)" if len(copied) > 1 else ""
        return f"Retrieved {dest or path}{more}"

    def send(self, task_id: str, text: str) -> None:
        """Tell a task something: it reads it at its next step, or goes on with it where it waits for an answer.

        Raises ``TaskError`` where the task is over or unknown, or the text is empty.
        """
        task = self._known(task_id)
        if not text.strip():
            raise TaskError("the message is empty; say what the task should know")
        if not self._answer(task, text) and not self._go_on(task, text):
            task.tell(text)

    def retry(self, task_id: str, *, queue: bool = False) -> str:
        """Do a task again from the beginning, in a new workspace; answers the new one's id.

        Raises ``TaskError`` where it still runs or is unknown, and what ``start_task`` raises.
        """
        task = self._known(task_id)
        order = task.order
        if task.running:
            raise TaskError(f"task {task_id} has not ended ({task.status}); cancel it first")
        if order is None:
            raise TaskError(f"task {task_id} was started by another process; start a new one with its prompt")
        return self.start_task(
            order.prompt,
            order.parent_rt,
            order.files,
            step_timeout=order.step_timeout,
            task_timeout=order.task_timeout,
            persona=order.persona,
            workspace=order.workspace,
            budget=order.budget,
            queue=queue,
            retry_of=task_id,
        )

    def configure(self, settings: Settings) -> None:
        """Follow these settings from now on: limits, personas, what is copied."""
        self.max_tasks, self.personas = settings.max_tasks, list(settings.personas)
        self._around.settings = settings

    def close(self) -> list[Task]:
        """End all tasks and clear up after them: a place that is kept stays where it has something to review.

        Answers the tasks of which it stays.
        """
        self.stop_all()
        stay: list[Task] = []
        end_by = time.monotonic() + REMOVING
        for task in list(self.tasks.values()):
            close = getattr(task.agent, "close", None)
            if close is not None:
                close()
            if self._let_go(task, max(0.0, end_by - time.monotonic())):
                stay.append(task)
        self.executor.close()
        return stay

    # -- what the parent's loop and tools ask

    def take_reports(self) -> list[str]:
        """What the parent has not been told of tasks that ended, once."""
        return list(self.reports.take().values())

    def meant(self, task_id: str) -> str:
        """The id that a model means: where it wrote a placeholder, and there is one task only, that one's."""
        task_id = task_id.strip()
        placeholder = task_id not in self.tasks and not _ID.fullmatch(task_id)
        return next(iter(self.tasks)) if placeholder and len(self.tasks) == 1 else task_id

    def to_do(self) -> str:
        """What the parent has not done yet with tasks that ended, in words for it; "" where that is nothing."""
        left = [task for task in list(self.tasks.values()) if not task.running and task.changes and not task.review]
        return " ".join(
            f'What task {task.id} changed is not in your workspace: apply_task(task_id="{task.id}") takes it over.'
            for task in left
        )

    def wait_for(self, task_ids: Sequence[str] | None, cancel: CancelToken, timeout: float | None = None) -> str:
        """Wait until these tasks rest, or all that run; answers in words, which a model reads, how they ended.

        Comes back early where the person said something to the parent. Raises ``TaskError`` for an unknown id,
        ``Cancelled`` and ``DeadlineExceeded`` where ``cancel`` ends the work.
        """
        tasks = self.running() if task_ids is None else [self._known(task_id) for task_id in task_ids]
        left = cancel.remaining()
        if left is not None:  # an answer in time is worth more than the end of the run
            timeout = min(left - MARGIN, left if timeout is None else timeout)
        self.reports.wait(lambda: all(task.resting.is_set() for task in tasks) or self._steered(), cancel, timeout)
        told = self.reports.take(None if task_ids is None else [task.id for task in tasks])
        lines = list(told.values())
        lines += [f"Task {task.id} ({task.persona.name}): {task.status}." for task in tasks if task.id not in told]
        if self._steered():
            lines.append("The user said something meanwhile; it comes next.")
        return "\n\n".join(lines) or "No task is running."

    def settle(self, cancel: CancelToken) -> None:
        """Wait until no task runs, where the parent's stop is to wait for them. Raises as ``wait_for``."""
        parent = self._around.parent
        if parent is not None and parent.wiring.at_stop == "wait":
            self.reports.wait(lambda: not self.running() or self._steered(), cancel)

    def end_with_run(self) -> None:
        """End all tasks, since the parent's run is over, and say so where any still ran."""
        running = self.running()
        if running:
            names = ", ".join(f"{task.persona.name} ({task.id})" for task in running)
            self._around.emit(
                Notice(level="warning", text=f"The run is over, so its tasks are ended before they are done: {names}")
            )
        self.stop_all()

    def _steered(self) -> bool:
        parent = self._around.parent
        return parent is not None and parent.wiring.steered()

    # -- inside

    def _persona(self, wanted: Persona | str | None) -> Persona:
        if isinstance(wanted, Persona):
            return wanted
        if wanted is None:
            personas = self.personas or [self._around.settings.persona]
            return personas[next(self._turn) % len(personas)]
        for persona in self.personas:
            if persona.name.casefold() == wanted.casefold():
                return persona
        names = ", ".join(persona.name for persona in self.personas) or "none"
        raise TaskError(f"there is no persona {wanted!r}; there are: {names}")


def _budget(value: Budget | Mapping[str, Any] | str | None) -> Budget:
    try:
        return Budget.of(value)
    except ValueError as error:
        raise TaskError(str(error)) from error
