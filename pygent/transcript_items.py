"""What a transcript is made of: messages, tool calls, notices, runs and tasks, and one agent's part of them."""

from __future__ import annotations

from dataclasses import field
from typing import Literal, TypeAlias

from pygent.events import USER_CALL, CompactedBy, Json, Level, PlanDecided, Reason, Review, TaskState
from pygent.records import record

Doing = Literal["", "waiting for the model", "thinking", "writing", "running a tool", "compacting"]
"""What an agent at work is doing just now."""

PlanState = Literal["open", "left", "approved", "changes", "dropped"]
ToolState = Literal["waiting", "running", "ok", "error", "denied", "cancelled", "timeout"]


@record(frozen=False)
class UserItem:
    """What a person said, or a reminder that Pygent added for the model, or the report of a task that ended."""

    key: str
    agent_id: str
    text: str
    at: float = 0.0
    reminder: bool = False
    report: bool = False

    @property
    def who(self) -> str:
        """Whose words these are."""
        return "Reminder" if self.reminder else "Report of a task" if self.report else "User"


@record(frozen=False)
class AssistantItem:
    """What the model said. ``done`` once it is whole; a discarded one stays, so that a broken stream is seen."""

    key: str
    agent_id: str
    text: str = ""
    reasoning: str = ""
    at: float = 0.0
    done: bool = False
    discarded: bool = False


@record(frozen=False)
class ToolItem:
    """A tool call. ``output`` grows while it runs and is what the model read once it is over.

    ``output_file`` has all of an output that was too long for that; the session opens it.
    """

    key: str
    agent_id: str
    call_id: str
    tool: str
    arguments: Json
    state: ToolState = "running"
    output: str = ""
    at: float = 0.0
    seconds: float = 0.0
    request_id: str | None = None
    exit_status: int | None = None
    output_file: str | None = None
    folder: str = ""
    """The workspace; paths below it are shown from there."""

    @property
    def by_user(self) -> bool:
        """Whether the user made this call, not an agent."""
        return self.call_id.startswith(USER_CALL)


@record(frozen=False)
class NoticeItem:
    """Something a person should know."""

    key: str
    agent_id: str
    level: Level
    text: str
    at: float = 0.0


@record(frozen=False)
class CompactionItem:
    """Older messages of an agent were replaced by a summary, or shortened where that is "".

    The rest is as in ``ContextCompacted``. ``undone`` where the model sees again what it stood for.
    """

    key: str
    agent_id: str
    compaction_id: str
    before_tokens: int
    after_tokens: int
    by: CompactedBy = "limit"
    summary: str = ""
    left_out: int = 0
    outputs: int = 0
    images: int = 0
    at: float = 0.0
    undone: bool = False

    @property
    def headline(self) -> str:
        """What was done, in a few words."""
        if self.summary:
            return "Compacted: earlier steps are summed up"
        if self.left_out:
            return "Compacted: earlier steps are left out"
        return "Compacted: earlier outputs are shortened"


@record(frozen=False)
class RunItem:
    """The end of a run."""

    key: str
    agent_id: str
    reason: Reason
    steps: int
    usage: Json
    error: str | None = None
    at: float = 0.0
    files_changed: list[str] = field(default_factory=list)
    seconds: float = 0.0


@record(frozen=False)
class TaskItem:
    """A delegated run, as the conversation of its parent shows it.

    ``waiting_since`` is when it began to wait for an approval or an answer, in Unix seconds, None while it does not.
    ``changes`` are those of ``TaskFinished``. ``review`` is the last decision on them, None before there was one, and
    ``conflicts`` what that left open. ``reason`` is that of its newest run's end.
    """

    key: str
    agent_id: str
    task_id: str
    persona: str
    prompt: str
    status: str = "running"
    result: str = ""
    at: float = 0.0
    ended_at: float | None = None
    files_changed: list[str] = field(default_factory=list)
    state: TaskState = "running"
    workspace: str = "files"
    retry_of: str | None = None
    waiting_since: float | None = None
    steps: int = 0
    usage: Json = field(default_factory=dict)
    cost: float | None = None
    changes: list[Json] = field(default_factory=list)
    review: Review | None = None
    conflicts: list[str] = field(default_factory=list)
    reason: Reason | None = None


@record(frozen=False)
class PlanItem:
    """A plan that a run in plan mode brought. ``written`` where it is the answer before it, not a call of its own.

    ``state`` is ``"open"`` until somebody decides, ``"left"`` where another run began without that. ``text`` is the
    plan as it was approved, where the person changed it.
    """

    key: str
    agent_id: str
    plan_id: str
    plan: str
    at: float = 0.0
    written: bool = False
    state: PlanState = "open"
    text: str = ""
    mode: str = ""
    feedback: str = ""

    def decide(self, event: PlanDecided) -> None:
        """Note what was decided."""
        self.state, self.mode, self.feedback = event.decision, event.mode, event.feedback
        self.text = event.plan if event.plan.strip() != self.plan.strip() else ""


Item: TypeAlias = UserItem | AssistantItem | ToolItem | NoticeItem | CompactionItem | RunItem | TaskItem | PlanItem


@record(frozen=False)
class AgentView:
    """One agent's part: its items in order, and the state of its run.

    ``usage`` and ``cost`` add up over all its runs, ``run_cost`` over the steps of the last one. ``files_changed``
    are those of its own workspace. ``context_tokens`` has what the model sees of its conversation, ``compactions``
    where it was made shorter, by id. ``todos`` is its list of to-dos, as in ``TodosUpdated``, ``plan`` its newest
    plan.
    """

    agent_id: str
    items: list[Item] = field(default_factory=list)
    running: bool = False
    started_at: float = 0.0
    step: int = 0
    usage: dict[str, int] = field(default_factory=dict)
    cost: float | None = None
    run_cost: float | None = None
    files_changed: list[str] = field(default_factory=list)
    context_tokens: int = 0
    compactions: dict[str, CompactionItem] = field(default_factory=dict)
    last_event_at: float = 0.0
    last_tool: ToolItem | None = None
    doing: Doing = ""
    doing_since: float = 0.0
    todos: list[Json] = field(default_factory=list)
    plan: PlanItem | None = None
    _begins: list[int] = field(default_factory=list)
    _away: dict[str, tuple[str, list[Item], list[int]]] = field(default_factory=dict)

    def add(self, item: Item, seq: int) -> Item:
        """Put an item at the end, which began with the event ``seq``."""
        self.items.append(item)
        self._begins.append(seq)
        return item

    def rewind(self, rewind_id: str, to_seq: int, said: Item) -> None:
        """Take away what began after an event, and have ``said`` in its place."""
        place = next((at for at, seq in enumerate(self._begins) if seq > to_seq), len(self.items))
        self._away[rewind_id] = (said.key, self.items[place:], self._begins[place:])
        del self.items[place:], self._begins[place:]
        self.items.append(said)
        self._begins.append(to_seq)

    def restore(self, rewind_id: str) -> None:
        """Put back what a rewind took away."""
        key, items, begins = self._away.pop(rewind_id, ("", [], []))
        place = next((at for at, item in enumerate(self.items) if item.key == key), None)
        if place is not None:
            self.items[place : place + 1], self._begins[place : place + 1] = items, begins

    def begin_run(self, at: float) -> PlanItem | None:
        """A run began, at ``at`` in Unix seconds. To-dos that are all done belong to the run before.

        Answers the plan that was left undecided with it.
        """
        self.running, self.started_at, self.step, self.run_cost = True, at, 0, None
        if all(one.get("state") == "done" for one in self.todos):
            self.todos = []
        if self.plan is not None and self.plan.state == "open":
            self.plan.state = "left"
            return self.plan
        return None

    def now(self, doing: Doing, at: float) -> None:
        """Note what the agent does from ``at`` on, in Unix seconds."""
        if doing != self.doing:
            self.doing, self.doing_since = doing, at

    def add_usage(self, usage: Json, cost: float | None) -> None:
        """Count a step's tokens and cost."""
        if cost is not None:
            self.cost, self.run_cost = (self.cost or 0.0) + cost, (self.run_cost or 0.0) + cost
        for name, value in usage.items():
            self.usage[name] = self.usage.get(name, 0) + int(value)

    def step_ended(self, usage: Json, cost: float | None, context: int) -> None:
        """Count a step, after which the conversation has ``context`` tokens; 0 where that was not told."""
        self.add_usage(usage, cost)
        self.context_tokens = context or int(usage.get("prompt_tokens", 0)) or self.context_tokens

    def run_ended(self, cost: float | None) -> None:
        """Count the cost of a run whose steps did not tell theirs, as in logs of older versions."""
        if cost is not None and self.run_cost is None:
            self.cost = (self.cost or 0.0) + cost

    @property
    def tokens(self) -> int:
        """All tokens of its steps."""
        return self.usage.get("total_tokens") or sum(
            self.usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens")
        )
