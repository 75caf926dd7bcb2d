"""A task on the worker that it was sent to: an agent in a workspace, a sandbox and with a model of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from pygent.agent import Agent
from pygent.approvals import Answer, Judged, PendingCall
from pygent.budget import Budget
from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.cluster.archive import Packed, Stamp, everything, pack, stamps, touched, unpack
from pygent.cluster.messages import Order, Outcome
from pygent.cluster.stream import Outgoing
from pygent.errors import PygentError, TaskError, WorkspaceError
from pygent.file_list import list_files
from pygent.ledger import Account
from pygent.loop import RunResult
from pygent.models import OpenAIModel, configured, default_model
from pygent.models.endpoint import DEFAULT_BASE_URL
from pygent.runtime import Runtime
from pygent.sandbox import limits_of
from pygent.settings import Settings, command_environment, load
from pygent.settings.provider import server_of
from pygent.wiring import Wiring, open_network, workspace_roots

if TYPE_CHECKING:
    from pygent.approvals import Approvals

LEAVE_SECONDS = 60.0
"""How long a child waits for its session's leave to begin."""

Tell = Callable[..., object]


class Child:
    """One task at work here. ``tell(kind, **fields)`` sends a message to its session; ``take`` takes one from there.

    ``take`` may be called from any thread and does not block.
    """

    def __init__(self, order: Order, tell: Tell) -> None:
        self.order = order
        self.cancel = CancelToken()
        self.broker = True if order.person else None  # asked for by whoever wants to know whether a person is there
        self.account = Account(order.budget, what="the task", agent_id=order.task_id)
        self._tell = tell
        self._may_begin = False
        self._gate = threading.Event()
        self._saying = threading.Lock()
        self._said: list[str] | None = []
        self._answers: dict[str, tuple[threading.Event, list[Answer]]] = {}
        self._outgoing = Outgoing(lambda first, events: tell("events", first=first, events=events))

    def take(self, told: Mapping[str, Any]) -> bool:
        """Do what the session says. False where it comes too late."""
        match told.get("do"):
            case "go":
                self._may_begin = True
                self._gate.set()
            case "cancel":
                self.cancel.cancel(str(told.get("reason") or "the task was stopped"))
            case "say":
                with self._saying:
                    if self._said is None:
                        return False
                    self._said.append(str(told["text"]))
            case "answer":
                wake, answer = self._answers.get(str(told["id"]), (threading.Event(), []))
                answer.append(Answer(told["decision"], told["feedback"], told["by"], told["reason"]))
                wake.set()
            case "spent":  # by others, together with whom it has a budget
                self.account.budget = Budget(steps=max(1, self.account.used().steps))
            case "again":
                threading.Thread(
                    target=self._outgoing.again, args=(int(told["first"]), int(told["last"])), daemon=True
                ).start()
        return True

    def work(self, archive: bytes) -> Outcome:
        """Do the task; what fails is in the outcome.

        Raises ``TaskError`` where the session gives no leave to begin.
        """
        try:
            with self.cancel.on_cancel(self._gate.set):
                self._gate.wait(LEAVE_SECONDS)
            if not self._may_begin:
                why = self.cancel.error or f"it did not answer for {LEAVE_SECONDS:g} seconds"
                raise TaskError(f"the session that sent this task gave no leave to begin: {why}")
            return self._work(archive)
        finally:
            self._outgoing.close()

    def decide(self, tool: Judged, call: PendingCall, *, agent_id: str, cancel: CancelToken) -> Answer:
        """Ask the session about a tool call; it knows the rules, and the person who answers."""
        return self._asked(call, cancel, effect=tool.effect)

    def ask(self, call: PendingCall, *, agent_id: str, cancel: CancelToken, reason: str = "") -> Answer | None:
        """Ask the person what the agent wants to know; None where nobody is there."""
        answer = self._asked(call, cancel, effect="control", question=True)
        return None if answer.by == "nobody" else answer

    def _asked(self, call: PendingCall, cancel: CancelToken, **fields: Any) -> Answer:
        number = uuid4().hex
        wake, answer = self._answers[number] = (threading.Event(), [])
        self._outgoing.flush()  # what the call is seen in comes before the question
        self._tell("ask", id=number, tool=call.tool, call_id=call.call_id, arguments=call.arguments, **fields)
        with cancel.on_cancel(wake.set):
            wake.wait()
        self._answers.pop(number, None)
        return answer[0] if answer else Answer("deny", by="nobody")

    def _work(self, archive: bytes) -> Outcome:
        runtime: Runtime | None = None
        before: dict[str, Stamp] = {}
        result: RunResult | None = None
        error = ""
        try:
            settings = load()
            runtime = make_runtime(settings, self.order)
            unpack(archive, runtime.workspace)
            before = stamps(runtime.workspace, _theirs(runtime))
            result = self._run(settings, runtime)
        except PygentError as failure:
            error = str(failure) or type(failure).__name__
        except Exception as failure:  # the boundary: whatever an agent throws is told at home
            error = f"{type(failure).__name__}: {failure}"
        try:
            return self._outcome(runtime, before, result, error)
        finally:
            if runtime is not None:
                runtime.cleanup()

    def _run(self, settings: Settings, runtime: Runtime) -> RunResult:
        order = self.order
        bus = EventBus()
        bus.subscribe(self._outgoing.add)
        agent = Agent(
            runtime,
            make_model(settings, order),
            server_of(settings, model_name(settings, order)).model,
            order.persona,
            wiring=Wiring(
                bus=bus,
                agent_id=order.task_id,
                approvals=cast("Approvals", self) if order.asks else None,  # what is asked of it
                cancel=self.cancel,
                depth=1,
                cancellable=True,
                steering=self._steering,
                prices=order.prices,
                budget=self.account,
            ),
        )
        agent.history.extend(order.past)
        agent.disabled_tools = set(agent.registry.names()) - set(order.tools)
        sandbox = runtime.sandbox
        self._tell(
            "ready",
            sandbox=sandbox.kind,
            confined=sandbox.confined,
            roots=workspace_roots(runtime),
            model=agent.model_name,
            network=open_network(order.persona, runtime),
            missing=sorted(set(order.tools) - set(agent.registry.names())),
        )
        limits = order.limits
        return agent.run_until_stop(
            order.prompt, max_steps=limits.max_steps, step_timeout=limits.step_timeout, max_time=limits.max_time
        )

    def _steering(self, *, last: bool = False) -> list[str]:
        """What was said since this was asked before; nothing is taken any more after the ``last`` time."""
        with self._saying:
            said, self._said = self._said or [], None if last else []
            return said

    def _outcome(
        self, runtime: Runtime | None, before: Mapping[str, Stamp], result: RunResult | None, error: str
    ) -> Outcome:
        packed, gone = Packed(b"", 0), list[str]()
        if runtime is not None:
            runtime.close_sandbox()  # so that nothing writes any more
            try:
                changed, gone = touched(runtime.workspace, before, list_files(runtime.workspace))
                packed = pack(runtime.workspace, [path for path in changed if not _is_git(path)])
            except WorkspaceError as failure:
                packed = Packed(b"", 0, (f"The changes could not be fetched: {failure}",))
                gone = []
        self._outgoing.close()
        return Outcome(
            events=self._outgoing.count,
            result=result,
            error=error,
            archive=packed.data if packed.count else b"",
            deleted=tuple(path for path in gone if not _is_git(path)),
            unread=tuple(self._steering(last=True)),
            notes=packed.left_out,
        )


def make_runtime(settings: Settings, order: Order) -> Runtime:
    """The workspace and the sandbox as this machine's settings have them, and as far as the persona goes.

    Raises ``SandboxUnavailable``, ``WorkspaceError`` and ``SettingsError``.
    """
    return Runtime(
        image=order.persona.image or settings.image,
        use_docker=settings.use_docker,
        initial_files=(),
        banned_commands=settings.banned_commands,
        banned_apps=settings.banned_apps,
        network=settings.network and order.persona.network is not False,
        env=command_environment(settings),
        limits=limits_of(settings),
        session_id=order.task_id,
        temporary=True,
        local_sandbox=settings.local_sandbox,
    )


def make_model(settings: Settings, order: Order) -> Any:
    """This machine's model server, or the one that the session's settings name."""
    server = order.model
    default = default_model()
    if server is None:
        own = isinstance(default, OpenAIModel)
        return configured.make_model(settings, model_name(settings, order)) if own else default
    return OpenAIModel(
        server.base_url or DEFAULT_BASE_URL,
        server.api_key or "",
        text_tool_calls=settings.text_tool_calls,
        temperature=settings.temperature,
        max_tokens=server.max_tokens,
        compat=server.compat,
        headers=server.headers,
    )


def model_name(settings: Settings, order: Order) -> str:
    """The session's name where it insists or sends its server along, else this machine's where it has one."""
    own = settings.source("model") != "default"
    if order.model_name and (order.named or order.model is not None or not own):
        return order.model_name
    return settings.model


def _theirs(runtime: Runtime) -> list[str]:
    return [path for path in everything(runtime.workspace) if not _is_git(path)]


def _is_git(path: str) -> bool:
    return ".git" in path.split("/")
