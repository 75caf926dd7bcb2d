"""What is known of one delegated run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pygent.budget import Budget
from pygent.cancellation import CancelToken
from pygent.errors import TaskError
from pygent.events import Event, Review, StepFinished, StepStarted, TaskState, ToolStarted
from pygent.ledger import Account
from pygent.openai_compat import Usage
from pygent.persona import Persona

if TYPE_CHECKING:
    from pygent.changes import ChangeSet
    from pygent.changes.base import Base
    from pygent.loop import RunResult
    from pygent.tasks.place import Place
    from pygent.tasks.work import Work

TaskWorkspace = Literal["files", "copy"]
"""What a task's workspace begins with: the files that were named for it, or a copy of its parent's."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: enough to start the task, also later, or again."""

    prompt: str
    persona: Persona
    parent_rt: Any
    files: tuple[str, ...] = ()
    workspace: TaskWorkspace = "files"
    step_timeout: float | None = None
    task_timeout: float | None = None
    budget: Budget = field(default_factory=Budget)
    retry_of: str | None = None
    delegated: bool = False
    """Whether the parent's model asked for it; otherwise a person or a program did."""


class Inbox:
    """What is said to a task, until its run takes it. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: list[str] = []
        self._open = True
        self._sink: Callable[[str], object] | None = None

    def put(self, text: str) -> bool:
        """Leave a message. False where nobody will take it any more."""
        with self._lock:
            if self._open and self._sink is not None:
                self._sink(text)
            elif self._open:
                self._texts.append(text)
            return self._open

    def forward(self, sink: Callable[[str], object] | None) -> None:
        """Hand messages to ``sink``, those that wait at once, until this is called with None. It must not block."""
        with self._lock:
            self._sink = sink
            if sink is not None:
                waiting, self._texts = self._texts, []
                for text in waiting:
                    sink(text)

    def take(self) -> list[str]:
        """All messages, once."""
        with self._lock:
            taken, self._texts = self._texts, []
            return taken

    def close(self) -> None:
        """Take no more messages."""
        with self._lock:
            self._open = False

    def last_call(self) -> list[str]:
        """The messages that came too late for the run, or none, and then no more are taken."""
        with self._lock:
            taken, self._texts = self._texts, []
            self._open = bool(taken)
            return taken


@dataclass(slots=True)
class Task:
    """One delegated run.

    ``status`` is in the words a model reads: ``running``, ``finished``, ``waiting``, ``cancelled``,
    ``timeout after Ns``, ``error: …``; ``state`` is one word of a fixed few. ``started_at`` and ``ended_at`` are Unix
    times in seconds. ``account`` counts what it costs and holds it to its ``budget``; None before it is joined to its
    parent. ``last_tool`` is the newest call with its main argument. ``cost`` is in the currency of the settings'
    prices, None without one. ``changes`` are known once it has ended, None where its workspace has no record of what
    it began as. ``asked`` is the newest question of its own, ``question`` the one that it waits to be answered while
    nobody is there to ask.
    """

    id: str
    persona: Persona
    prompt: str
    agent: Any = None
    thread: threading.Thread | None = None
    status: str = "running"
    result: RunResult | None = None
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    cancel: CancelToken = field(default_factory=CancelToken)
    budget: Budget = field(default_factory=Budget)
    account: Account | None = None
    state: TaskState = "running"
    order: Order | None = None
    workspace: TaskWorkspace = "files"
    retry_of: str | None = None
    steps: int = 0
    last_tool: str = ""
    last_event_at: float = field(default_factory=time.time)
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    changes: ChangeSet | None = None
    asked: str = ""
    question: str | None = None
    place: Place | None = None
    base: Base | None = None
    work: Work | None = None
    inbox: Inbox = field(default_factory=Inbox)
    resting: threading.Event = field(default_factory=threading.Event)
    """Set while it has ended, or does nothing before somebody answers it."""

    @property
    def review(self) -> Review | None:
        """The last decision on its changes, None before there was one."""
        return None if self.place is None else self.place.record.review

    @property
    def running(self) -> bool:
        """True until the task has ended; also while it waits for its turn or for an answer."""
        return self.ended_at is None

    @property
    def at_work(self) -> bool:
        """True while it takes one of the places that ``max_tasks`` limits."""
        return self.ended_at is None and self.state != "queued" and self.question is None

    @property
    def idle(self) -> float:
        """Seconds since something was last heard of it."""
        return max(0.0, (self.ended_at or time.time()) - self.last_event_at)

    @property
    def text(self) -> str:
        """What it said last."""
        return self.result.text if self.result is not None else ""

    def take(self, event: Event) -> None:
        """Note what one of its own events tells."""
        self.last_event_at = time.time()
        match event:
            case StepStarted():
                self.steps += 1
            case StepFinished():
                self.usage = self.usage + usage_of(event.usage)
                if event.cost is not None:
                    self.cost = (self.cost or 0.0) + event.cost
            case ToolStarted():
                self.last_tool = f"{event.tool} {_main_argument(event.arguments)}".strip()
                if event.tool == "continue":
                    self.asked = _main_argument(event.arguments)

    def tell(self, text: str) -> None:
        """Leave a message for its next step. Raises ``TaskError`` where it is over."""
        if not self.inbox.put(text):
            raise TaskError(f"task {self.id} is over ({self.status}); retry it to have it done again")


def usage_of(counts: Mapping[str, Any]) -> Usage:
    """What an event says of the tokens."""
    return Usage(*(int(counts.get(name) or 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")))


def _main_argument(arguments: Mapping[str, Any]) -> str:
    for name in ("cmd", "path", "pattern", "query", "question", "prompt"):
        if isinstance(arguments.get(name), str):
            return str(arguments[name])
    return next((str(value) for value in arguments.values() if isinstance(value, str | int | float)), "")
