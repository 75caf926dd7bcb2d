"""A scripted session with the face of the real one, fed by hand through a real event bus.

A test tells what happens (``fake.user("hi")``, ``fake.say("hello")``, ``fake.tool("bash", …)``); everything the front
end asks for is kept in ``fake.calls``. A ``script`` given to the constructor runs on a thread of its own for each
submitted prompt, as the real session's runs do.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

from pygent.budget import Budget
from pygent.bus import EventBus, Sink
from pygent.context_use import ContextUse, Part
from pygent.errors import PygentError
from pygent.events import (
    MAIN,
    ApprovalRequested,
    ApprovalResolved,
    Event,
    FilesChanged,
    MessageDelta,
    MessageFinished,
    MessageStarted,
    Notice,
    PlanDecided,
    PlanPresented,
    RunFinished,
    RunStarted,
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
from pygent.forks import ForkPoint, fork_points
from pygent.images import Image, read_image
from pygent.ledger import Account
from pygent.persona import Persona
from pygent.prompt_queue import QueuedPrompt
from pygent.session_controls import Costs
from pygent.session_files import SessionFiles
from pygent.session_model import OfferedBy
from pygent.session_rules import Allowed
from pygent.settings.provider import Provider
from pygent.store import Glimpse, StoredSession
from pygent.workspace import Workspace
from tests.tui.fake_tasks import FakeTasks

MODES = ("ask", "auto", "plan", "yolo")


@dataclass(frozen=True, kw_only=True)
class FakeSettings:
    model: str = "gpt-4.1-mini"
    base_url: str | None = None
    api_key: str | None = "test-key"
    workspace: Path | None = None
    permission_mode: str | None = None
    confirm_bash: bool = False
    network: bool = False
    theme: str = "pygent-dark"
    diff_style: str = "auto"
    notify: str = "auto"
    terminal_title: bool = True
    keymap: dict[str, str] = field(default_factory=dict)
    context_window: int | None = 128_000
    env: dict[str, str] = field(default_factory=dict)
    ephemeral: bool = True  # what is written in the prompt is not kept
    max_tasks: int = 3
    personas: tuple[Persona, ...] = ()
    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    prices: dict[str, dict[str, float]] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    compat: dict[str, dict[str, Any]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    proxy: str | None = None
    certificates: Path | None = None
    first_token_timeout: float | None = None
    token_timeout: float | None = None
    sources: dict[str, str] = field(default_factory=dict)

    def source(self, key: str) -> str:
        return self.sources.get(key, "default")


@dataclass(frozen=True, kw_only=True)
class FakeStatus:
    model: str
    persona: str
    permission_mode: str
    sandbox: str
    confined: bool
    network: bool
    context_window: int | None
    session_id: str
    workspace: Path
    demo: bool = False


@dataclass(frozen=True)
class FakeToolInfo:
    name: str
    description: str
    enabled: bool = True


Script = Callable[["FakeSession", str], None]


class FakeSession(FakeTasks, SessionFiles):
    read_only = False

    def __init__(
        self,
        workspace: Path | None = None,
        *,
        script: Script | None = None,
        settings: FakeSettings | None = None,
        sandbox: str = "docker · network off",
        confined: bool = True,
        demo: bool = False,
        open_gate: threading.Event | None = None,
        open_error: Exception | None = None,
    ) -> None:
        super().__init__()
        self.workspace = workspace or Path("/nonexistent/project")
        self._files = Workspace(self.workspace)
        self._keep_originals()
        self.settings = settings or FakeSettings(workspace=self.workspace)
        self.personas = (
            Persona("developer", "writes and changes code"),
            Persona("tester", "writes and runs tests"),
        )
        self.bus = EventBus("fake-session")
        self.id = self.bus.session_id
        self.published: list[Event] = []
        self.bus.subscribe(self.published.append)
        self.account = Account()  # the fake charges nothing by itself
        self.calls: list[tuple[Any, ...]] = []
        self.prompts: list[str] = []
        self.images: list[tuple[Image, ...]] = []
        self.waiting: list[QueuedPrompt] = []
        self.kept: set[str] = set()  # paths that ``open_output`` opens
        self.running = False
        self.past: list[Event] = []
        self.archive: list[StoredSession] = []
        self.said: dict[str, str] = {}
        self.others: dict[str, FakeSession] = {}
        self.offering: list[OfferedBy] = []
        self.offered: dict[str, list[str] | Exception | threading.Event] = {}  # an event: no answer until it is set
        self.opened = False
        self.is_stored = False
        self.closed = False
        self._script = script
        self._gate = open_gate
        self._open_error = open_error
        self._ids = itertools.count(1)
        self._status = FakeStatus(
            model=self.settings.model,
            persona="developer",
            permission_mode=self.settings.permission_mode or "auto",
            sandbox=sandbox,
            confined=confined,
            network=False,
            context_window=self.settings.context_window,
            session_id=self.id,
            workspace=self.workspace,
            demo=demo,
        )
        self._tools = [FakeToolInfo("bash", "Run a command"), FakeToolInfo("write_file", "Write a file")]
        self._banned: list[str] = []
        self._asking: dict[str, str] = {}  # the tasks that wait, by their requests

    # What a front end calls.

    @property
    def permission_mode(self) -> str:
        return self._status.permission_mode

    def subscribe(self, sink: Sink) -> Callable[[], None]:
        return self.bus.subscribe(sink)

    def open(self) -> None:
        if self._gate is not None:
            self._gate.wait(10)
        if self._open_error is not None:
            raise self._open_error
        self.opened = True
        self.bus.publish(
            SessionStarted(
                model=self._status.model,
                persona=self._status.persona,
                workspace=str(self.workspace),
                sandbox=self._status.sandbox.split(" ")[0].lower().strip(":,"),
                version="0.0.0",
            )
        )

    def submit(self, prompt: str, images: Sequence[Image] = (), *, held: bool = False) -> str:
        self.calls.append(("submit", prompt))
        self.prompts.append(prompt)
        self.images.append(tuple(images))
        item = QueuedPrompt(self._id("q"), prompt, tuple(images), "held" if held else "next")
        if held or self.running:
            self.waiting.append(item)
        else:
            self._start(item)
        return item.id

    def _start(self, item: QueuedPrompt) -> None:
        if self._script is not None:
            threading.Thread(target=self._script, args=(self, item.text), daemon=True).start()

    def queued(self) -> list[QueuedPrompt]:
        return list(self.waiting)

    def unqueue(self, prompt_id: str) -> QueuedPrompt | None:
        item = next((item for item in self.waiting if item.id == prompt_id), None)
        if item is not None:
            self.waiting.remove(item)
        return item

    def steer(self, prompt_id: str) -> bool:
        item = self.unqueue(prompt_id)
        if item is None:
            return False
        self.calls.append(("steer", item.text))
        if self.running:
            self.waiting.insert(0, replace(item, waiting="steer"))
        else:
            self._start(item)
        return True

    def steered(self) -> None:
        """The run's next step comes: what was to steer it goes in."""
        for item in [item for item in self.waiting if item.waiting == "steer"]:
            self.waiting.remove(item)
            self.user(item.text)

    def read_image(self, path: str) -> Image:
        self.calls.append(("read_image", path))
        try:
            data = (self.workspace / path).read_bytes()
        except OSError as error:
            raise PygentError(f"{path!r} cannot be read: {error.strerror}") from error
        return read_image(path, data)

    def interrupt(self) -> bool:
        self.calls.append(("interrupt",))
        was, self.running = self.running, False
        if was:
            self.waiting = [replace(item, waiting="held") for item in self.waiting]
            self.finish("cancelled")
        return was

    def resolve(self, request_id: str, decision: str, feedback: str = "") -> bool:
        self.calls.append(("resolve", request_id, decision, feedback))
        self.bus.publish(ApprovalResolved(request_id=request_id, decision=decision, feedback=feedback))  # type: ignore[arg-type]
        if request_id in self._asking:
            self.task_update(self._asking.pop(request_id), "running")
        return True

    def costs(self) -> Costs:
        return Costs(self.account.used(), self.account.budget, self.account.share())

    def set_budget(self, budget: Budget, persona: str = "") -> None:
        self.calls.append(("set_budget", budget, persona))
        if not persona:
            self.account.budget = budget

    def set_permission_mode(self, mode: str) -> None:
        self.calls.append(("set_permission_mode", mode))
        if mode not in MODES:
            raise ValueError(f"unknown permission mode {mode!r}; one of {', '.join(MODES)}")
        self._status = replace(self._status, permission_mode=mode)

    def prefer(self, **changes: Any) -> None:
        self.calls.append(("prefer", changes))
        known = {key: value for key, value in changes.items() if hasattr(self.settings, key)}
        self.settings = replace(self.settings, **known)

    def cycle_permission_mode(self) -> str:
        mode = MODES[(MODES.index(self.permission_mode) + 1) % len(MODES)]
        self.set_permission_mode(mode)
        return mode

    def run_command(self, cmd: str) -> None:
        self.calls.append(("run_command", cmd))

    def why_not_again(self, tool: str, agent_id: str = MAIN) -> str:
        return f"{tool} cannot be made again." if tool in {"stop", "continue", "delegate_task"} else ""

    def run_again(self, tool: str, arguments: Mapping[str, Any], agent_id: str = MAIN) -> None:
        self.calls.append(("run_again", tool, dict(arguments), agent_id))

    def take_past(self) -> list[Event]:
        past, self.past = self.past, []
        return past

    def events(self) -> list[Event]:
        return list(self.published)

    def open_output(self, path: str) -> BinaryIO:
        if path not in self.kept:
            raise PygentError("The whole output was kept until the session in which it was made ended.")
        return Path(path).open("rb")

    def copy_in(self, src: str, dest: str | None = None) -> str:
        self.calls.append(("copy_in", src, dest))
        return f"Copied {src}"

    @property
    def busy_with(self) -> str:
        return "the agent is at work; interrupt it first" if self.running else ""

    def stored(self, limit: int = 20, *, everywhere: bool = False) -> list[StoredSession]:
        here = [one for one in self.archive if everywhere or one.workspace == str(self.workspace)]
        return sorted(here, key=lambda one: -one.updated_at)[:limit]

    def search_stored(self, text: str, *, everywhere: bool = False) -> list[StoredSession]:
        return [one for one in self.stored(everywhere=everywhere) if text in self.said.get(one.id, "")]

    def glimpse(self, session_id: str) -> Glimpse | None:
        return Glimpse(4, self.said.get(session_id, ""), "answered")

    def rename_stored(self, session_id: str, title: str) -> None:
        self.calls.append(("rename_stored", session_id, title))
        self.archive = [replace(one, title=title) if one.id == session_id else one for one in self.archive]

    def delete_stored(self, session_id: str) -> None:
        self.calls.append(("delete_stored", session_id))
        self.archive = [one for one in self.archive if one.id != session_id]

    title = ""

    def save(self, folder: str) -> str:
        self.calls.append(("save", folder))
        return f"Saved to {folder}"

    def fork_points(self) -> list[ForkPoint]:
        return fork_points(self.published)

    def forked(self, session_id: str | None = None, to_seq: int | None = None) -> FakeSession:
        self.calls.append(("forked", session_id, to_seq))
        return self.others["fork"]

    def find_stored(self, prefix: str) -> StoredSession:
        found = [one for one in self.archive if one.id.startswith(prefix)]
        if len(found) != 1:
            raise PygentError(f"no session's id begins with {prefix!r}")
        return found[0]

    def resumed(self, stored: StoredSession) -> FakeSession:
        self.calls.append(("resumed", stored.id))
        if stored.id not in self.others:
            raise PygentError(f"its workspace {stored.workspace} is not there any more")
        return self.others[stored.id]

    @property
    def plan(self) -> PlanPresented | None:
        decided = {event.plan_id for event in self.published if isinstance(event, PlanDecided)}
        open_ = [event for event in self.published if isinstance(event, PlanPresented)]
        return next((event for event in reversed(open_) if event.plan_id not in decided), None)

    def plan_modes(self) -> list[str]:
        return ["ask", "auto", "yolo"]

    def approve_plan(self, plan_id: str, mode: str = "ask", text: str = "") -> str:
        self.calls.append(("approve_plan", plan_id, mode, text))
        self._status = replace(self._status, permission_mode=mode)
        plan = text or (self.plan.plan if self.plan is not None else "")
        self.bus.publish(PlanDecided(plan_id=plan_id, decision="approved", plan=plan, mode=mode))
        return self.submit("The plan is approved. Carry it out now.")

    def change_plan(self, plan_id: str, feedback: str) -> str:
        self.calls.append(("change_plan", plan_id, feedback))
        self.bus.publish(PlanDecided(plan_id=plan_id, decision="changes", feedback=feedback))
        return self.submit(feedback)

    def drop_plan(self, plan_id: str) -> None:
        self.calls.append(("drop_plan", plan_id))
        self.bus.publish(PlanDecided(plan_id=plan_id, decision="dropped"))

    def clear_todos(self) -> None:
        self.calls.append(("clear_todos",))
        self.bus.publish(TodosUpdated(todos=[]))

    def compact(self, hint: str = "") -> str:
        self.calls.append(("compact", hint))
        return ""

    def context_use(self) -> ContextUse:
        parts = (Part("outputs of tools", 6_000, 3), Part("system prompt", 400, 1))
        return ContextUse(6_400, 128_000, 0.8, parts, (Part("bash make test", 5_000),), counted=True)

    def offer_undo(self, steps: int = 1) -> Any:
        self.calls.append(("offer_undo", steps))
        raise PygentError("There is nothing to undo: no file was changed by a call since this session began.")

    def offer_redo(self) -> Any:
        self.calls.append(("offer_redo",))
        raise PygentError("There is nothing to redo.")

    def points(self) -> list[Any]:
        return []

    def undo_compaction(self) -> None:
        self.calls.append(("undo_compaction",))

    def new(self) -> None:
        self.calls.append(("new",))

    def set_model(self, name: str) -> None:
        self.calls.append(("set_model", name))
        self.bus.publish(Notice(level="info", text=f"The model is {name} from the next step on."))
        self._status = replace(self._status, model=name)

    def servers(self) -> list[OfferedBy]:
        return self.offering or [OfferedBy("", "http://127.0.0.1:8080/v1", (self._status.model,))]

    def models_of(self, provider: str) -> list[str]:
        self.calls.append(("models_of", provider))
        answer = self.offered.get(provider, [])
        if isinstance(answer, threading.Event):
            answer.wait(10)
            return []
        if isinstance(answer, Exception):
            raise answer
        return answer

    def set_persona(self, name: str) -> None:
        self.calls.append(("set_persona", name))
        self._status = replace(self._status, persona=name)

    def tools(self) -> list[FakeToolInfo]:
        return list(self._tools)

    def enable_tool(self, name: str, on: bool) -> None:
        self.calls.append(("enable_tool", name, on))
        self._tools = [replace(tool, enabled=on) if tool.name == name else tool for tool in self._tools]

    def rules(self, kind: str) -> tuple[str, ...]:
        return tuple(getattr(self.settings, kind))

    def allowed(self) -> list[Allowed]:
        return [Allowed("bash(make *)", "always"), Allowed("bash(ls)", "session")]

    def take_back(self, text: str) -> str:
        self.calls.append(("take_back", text))
        return f"{text} is asked for again."

    def banned(self) -> list[str]:
        return list(self._banned)

    def ban(self, cmd: str) -> None:
        self._banned.append(cmd)

    def unban(self, cmd: str) -> None:
        self._banned.remove(cmd)

    def set_network(self, on: bool) -> None:
        self.calls.append(("set_network", on))
        self._status = replace(self._status, network=on)

    def set_confirm_bash(self, on: bool) -> None:
        self.calls.append(("set_confirm_bash", on))

    def status(self) -> FakeStatus:
        return self._status

    def _ready(self) -> Any:
        """Files are handled as the real session handles them."""
        return SimpleNamespace(runtime=SimpleNamespace(workspace=self._files))

    def export(self, path: str, format: str = "markdown") -> str:  # noqa: A002
        self.calls.append(("export", path, format))
        return path

    def close(self) -> None:
        self.calls.append(("close",))
        self.closed = True
        for answer in self.offered.values():
            if isinstance(answer, threading.Event):
                answer.set()

    # What a test tells. Each may be called from any thread.

    def run(self, prompt: str = "do it", *, agent: str = MAIN) -> None:
        """A run starts with the person's prompt."""
        if agent == MAIN:
            self.running = True
        self.bus.publish(RunStarted(prompt=prompt, agent_id=agent))
        self.user(prompt, agent=agent)
        self.step(1, agent=agent)

    def user(self, text: str, *, agent: str = MAIN, origin: str = "user") -> None:
        message = {"role": "user", "content": text}
        message_id = self._id("m")
        self.bus.publish(MessageStarted(message_id=message_id, role="user", origin=origin, agent_id=agent))  # type: ignore[arg-type]
        self.bus.publish(MessageFinished(message_id=message_id, message=message, origin=origin, agent_id=agent))  # type: ignore[arg-type]

    def step(self, step: int, *, agent: str = MAIN) -> None:
        self.bus.publish(StepStarted(step=step, agent_id=agent))

    def step_done(
        self,
        step: int = 1,
        *,
        prompt: int = 1200,
        completion: int = 80,
        cost: float | None = None,
        agent: str = MAIN,
    ) -> None:
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        self.bus.publish(StepFinished(step=step, usage=usage, cost=cost, agent_id=agent))

    def say(self, text: str, *, chunk: int = 0, reasoning: str = "", agent: str = MAIN) -> None:
        """A whole answer, in pieces of ``chunk`` characters where that is not 0."""
        message_id = self.begin(agent=agent)
        if reasoning:
            self.bus.publish(MessageDelta(message_id=message_id, text=reasoning, kind="reasoning", agent_id=agent))
        for start in range(0, len(text), chunk or max(1, len(text))):
            self.delta(message_id, text[start : start + (chunk or len(text))], agent=agent)
        self.end(message_id, text, reasoning=reasoning, agent=agent)

    def begin(self, *, agent: str = MAIN) -> str:
        message_id = self._id("m")
        self.bus.publish(MessageStarted(message_id=message_id, role="assistant", agent_id=agent))
        return message_id

    def delta(self, message_id: str, text: str, *, agent: str = MAIN) -> None:
        self.bus.publish(MessageDelta(message_id=message_id, text=text, agent_id=agent))

    def end(self, message_id: str, text: str, *, reasoning: str = "", agent: str = MAIN) -> None:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if reasoning:
            message["reasoning_content"] = reasoning
        self.bus.publish(MessageFinished(message_id=message_id, message=message, agent_id=agent))

    def tool(
        self,
        tool: str = "bash",
        arguments: dict[str, Any] | None = None,
        output: str = "",
        *,
        status: str = "ok",
        seconds: float = 0.4,
        agent: str = MAIN,
    ) -> str:
        """A whole tool call."""
        call_id = self.tool_start(tool, arguments, agent=agent)
        if output:
            self.tool_output(call_id, output, agent=agent)
        self.tool_finish(call_id, output, status=status, seconds=seconds, agent=agent)
        return call_id

    def tool_start(self, tool: str = "bash", arguments: dict[str, Any] | None = None, *, agent: str = MAIN) -> str:
        call_id = self._id("c")
        self.bus.publish(ToolStarted(call_id=call_id, tool=tool, arguments=arguments or {}, agent_id=agent))
        return call_id

    def user_command(self, cmd: str) -> str:
        """A command of the person's own begins."""
        call_id = self._id("user_")
        self.bus.publish(ToolStarted(call_id=call_id, tool="bash", arguments={"cmd": cmd}))
        return call_id

    def tool_output(self, call_id: str, text: str, *, agent: str = MAIN, file: str | None = None) -> None:
        self.bus.publish(ToolOutput(call_id=call_id, text=text, agent_id=agent, output_file=file))

    def tool_finish(
        self,
        call_id: str,
        output: str = "",
        *,
        status: str = "ok",
        seconds: float = 0.4,
        agent: str = MAIN,
        exit_status: int | None = None,
        file: str | None = None,
    ) -> None:
        self.bus.publish(
            ToolFinished(
                call_id=call_id,
                status=status,  # type: ignore[arg-type]
                output=output,
                seconds=seconds,
                agent_id=agent,
                exit_status=exit_status,
                output_file=file,
            )
        )

    def ask(
        self,
        tool: str = "bash",
        arguments: dict[str, Any] | None = None,
        *,
        rule: str | None = "bash(make *)",
        agent: str = MAIN,
    ) -> str:
        """A tool call that waits for a decision. Answers the request's id."""
        arguments = {"cmd": "make test"} if arguments is None else arguments
        call_id = self.tool_start(tool, arguments, agent=agent)
        request_id = self._id("r")
        if agent != MAIN:
            self.task_update(agent, "waiting")
            self._asking[request_id] = agent
        self.bus.publish(
            ApprovalRequested(
                request_id=request_id,
                call_id=call_id,
                tool=tool,
                summary=f"{tool} {next(iter(arguments.values()), '')}",
                arguments=arguments,
                rule=rule,
                agent_id=agent,
            )
        )
        return request_id

    def question(self, text: str, *, agent: str) -> str:
        """A task asks the person and waits. Answers the request's id."""
        return self.ask("continue", {"question": text}, rule=None, agent=agent)

    def task(
        self,
        task_id: str = "t1",
        persona: str = "tester",
        prompt: str = "write the tests",
        *,
        state: str = "running",
        workspace: str = "copy",
        retry_of: str | None = None,
    ) -> str:
        self.bus.publish(
            TaskStarted(
                task_id=task_id,
                persona=persona,
                prompt=prompt,
                state=state,  # type: ignore[arg-type]
                workspace=workspace,
                retry_of=retry_of,
            )
        )
        return task_id

    def task_update(self, task_id: str, status: str, state: str | None = None) -> None:
        self.bus.publish(TaskUpdated(task_id=task_id, status=status, state=state or _task_state(status)))  # type: ignore[arg-type]

    def task_done(
        self,
        task_id: str,
        status: str = "finished",
        result: str = "done",
        *files: str,
        state: str | None = None,
        **fields: Any,
    ) -> None:
        """The task is over. ``files`` are those it changed; ``fields`` are others of the event."""
        fields.setdefault("changes", [{"path": path, "kind": "changed"} for path in files])
        self.bus.publish(
            TaskFinished(
                task_id=task_id,
                status=status,
                result=result,
                files_changed=list(files),
                state=state or _task_state(status),  # type: ignore[arg-type]
                **fields,
            )
        )

    def task_reviewed(self, task_id: str, review: str, *paths: str, conflicts: Sequence[str] = ()) -> None:
        self.bus.publish(
            TaskReviewed(task_id=task_id, review=review, paths=list(paths), conflicts=list(conflicts))  # type: ignore[arg-type]
        )

    def todos(self, *todos: tuple[str, str], agent: str = MAIN) -> None:
        """The model calls ``update_todos``, each as its text and its state."""
        items = [{"text": text, "state": state} for text, state in todos]
        call = self.tool_start("update_todos", {"todos": items}, agent=agent)
        self.bus.publish(TodosUpdated(todos=items, agent_id=agent))
        done = sum(state == "done" for _, state in todos)
        self.tool_finish(call, f"{done} of {len(todos)} done.", seconds=0.001, agent=agent)

    def present_plan(self, plan: str, *, source: str = "tool") -> str:
        """The run ends with a plan: the model calls for it, or only writes it (``source`` ``text``)."""
        plan_id = self._id("p")
        if source == "tool":
            self.tool("present_plan", {"plan": plan}, "The user has the plan.", seconds=0.001)
        else:
            self.say(plan)
        self.bus.publish(PlanPresented(plan_id=plan_id, plan=plan, source=source))  # type: ignore[arg-type]
        self.finish("stopped" if source == "tool" else "completed")
        return plan_id

    def files(self, *paths: str) -> None:
        self.bus.publish(FilesChanged(paths=list(paths)))

    def notice(self, text: str, level: str = "info") -> None:
        self.bus.publish(Notice(level=level, text=text))  # type: ignore[arg-type]

    def finish(self, reason: str = "completed", *, agent: str = MAIN, **fields: Any) -> None:
        begins = next((item for item in self.waiting if item.waiting != "held"), None) if agent == MAIN else None
        if agent == MAIN:
            self.running = False
        if begins is not None:
            self.waiting.remove(begins)
        usage = {"prompt_tokens": 2400, "completion_tokens": 160, "total_tokens": 2560}
        self.bus.publish(RunFinished(**{"reason": reason, "steps": 2, "usage": usage, "agent_id": agent, **fields}))
        if begins is not None:
            self._start(begins)

    def called(self, name: str) -> list[tuple[Any, ...]]:
        """The calls of one method."""
        return [call for call in self.calls if call[0] == name]

    def _id(self, prefix: str) -> str:
        return f"{prefix}{next(self._ids)}"


def _task_state(status: str) -> str:
    """The state that goes with a status in words."""
    word = status.split(" ", maxsplit=1)[0].strip(":")
    return "failed" if word == "error" else word
