"""What people see of a session: a pure fold of its events.

Folding a stored log gives the same transcript that was live, although deltas and output chunks are not stored: the
whole message and the whole output arrive with the ``*.finished`` event and replace what the pieces had built.
Nothing here knows a clock, a thread or a screen.
"""

from __future__ import annotations

from pygent.events import (
    MAIN,
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    CheckpointMade,
    ContextCompacted,
    ContextCompacting,
    ContextRestored,
    ConversationRestored,
    ConversationRewound,
    Event,
    FilesChanged,
    FilesRestored,
    Level,
    MessageDelta,
    MessageFinished,
    MessageStarted,
    Notice,
    PlanDecided,
    PlanPresented,
    RunFinished,
    RunStarted,
    SessionForked,
    SessionStarted,
    StepFinished,
    StepStarted,
    TaskFinished,
    TaskReviewed,
    TaskStarted,
    TaskUpdated,
    TodosUpdated,
    ToolFinished,
    ToolOutput,
    ToolStarted,
)
from pygent.transcript_items import (
    AgentView,
    AssistantItem,
    CompactionItem,
    Doing,
    Item,
    NoticeItem,
    PlanItem,
    RunItem,
    TaskItem,
    ToolItem,
    ToolState,
    UserItem,
)
from pygent.undo_words import said_restored, said_unkept

__all__ = [
    "LIVE_OUTPUT",
    "AgentView",
    "AssistantItem",
    "CompactionItem",
    "Doing",
    "Item",
    "NoticeItem",
    "PlanItem",
    "RunItem",
    "TaskItem",
    "ToolItem",
    "ToolState",
    "Transcript",
    "UserItem",
]

REWOUND = (
    "The conversation goes on from here. What was said after it can be had back (/redo) until something new is said."
)

LIVE_OUTPUT = 64 * 1024
"""Characters of a running tool's output that are kept; the end of it, since that is what is being watched."""


class Transcript:
    """The state that a front end shows. ``apply`` is its only way to change."""

    def __init__(self) -> None:
        self.agents: dict[str, AgentView] = {}
        self.tools: dict[tuple[str, str], ToolItem] = {}
        self.tasks: dict[str, TaskItem] = {}
        self.approvals: dict[str, ApprovalRequested] = {}
        self.session: SessionStarted | None = None
        self.seq = 0
        """The number of the event that was taken in last."""
        self._messages: dict[str, AssistantItem] = {}

    @property
    def main(self) -> AgentView:
        """The agent that the person talks to."""
        return self.agent(MAIN)

    @property
    def files_changed(self) -> list[str]:
        """Files of the session's workspace that were written; a task has a workspace of its own."""
        return self.main.files_changed

    @property
    def tokens(self) -> int:
        """Of the main agent and all tasks together."""
        return sum(view.tokens for view in list(self.agents.values()))

    @property
    def cost(self) -> float | None:
        """Of the main agent and all tasks together, None where no price is known."""
        costs = [view.cost for view in list(self.agents.values()) if view.cost is not None]
        return sum(costs) if costs else None

    def agent(self, agent_id: str) -> AgentView:
        """The view of one agent, made when it is first asked for."""
        view = self.agents.get(agent_id)
        if view is None:
            view = self.agents[agent_id] = AgentView(agent_id)
        return view

    def apply(self, event: Event) -> Item | None:
        """Take one event in. Answers the item that it made or changed, None where it touched none."""
        view = self.agent(event.agent_id)
        view.last_event_at, self.seq = event.at, event.seq
        if (doing := _doing(event)) is not None:
            view.now(doing, event.at)
        return self._apply(view, event)  # type: ignore[arg-type]

    def _apply(self, view: AgentView, event: AnyEvent) -> Item | None:  # noqa: C901, PLR0911, PLR0912 - one match over the union of events
        match event:
            case SessionStarted():
                if self.session is not None and self.session.session_id != event.session_id:
                    view.todos, view.plan = [], None  # another conversation begins
                self.session = event
            case SessionForked():
                saved = "/" in event.source
                what = f"what was saved in {event.source}" if saved else f"session {event.source[:8]}"
                text = f"A copy of {what} goes on here." + ("" if saved else " The workspace stays as it is.")
                return self._add(view, NoticeItem(self._key(event), event.agent_id, "info", text, event.at))
            case RunStarted():
                return view.begin_run(event.at)
            case RunFinished():
                view.running = False
                view.run_ended(event.cost)
                if (ran := self.tasks.get(event.agent_id)) is not None:
                    ran.reason = event.reason
                return self._add(
                    view,
                    RunItem(
                        self._key(event),
                        event.agent_id,
                        event.reason,
                        event.steps,
                        event.usage,
                        event.error,
                        event.at,
                        event.files_changed,
                        max(0.0, event.at - view.started_at),
                    ),
                )
            case StepStarted():
                view.step = event.step
            case StepFinished():
                view.step_ended(event.usage, event.cost, event.context_tokens)
            case MessageStarted() if event.role == "assistant":
                item = AssistantItem(event.message_id, event.agent_id, at=event.at)
                self._messages[event.message_id] = item
                return self._add(view, item)
            case MessageDelta():
                return self._delta(event)
            case MessageFinished():
                return self._message(view, event)
            case ToolStarted():
                tool = ToolItem(
                    self._key(event),
                    event.agent_id,
                    event.call_id,
                    event.tool,
                    event.arguments,
                    at=event.at,
                    folder=self.session.workspace if self.session is not None else "",
                )
                self.tools[event.agent_id, event.call_id] = view.last_tool = tool
                return self._add(view, tool)
            case ToolOutput():
                return self._output(event)
            case ToolFinished():
                return self._tool_finished(event)
            case ApprovalRequested():
                self.approvals[event.request_id] = event
                return self._tool_state(event.agent_id, event.call_id, "waiting", event.request_id)
            case ApprovalResolved():
                request = self.approvals.pop(event.request_id, None)
                if request is not None:
                    return self._tool_state(request.agent_id, request.call_id, "running", None)
            case TaskStarted():
                task = TaskItem(
                    self._key(event),
                    event.agent_id,
                    event.task_id,
                    event.persona,
                    event.prompt,
                    at=event.at,
                    state=event.state,
                    status=event.state,
                    workspace=event.workspace,
                    retry_of=event.retry_of,
                )
                self.tasks[event.task_id] = task
                return self._add(view, task)
            case TaskUpdated() | TaskFinished() | TaskReviewed():
                return self._task(event)
            case FilesChanged():
                view.files_changed.extend(path for path in event.paths if path not in view.files_changed)
            case TodosUpdated():
                view.todos = event.todos
            case PlanPresented():
                view.plan = PlanItem(
                    self._key(event), event.agent_id, event.plan_id, event.plan, event.at, event.source == "text"
                )
                return self._add(view, view.plan)
            case PlanDecided() if view.plan is not None and view.plan.plan_id == event.plan_id:
                view.plan.decide(event)
                return view.plan
            case ContextCompacted():
                return self._compacted(view, event)
            case ContextRestored():
                view.context_tokens = event.tokens or view.context_tokens
                if (undone := view.compactions.get(event.compaction_id)) is not None:
                    undone.undone = True
                return undone
            case CheckpointMade() if event.unkept:
                return self._said(view, event, "warning", said_unkept(event))
            case FilesRestored():
                return self._said(view, event, "warning" if event.left else "info", said_restored(event))
            case ConversationRewound():
                said = NoticeItem(self._key(event), event.agent_id, "info", REWOUND, event.at)
                view.rewind(event.rewind_id, event.to_seq, said)
                return said
            case ConversationRestored():
                view.restore(event.rewind_id)
            case Notice():
                return self._said(view, event, event.level, event.text)
        return None

    def _said(self, view: AgentView, event: Event, level: Level, text: str) -> Item:
        return self._add(view, NoticeItem(self._key(event), event.agent_id, level, text, event.at))

    @staticmethod
    def _key(event: Event) -> str:
        return f"e{event.seq}"

    def _add(self, view: AgentView, item: Item) -> Item:
        return view.add(item, self.seq)

    def _delta(self, event: MessageDelta) -> Item | None:
        item = self._messages.get(event.message_id)
        if item is None:
            return None
        if event.kind == "reasoning":
            item.reasoning += event.text
        else:
            item.text += event.text
        return item

    def _message(self, view: AgentView, event: MessageFinished) -> Item | None:
        message = event.message
        text = _text(message.get("content"))
        if event.origin == "tool":
            return None  # the tool's own call tells of it
        if message.get("role") == "user":
            reminder, report = event.origin in ("reminder", "check"), event.origin == "task"
            return self._add(view, UserItem(self._key(event), event.agent_id, text, event.at, reminder, report))
        item = self._messages.pop(event.message_id, None)
        if item is not None:
            item.done, item.discarded = True, event.discarded
            item.text, item.reasoning = text, _text(message.get("reasoning_content"))
        return item

    def _compacted(self, view: AgentView, event: ContextCompacted) -> Item:
        item = CompactionItem(
            self._key(event),
            event.agent_id,
            event.compaction_id,
            event.before_tokens,
            event.after_tokens,
            event.by,
            event.summary,
            event.left_out,
            event.outputs,
            event.images,
            event.at,
        )
        view.compactions[event.compaction_id] = item
        view.context_tokens = event.after_tokens
        view.add_usage(event.usage, event.cost)
        return self._add(view, item)

    def _output(self, event: ToolOutput) -> Item | None:
        tool = self.tools.get((event.agent_id, event.call_id))
        if tool is not None:
            tool.output = (tool.output + event.text)[-LIVE_OUTPUT:]
            tool.output_file = event.output_file
        return tool

    def _tool_finished(self, event: ToolFinished) -> Item | None:
        tool = self.tools.get((event.agent_id, event.call_id))
        if tool is not None:
            tool.state, tool.output, tool.seconds, tool.request_id = event.status, event.output, event.seconds, None
            tool.exit_status, tool.output_file = event.exit_status, event.output_file
        return tool

    def _tool_state(self, agent_id: str, call_id: str, state: ToolState, request_id: str | None) -> Item | None:
        tool = self.tools.get((agent_id, call_id))
        if tool is not None:
            tool.state, tool.request_id = state, request_id
        return tool

    def _task(self, event: TaskUpdated | TaskFinished | TaskReviewed) -> Item | None:
        task = self.tasks.get(event.task_id)
        if task is None:
            return None
        _follow_task(task, event)
        return task


def _follow_task(task: TaskItem, event: TaskUpdated | TaskFinished | TaskReviewed) -> None:
    if isinstance(event, TaskReviewed):
        task.review, task.conflicts = event.review, event.conflicts
        return
    task.status, task.state = event.status, event.state
    task.waiting_since = (task.waiting_since or event.at) if event.state == "waiting" else None
    if isinstance(event, TaskFinished):
        task.result, task.files_changed, task.ended_at = event.result, event.files_changed, event.at
        task.steps, task.usage, task.cost, task.changes = event.steps, event.usage, event.cost, event.changes
    elif event.state in {"queued", "running", "waiting"}:  # it was sent back to work
        task.ended_at = None


def _text(content: object) -> str:
    """The text of a message's content; one with images is seldom, and what reads it is loaded then."""
    if isinstance(content, str) or content is None:
        return content or ""
    from pygent.images import text_of  # noqa: PLC0415 - a first frame can do without

    return text_of(content)


def _doing(event: Event) -> Doing | None:
    """What an agent does from this event on; None where the event does not tell."""
    match event:
        case MessageStarted(role="assistant"):
            return "waiting for the model"
        case MessageDelta():
            return "thinking" if event.kind == "reasoning" else "writing"
        case ToolStarted():
            return "running a tool"
        case ContextCompacting():
            return "" if event.over else "compacting"
        case MessageFinished() | ToolFinished() | RunFinished() | ContextCompacted():
            return ""
    return None
