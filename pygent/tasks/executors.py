"""Where the work of tasks is done: on threads of this process, or wherever somebody's executor takes it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pygent.approvals.base import Answer, Effect, PendingCall
from pygent.cancellation import CancelToken
from pygent.events import Event
from pygent.ledger import Account
from pygent.loop import Limits, RunResult
from pygent.persona import Persona
from pygent.tasks.task import Task
from pygent.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Kind:
    """A tool as a policy wants to know it."""

    name: str
    effect: Effect


class TaskExecutor(Protocol):
    """Does the work of tasks.

    ``remote`` says that the child's agent is not run in this process; then no sandbox is started for it here.
    """

    remote: bool

    def run(self, work: TaskWork) -> RunResult | None:
        """Do a task's work to its end, on the calling thread, which is the task's own.

        Raises ``TaskLost`` where whoever worked on it is gone; any other exception makes the task fail with its text.
        """
        ...

    def close(self) -> None:
        """End what the executor itself started."""
        ...


class Threads:
    """The executor that is there without any other: the child runs on the task's own thread."""

    remote = False

    def run(self, work: TaskWork) -> RunResult | None:
        """See ``TaskExecutor``."""
        return work.run_here()

    def close(self) -> None:
        """Nothing of its own to end."""


@dataclass(frozen=True, slots=True)
class TaskWork:
    """One task's work, as an executor sees it. ``prompt`` is the task's, or the answer that it goes on with."""

    task: Task
    prompt: str
    limits: Limits
    publish: Callable[[Event], object]
    """Takes every event of the child, in order, from any thread; not those that tell of tasks."""
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The task's id, which is its events' ``agent_id``."""
        return self.task.id

    @property
    def persona(self) -> Persona:
        """Who the child is."""
        return self.task.persona

    @property
    def model_name(self) -> str | None:
        """The model's name as it is sent to the server."""
        return getattr(self.task.agent, "model_name", None)

    @property
    def account(self) -> Account | None:
        """Counts what the task costs and says what is left of its budget; None where nothing does."""
        return self.task.account

    @property
    def workspace(self) -> Workspace | None:
        """The child's workspace on this machine, filled; what the child made is written back into it."""
        return getattr(self.task.agent.runtime, "workspace", None)

    @property
    def cancel(self) -> CancelToken:
        """Ends the work."""
        return self.task.cancel

    @property
    def permission_mode(self) -> str | None:
        """The mode that holds for the child, None where nobody asks."""
        approvals = self._approvals
        return None if approvals is None else str(approvals.mode)

    @property
    def rules(self) -> dict[str, list[str]]:
        """The rules that hold for the child, by kind (``allow``, ``ask``, ``deny``), as they are written."""
        approvals = self._approvals
        return {} if approvals is None else {kind: list(approvals.rules(kind)) for kind in ("allow", "ask", "deny")}

    @contextlib.contextmanager
    def messages(self, sink: Callable[[str], object]) -> Iterator[None]:
        """Hand what is said to the task to ``sink``, from any thread; it must not block."""
        inbox = self.task.inbox
        inbox.forward(sink)
        try:
            yield
        finally:
            inbox.forward(None)

    def decide(self, tool: str, effect: Effect, call: PendingCall) -> Answer:
        """What policy and person say here about a call of the child; blocks while a person is asked."""
        approvals = self._approvals
        if approvals is None:
            return Answer("allow_once")
        answer: Answer = approvals.decide(_Kind(tool, effect), call, agent_id=self.id, cancel=self.cancel)
        return answer

    def ask(self, call_id: str, question: str) -> Answer | None:
        """Ask the person what the child wants to know; None where nobody is there to answer."""
        ask = getattr(self._approvals, "ask", None)
        if ask is None:
            return None
        call = PendingCall(call_id, "continue", {"question": question})
        answer: Answer | None = ask(call, agent_id=self.id, cancel=self.cancel)
        return answer

    def run_here(self) -> RunResult | None:
        """Run the child's own agent on the calling thread."""
        limits = self.limits
        result: RunResult | None = self.task.agent.run_until_stop(
            self.prompt,
            max_steps=limits.max_steps,
            step_timeout=limits.step_timeout,
            max_time=limits.max_time,
        )
        return result

    @property
    def _approvals(self) -> Any:
        wiring = getattr(self.task.agent, "wiring", None)
        return getattr(wiring, "approvals", None)
