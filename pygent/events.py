"""The facts that leave the core, and their JSON.

An event is inert: frozen, keyword-only, JSON values only. Every ``*Started`` or ``*Requested`` has exactly one
``*Finished`` or ``*Resolved``, also after a cancel or an exception; ``SessionStarted`` and ``SessionForked`` have
none. The bus stamps ``seq``, ``at`` and ``session_id``; ``agent_id`` is ``"main"`` or a task's id.

``to_dict`` and ``from_dict`` are inverse; the wire names and fields are a contract with scripts.
"""

# ruff: noqa: PLC0414 - `as` says that a name is to be had from here

from __future__ import annotations

from dataclasses import field, fields, replace
from typing import ClassVar, Literal, TypeAlias, TypeVar, get_args

from pygent.context_events import CompactedBy as CompactedBy
from pygent.context_events import ContextCompacted as ContextCompacted
from pygent.context_events import ContextCompacting as ContextCompacting
from pygent.context_events import ContextRestored as ContextRestored
from pygent.event_base import MAIN as MAIN
from pygent.event_base import Event as Event
from pygent.event_base import Json as Json
from pygent.records import record
from pygent.undo_events import CheckpointMade as CheckpointMade
from pygent.undo_events import ConversationRestored as ConversationRestored
from pygent.undo_events import ConversationRewound as ConversationRewound
from pygent.undo_events import FilesRestored as FilesRestored

VERSION = 1

USER_CALL = "user_"
"""What the id of a tool call begins with that the user made, not an agent."""

CHECK_CALL = "check_"
"""What the id of a tool call begins with that runs the user's check (``--check``)."""

ToolStatus = Literal["ok", "error", "denied", "cancelled", "timeout"]
Decision = Literal["allow_once", "allow_session", "allow_always", "deny"]
DecidedBy = Literal["user", "policy", "nobody"]
Reason = Literal["stopped", "completed", "input_required", "max_steps", "timeout", "budget", "cancelled", "failed"]
Level = Literal["info", "warning", "error"]
Origin = Literal["user", "model", "reminder", "task", "check", "tool"]
PlanSource = Literal["tool", "text"]
PlanDecision = Literal["approved", "changes", "dropped"]
TaskState = Literal["queued", "running", "waiting", "finished", "failed", "cancelled", "timeout", "lost"]
Review = Literal["applied", "partly applied", "discarded", "undone"]
CheckState = Literal["", "passed", "failed"]
DeltaKind = Literal["text", "reasoning"]
E = TypeVar("E", bound="Event")


@record(kw_only=True)
class SessionStarted(Event):
    """A front end and a core are together; where commands run stands in ``sandbox``."""

    type: ClassVar[str] = "session.started"
    model: str
    persona: str
    workspace: str
    sandbox: str
    version: str


@record(kw_only=True)
class SessionForked(Event):
    """What stands before is a copy of the session ``source``, up to its event ``to_seq``."""

    type: ClassVar[str] = "session.forked"
    source: str
    to_seq: int


@record(kw_only=True)
class RunStarted(Event):
    """The agent begins to work on a prompt."""

    type: ClassVar[str] = "run.started"
    prompt: str


@record(kw_only=True)
class RunFinished(Event):
    """The run is over; ``cost`` is in the currency of the settings' prices, None where there are none.

    ``total_usage`` and ``total_cost`` are those of the run and of all tasks that were started in it, as far as they
    have come by now. ``check`` tells how the user's check went, "" where there was none.
    """

    type: ClassVar[str] = "run.finished"
    reason: Reason
    text: str = ""
    steps: int = 0
    usage: Json = field(default_factory=dict)
    cost: float | None = None
    files_changed: list[str] = field(default_factory=list)
    denied: int = 0
    error: str | None = None
    total_usage: Json = field(default_factory=dict)
    total_cost: float | None = None
    check: CheckState = ""


@record(kw_only=True)
class StepStarted(Event):
    """One request to the model and the tool calls of its answer begin; counted from 1 within the run."""

    type: ClassVar[str] = "step.started"
    step: int


@record(kw_only=True)
class StepFinished(Event):
    """The step is over; ``cost`` as in ``RunFinished``.

    ``context_tokens`` has the conversation then: as the server counted it, and what came since by estimate.
    """

    type: ClassVar[str] = "step.finished"
    step: int
    usage: Json = field(default_factory=dict)
    cost: float | None = None
    context_tokens: int = 0


@record(kw_only=True)
class MessageStarted(Event):
    """A message begins to arrive.

    ``origin`` tells a person's words from a reminder that Pygent adds, the report of a task that ended, and pictures
    that a tool has read.
    """

    type: ClassVar[str] = "message.started"
    message_id: str
    role: str
    origin: Origin = "model"


@record(kw_only=True)
class MessageDelta(Event):
    """A piece of a message; not stored."""

    type: ClassVar[str] = "message.delta"
    durable: ClassVar[bool] = False
    message_id: str
    text: str
    kind: DeltaKind = "text"


@record(kw_only=True)
class MessageFinished(Event):
    """The whole message in the protocol's shape; ``discarded`` where a broken stream is tried again."""

    type: ClassVar[str] = "message.finished"
    message_id: str
    message: Json
    discarded: bool = False
    origin: Origin = "model"


@record(kw_only=True)
class ToolStarted(Event):
    """A tool call is looked at; an approval may follow before it runs."""

    type: ClassVar[str] = "tool.started"
    call_id: str
    tool: str
    arguments: Json


@record(kw_only=True)
class ToolOutput(Event):
    """A piece of a running tool's output; not stored. ``output_file`` has all of it, where that is long."""

    type: ClassVar[str] = "tool.output"
    durable: ClassVar[bool] = False
    call_id: str
    text: str
    output_file: str | None = None


@record(kw_only=True)
class ToolFinished(Event):
    """The call is over; ``output`` is what the model reads.

    ``exit_status`` is a command's number, None for other tools and where it did not end by itself. ``output_file``
    has all of a long output, on the machine of the session and no longer than that.
    """

    type: ClassVar[str] = "tool.finished"
    call_id: str
    status: ToolStatus
    output: str
    seconds: float = 0.0
    exit_status: int | None = None
    output_file: str | None = None


@record(kw_only=True)
class ApprovalRequested(Event):
    """A tool call waits for a decision. ``rule`` is what "always allow" would save, None where it cannot."""

    type: ClassVar[str] = "approval.requested"
    request_id: str
    call_id: str
    tool: str
    summary: str
    arguments: Json
    rule: str | None = None


@record(kw_only=True)
class ApprovalResolved(Event):
    """The answer to an approval."""

    type: ClassVar[str] = "approval.resolved"
    request_id: str
    decision: Decision
    feedback: str = ""
    by: DecidedBy = "user"


@record(kw_only=True)
class TaskStarted(Event):
    """A run was delegated; its own events carry ``agent_id == task_id``.

    ``state`` is ``"queued"`` where it waits for its turn. ``workspace`` is ``"files"`` or ``"copy"``; ``retry_of`` is
    the task that it does again.
    """

    type: ClassVar[str] = "task.started"
    task_id: str
    persona: str
    prompt: str
    state: TaskState = "running"
    workspace: str = "files"
    retry_of: str | None = None


@record(kw_only=True)
class TaskUpdated(Event):
    """A task's state changed. ``status`` is for a model and for people, ``state`` one word of a fixed few."""

    type: ClassVar[str] = "task.updated"
    task_id: str
    status: str
    state: TaskState = "running"


@record(kw_only=True)
class TaskFinished(Event):
    """A task is over. ``changes`` are what it changed: ``{"path": …, "kind": …}``, ``old_path`` where renamed."""

    type: ClassVar[str] = "task.finished"
    task_id: str
    status: str
    result: str = ""
    files_changed: list[str] = field(default_factory=list)
    state: TaskState = "finished"
    steps: int = 0
    usage: Json = field(default_factory=dict)
    cost: float | None = None
    changes: list[Json] = field(default_factory=list)


@record(kw_only=True)
class TaskReviewed(Event):
    """Somebody took a task's changes over, or gave them up. ``conflicts`` are the paths that are still to be decided.

    ``by`` is ``"user"`` or the ``agent_id`` of the parent.
    """

    type: ClassVar[str] = "task.reviewed"
    task_id: str
    review: Review
    paths: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    by: str = "user"


@record(kw_only=True)
class FilesChanged(Event):
    """Files of the workspace were written, by paths relative to it."""

    type: ClassVar[str] = "files.changed"
    paths: list[str]


@record(kw_only=True)
class TodosUpdated(Event):
    """The agent's list of to-dos, all of it: ``{"text": …, "state": …}``, the state of `pygent.todos.STATES`."""

    type: ClassVar[str] = "todos.updated"
    todos: list[Json]


@record(kw_only=True)
class PlanPresented(Event):
    """A run in plan mode brought a plan. ``source`` tells whether the model called for it or only wrote an answer."""

    type: ClassVar[str] = "plan.presented"
    plan_id: str
    plan: str
    source: PlanSource = "tool"


@record(kw_only=True)
class PlanDecided(Event):
    """A person decided on a plan; one that nobody decided on has no such event.

    ``plan`` is the plan as it was approved, ``mode`` the permission mode from then on, ``feedback`` what should be
    different; "" each where that is not.
    """

    type: ClassVar[str] = "plan.decided"
    plan_id: str
    decision: PlanDecision
    plan: str = ""
    mode: str = ""
    feedback: str = ""


@record(kw_only=True)
class Notice(Event):
    """Something a person should know."""

    type: ClassVar[str] = "notice"
    level: Level
    text: str


AnyEvent: TypeAlias = (
    SessionStarted
    | SessionForked
    | RunStarted
    | RunFinished
    | StepStarted
    | StepFinished
    | MessageStarted
    | MessageDelta
    | MessageFinished
    | ToolStarted
    | ToolOutput
    | ToolFinished
    | ApprovalRequested
    | ApprovalResolved
    | TaskStarted
    | TaskUpdated
    | TaskFinished
    | TaskReviewed
    | FilesChanged
    | CheckpointMade
    | FilesRestored
    | ConversationRewound
    | ConversationRestored
    | TodosUpdated
    | PlanPresented
    | PlanDecided
    | ContextCompacting
    | ContextCompacted
    | ContextRestored
    | Notice
)

EVENT_TYPES: dict[str, type[Event]] = {cls.type: cls for cls in get_args(AnyEvent)}
_FIELDS: dict[type[Event], tuple[str, ...]] = {Event: tuple(f.name for f in fields(Event))}
_FIELDS |= {cls: tuple(f.name for f in fields(cls)) for cls in EVENT_TYPES.values()}
_NAMES = {cls: frozenset(names) for cls, names in _FIELDS.items()}


def stamp(event: E, *, seq: int, at: float, session_id: str) -> E:
    """The same fact with its place in the stream."""
    return replace(event, seq=seq, at=at, session_id=session_id)


def to_dict(event: Event) -> Json:
    """The wire form of an event: JSON values only."""
    out: Json = {"v": VERSION, "type": event.type}
    for name in _FIELDS[type(event)]:
        out[name] = getattr(event, name)
    return out


def from_dict(data: Json) -> AnyEvent:
    """Read the wire form. Fields this version does not know are ignored.

    Raises ``ValueError`` for an unknown type or version, or where a field is missing.
    """
    if data.get("v") != VERSION:
        raise ValueError(f"event version {data.get('v')!r} is not {VERSION}")
    cls = EVENT_TYPES.get(data.get("type", ""))
    if cls is None:
        raise ValueError(f"unknown event type {data.get('type')!r}")
    known = _NAMES[cls]
    try:
        return cls(**{name: value for name, value in data.items() if name in known})  # type: ignore[return-value]
    except TypeError as error:
        raise ValueError(f"event {cls.type}: {error}") from error
