"""What people see of a session: a pure fold of its events.

Folding a stored log gives the same transcript that was live, although deltas and output chunks are not stored: the
whole message and the whole output arrive with the ``*.finished`` event and replace what the pieces had built.
Nothing here knows a clock, a thread or a screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pygent.events import (
    MAIN,
    USER_CALL,
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    ContextCompacted,
    Event,
    FilesChanged,
    Json,
    Level,
    MessageDelta,
    MessageFinished,
    MessageStarted,
    Notice,
    Reason,
    RunFinished,
    RunStarted,
    SessionStarted,
    StepFinished,
    StepStarted,
    TaskFinished,
    TaskStarted,
    TaskUpdated,
    ToolFinished,
    ToolOutput,
    ToolStarted,
)

LIVE_OUTPUT = 64 * 1024
"""Characters of a running tool's output that are kept; the end of it, since that is what is being watched."""

Doing = Literal["", "waiting for the model", "thinking", "writing", "running a tool"]
"""What an agent at work is doing just now."""

ToolState = Literal["waiting", "running", "ok", "error", "denied", "cancelled", "timeout"]


@dataclass(slots=True, repr=False)
class UserItem:
    """What a person said, or a reminder that Pygent added for the model."""

    key: str
    agent_id: str
    text: str
    at: float = 0.0
    reminder: bool = False


@dataclass(slots=True, repr=False)
class AssistantItem:
    """What the model said. ``done`` once it is whole; a discarded one stays, so that a broken stream is seen."""

    key: str
    agent_id: str
    text: str = ""
    reasoning: str = ""
    at: float = 0.0
    done: bool = False
    discarded: bool = False


@dataclass(slots=True, repr=False)
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


@dataclass(slots=True, repr=False)
class NoticeItem:
    """Something a person should know."""

    key: str
    agent_id: str
    level: Level
    text: str
    at: float = 0.0


@dataclass(slots=True, repr=False)
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


@dataclass(slots=True, repr=False)
class TaskItem:
    """A delegated run, as the conversation of its parent shows it."""

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


Item: TypeAlias = UserItem | AssistantItem | ToolItem | NoticeItem | RunItem | TaskItem


@dataclass(slots=True, repr=False)
class AgentView:
    """One agent's part: its items in order, and the state of its run."""

    agent_id: str
    items: list[Item] = field(default_factory=list)
    running: bool = False
    started_at: float = 0.0
    step: int = 0
    usage: dict[str, int] = field(default_factory=dict)
    last_prompt_tokens: int = 0
    last_event_at: float = 0.0
    last_tool: ToolItem | None = None
    doing: Doing = ""
    doing_since: float = 0.0

    def now(self, doing: Doing, at: float) -> None:
        """Note what the agent does from ``at`` on, in Unix seconds."""
        if doing != self.doing:
            self.doing, self.doing_since = doing, at

    def add_usage(self, usage: Json) -> None:
        """Count a step's tokens; the newest prompt's size is how full the context is."""
        for name, value in usage.items():
            self.usage[name] = self.usage.get(name, 0) + int(value)
        self.last_prompt_tokens = int(usage.get("prompt_tokens", 0)) or self.last_prompt_tokens


class Transcript:
    """The state that a front end shows. ``apply`` is its only way to change."""

    def __init__(self) -> None:
        self.agents: dict[str, AgentView] = {}
        self.tools: dict[tuple[str, str], ToolItem] = {}
        self.tasks: dict[str, TaskItem] = {}
        self.approvals: dict[str, ApprovalRequested] = {}
        self.session: SessionStarted | None = None
        self.files_changed: list[str] = []
        self.seq = 0
        """The number of the event that was taken in last."""
        self._messages: dict[str, AssistantItem] = {}

    @property
    def main(self) -> AgentView:
        """The agent that the person talks to."""
        return self.agent(MAIN)

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
                self.session = event
            case RunStarted():
                view.running, view.started_at, view.step = True, event.at, 0
            case RunFinished():
                view.running = False
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
                view.add_usage(event.usage)
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
                    self._key(event), event.agent_id, event.task_id, event.persona, event.prompt, at=event.at
                )
                self.tasks[event.task_id] = task
                return self._add(view, task)
            case TaskUpdated() | TaskFinished():
                return self._task(event)
            case FilesChanged() if event.agent_id == MAIN:  # a task has a workspace of its own
                self.files_changed.extend(path for path in event.paths if path not in self.files_changed)
            case ContextCompacted():
                text = f"Context compacted: {event.before_tokens} to {event.after_tokens} tokens"
                return self._add(view, NoticeItem(self._key(event), event.agent_id, "info", text, event.at))
            case Notice():
                return self._add(
                    view, NoticeItem(self._key(event), event.agent_id, event.level, event.text, event.at)
                )
        return None

    @staticmethod
    def _key(event: Event) -> str:
        return f"e{event.seq}"

    @staticmethod
    def _add(view: AgentView, item: Item) -> Item:
        view.items.append(item)
        return item

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
        if message.get("role") == "user":
            reminder = event.origin == "reminder"
            return self._add(view, UserItem(self._key(event), event.agent_id, text, event.at, reminder))
        item = self._messages.pop(event.message_id, None)
        if item is not None:
            item.done, item.discarded = True, event.discarded
            item.text, item.reasoning = text, _text(message.get("reasoning_content"))
        return item

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

    def _task(self, event: TaskUpdated | TaskFinished) -> Item | None:
        task = self.tasks.get(event.task_id)
        if task is None:
            return None
        task.status = event.status
        if isinstance(event, TaskFinished):
            task.result, task.files_changed, task.ended_at = event.result, event.files_changed, event.at
        return task


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
        case MessageFinished() | ToolFinished() | RunFinished():
            return ""
    return None
