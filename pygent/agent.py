"""``Agent``: one conversation with a model that can use tools."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from pygent.briefing import Briefing
from pygent.cancellation import CancelToken
from pygent.compactor import Compactor
from pygent.events import Event, FilesChanged, PlanPresented, TodosUpdated
from pygent.history import History
from pygent.images import Content
from pygent.ledger import Account
from pygent.loop import Limits, RunResult, run
from pygent.model_call import LoopContext, ModelInUse
from pygent.models import default_model
from pygent.offering import left_out, planning, sees, too_many
from pygent.openai_compat import Message
from pygent.persona import Persona
from pygent.prompts import Surroundings, build_system_message
from pygent.remembering import Remembering
from pygent.runtime import Runtime
from pygent.sandbox.description import surroundings
from pygent.settings import from_environment
from pygent.settings.secrets import all_keys
from pygent.step import add_user, run_step, take_in
from pygent.tasks import TaskManager
from pygent.tasks.asking import AskFirst
from pygent.todos import TodoList
from pygent.tools import REGISTRY, ToolRegistry
from pygent.tools.executor import Executor
from pygent.wiring import Wiring, alone, hide, keys_of


class Agent(Remembering):
    """Orchestrates the conversation with a model; owns a ``Runtime``.

    ``runtime`` defaults to a new ``Runtime()``, which ``close`` cleans up; anything with ``bash(cmd)`` and
    ``write_file(path, content)`` will do. ``model`` is any object with ``chat(messages, model, tools)``; default is
    the one given to ``set_custom_model``, else ``OpenAIModel``. ``model_name`` and ``persona`` default to the
    ``PYGENT_*`` variables. Raises ``SettingsError`` where one of these cannot be read.
    """

    def __init__(
        self,
        runtime: Any = None,
        model: Any = None,
        model_name: str | None = None,
        persona: Persona | None = None,
        *,
        tools: ToolRegistry | None = None,
        wiring: Wiring | None = None,
    ) -> None:
        settings = from_environment()
        self._settings = settings
        self.persona = persona or settings.persona
        self.wiring = wiring or replace(alone(self.persona, settings.budget), compact_at=settings.compact_at)
        self.registry = REGISTRY if tools is None else tools
        self.disabled_tools: set[str] = set()
        self.history = History()
        self.todos = TodoList()
        self.plan: PlanPresented | None = None
        self._planned = False
        self.tasks = TaskManager(parent=self)
        self._ctx = LoopContext(
            history=self.history,
            model=default_model() if model is None else model,
            model_name=model_name or self.persona.model or settings.model,
            runtime=Runtime() if runtime is None else runtime,
            executor=Executor(self.registry, self.wiring.approvals, self._emit),
            emit=self._emit,
            tasks=self.tasks,
        )
        self.compactor = self._ctx.compactor = Compactor(todos=lambda: self.todos.items)
        if settings.context_window:
            self.use(self._ctx.chosen._replace(window=lambda: settings.context_window))
        hide((*all_keys(settings), *keys_of(self.model)), self.wiring.bus, self.runtime)
        self._briefing = Briefing()
        self._steps = 0
        self._busy = threading.Lock()
        self._token: CancelToken | None = None
        self._join()

    @property
    def runtime(self) -> Any:
        """Where tools work; another one counts from the next step on."""
        return self._ctx.runtime

    @runtime.setter
    def runtime(self, runtime: Any) -> None:
        self._ctx.runtime = runtime

    @property
    def model(self) -> Any:
        """The model that is asked; another one counts from the next step on."""
        return self._ctx.chosen.model

    @model.setter
    def model(self, model: Any) -> None:
        self.use(self._ctx.chosen._replace(model=model))

    @property
    def model_name(self) -> str | None:
        """The name sent to the server with each request; a change counts from the next step on."""
        return self._ctx.chosen.name

    @model_name.setter
    def model_name(self, name: str | None) -> None:
        self.use(self._ctx.chosen._replace(name=name))

    def use(self, chosen: ModelInUse) -> None:
        """Ask another model, by its name and for its prices, from the next step on; from any thread."""
        hide(keys_of(chosen.model), self.wiring.bus, self.runtime)
        self.wiring = replace(self.wiring, prices=chosen.prices)
        self._ctx.chosen = chosen

    @property
    def agent_id(self) -> str:
        """``"main"`` or the id of the task that this agent works on."""
        return self.wiring.agent_id

    @property
    def running(self) -> bool:
        """True while a step or a run is under way."""
        return self._busy.locked()

    def step(self, user_msg: str) -> Message:
        """Add a message, ask the model once, run the tools it calls. Answers what the model said.

        Raises ``APIError`` where the server failed, ``Cancelled`` after ``cancel()``, ``RuntimeError`` where the
        agent is at work already.
        """
        with self._working() as token:
            self._steps += 1
            self._ctx.budget.take_step(force=True)
            take_in(self._ctx)
            add_user(self._ctx, user_msg, "user")
            return run_step(self._ctx, self._steps, token.child(self._settings.step_timeout)).message

    def run_until_stop(
        self,
        user_msg: str,
        max_steps: int | None = 20,
        step_timeout: float | None = None,
        max_time: float | None = None,
    ) -> RunResult:
        """Go on until the ``stop`` or ``continue`` tool is called or a limit is reached.

        ``step_timeout`` and ``max_time`` are in seconds and default to ``PYGENT_STEP_TIMEOUT`` and
        ``PYGENT_TASK_TIMEOUT``; ``max_steps`` None is no limit. A reply without a tool call is answered once with a
        reminder; a second one in a row ends the run as ``completed``.

        Raises what ``step`` raises, save that a cancelled run is a result.
        """
        return self._run(user_msg, self._limits(max_steps, step_timeout, max_time), until_stop=True)

    def converse(
        self,
        user_msg: Content,
        max_steps: int | None = None,
        step_timeout: float | None = None,
        max_time: float | None = None,
    ) -> RunResult:
        """Like ``run_until_stop``, but a reply without a tool call ends the run: somebody reads it.

        ``user_msg`` may also be content parts in the protocol's shape, such as text and images.
        """
        return self._run(user_msg, self._limits(max_steps, step_timeout, max_time), until_stop=False)

    def cancel(self) -> bool:
        """End the present step or run, from any thread. Answers whether there was one."""
        token = self._token
        if token is None:
            return False
        token.cancel()
        return True

    def run_interactive(self, use_docker: bool | None = None) -> None:
        """Open the full-screen application on this agent.

        ``use_docker`` says where commands run from then on; None leaves that as it is.
        """
        from pygent.tui.app import run_agent  # noqa: PLC0415 - the library must not import the screen

        _set_docker(self, use_docker)
        run_agent(self)

    def run_gui(self, use_docker: bool | None = None) -> None:
        """Serve the application to a browser on loopback, on this agent, until interrupted.

        ``use_docker`` as in ``run_interactive``. Raises ``PygentError`` where the extra ``pygent[web]`` is missing.
        """
        from pygent.web import serve_agent  # noqa: PLC0415 - the library must not import the screen

        _set_docker(self, use_docker)
        serve_agent(self)

    def join(self, wiring: Wiring) -> None:
        """Become part of a session or a task. Not while a run is under way."""
        self.wiring = wiring
        self._join()

    def refresh_system_message(self) -> None:
        """Bring the system message up to date with persona, tools, sandbox and instructions."""
        self.history.set_system(self.system_message())

    def system_message(self) -> str:
        """What the model is told before the conversation, as of now."""
        return _system_message(self, self._ctx.small)

    def tool_names(self) -> list[str]:
        """The tools that the model is offered."""
        allowed = _allowed(self, self._ctx.small)
        return [name for name in self.registry.names() if name in allowed]

    def close(self) -> None:
        """End the tasks and clean up the runtime."""
        self.cancel()
        self.tasks.close()
        cleanup = getattr(self.runtime, "cleanup", None)
        if cleanup is not None:
            cleanup()

    def _limits(self, max_steps: int | None, step_timeout: float | None, max_time: float | None) -> Limits:
        steps = [limit for limit in (max_steps, self.persona.max_steps) if limit is not None]
        return Limits(
            min(steps, default=None),
            self._settings.step_timeout if step_timeout is None else step_timeout,
            self._settings.max_time if max_time is None else max_time,
        )

    def _run(self, prompt: Content, limits: Limits, *, until_stop: bool) -> RunResult:
        with self._working() as token:
            return run(self._ctx, prompt, limits, token, until_stop=until_stop)

    @contextlib.contextmanager
    def _working(self) -> Iterator[CancelToken]:
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this agent is at work already; cancel() ends that, tasks run beside it")
        try:
            self._token = self.wiring.cancel.child()
            _fit(self._ctx, self._briefing, self._settings.profile)
            self._ctx.allowed = _allowed(self, self._ctx.small)
            self._ctx.budget = self._account()
            self._planned = planning(self.wiring)
            self.refresh_system_message()
            yield self._token
        finally:
            self._token = None
            self._busy.release()

    def _follow_mode(self) -> None:
        """Before a step: a person may have entered plan mode or left it."""
        if planning(self.wiring) != self._planned:
            self._planned = not self._planned
            self._ctx.allowed = _allowed(self, self._ctx.small)
            self.refresh_system_message()

    @property
    def run_account(self) -> Account | None:
        """What counts the costs of the present run, None between runs."""
        return self._ctx.run_account

    def _account(self) -> Account:
        # A task has its persona's account above its own already.
        session = self.wiring.budget
        return session if self.wiring.depth else session.persona(self.persona.name, self.persona.budget)

    def _emit(self, event: Event) -> Event:
        _keep(self, self._ctx, event)
        return self.wiring.bus.publish(event)

    def _join(self) -> None:
        self._ctx.budget = self._account()
        _join(self._ctx, self.wiring, self.tasks, self.todos)
        self._ctx.before_step = self._follow_mode
        before_control = AskFirst(self.wiring, self.tasks, self.todos)
        self._ctx.executor = Executor(
            *(self.registry, self.wiring.approvals, self._emit, before_control),
            sees=partial(_sees, self),
            watch=self.wiring.watch,
        )


def _system_message(agent: Agent, small: bool) -> str:
    sandbox = getattr(agent.runtime, "sandbox", None)
    where = Surroundings(
        workspace=str(getattr(sandbox, "workdir", None) or getattr(agent.runtime, "base_dir", "")),
        sandbox=surroundings(sandbox),
        autonomous=agent.wiring.autonomous,
        small=small,
        instructions=agent.wiring.bus.redactor.text(agent.wiring.instructions(small).text),
    )
    disabled = sorted(agent.disabled_tools) or None
    return build_system_message(agent.persona, where, agent.tool_names(), disabled)


def _allowed(agent: Agent, small: bool) -> frozenset[str]:
    own = agent.persona.tools
    names = agent.registry.names() if own is None else (*own, "stop", "continue", "present_plan")
    hidden = left_out(agent.wiring, agent.runtime, agent.persona, sighted=_sees(agent))
    if small and own is None:
        hidden |= too_many()
    return frozenset(names) - agent.disabled_tools - hidden


def _sees(agent: Agent) -> bool:
    return sees(agent.wiring, agent.model, agent.model_name)


def _fit(ctx: LoopContext, briefing: Briefing, profile: str) -> None:
    """Short texts and files shown beforehand for a small model; ``profile`` is that of one that does not say it."""
    ask = getattr(ctx.model, "profile", None)
    ctx.small = (ask(ctx.model_name) if callable(ask) else profile) == "small"
    ctx.briefing = briefing if ctx.small else None
    if len(ctx.history) < 2:
        briefing.reset()


def _keep(agent: Agent, ctx: LoopContext, event: Event) -> None:
    """Note what one of the agent's own events leaves behind."""
    if isinstance(event, FilesChanged):
        ctx.changes += 1
        ctx.files_changed.extend(path for path in event.paths if path not in ctx.files_changed)
    elif isinstance(event, TodosUpdated):
        agent.todos.items = event.todos
    elif isinstance(event, PlanPresented):
        agent.plan = event


def _join(ctx: LoopContext, wiring: Wiring, tasks: TaskManager, todos: TodoList) -> None:
    ctx.agent_id, ctx.depth, ctx.cancellable = wiring.agent_id, wiring.depth, wiring.cancellable
    ctx.prices, ctx.steering = wiring.prices, wiring.steering
    ctx.chosen = ctx.chosen._replace(prices=wiring.prices)
    ctx.before_finish = tasks.end_with_run if wiring.settle_tasks else None
    ctx.reports, ctx.settle = tasks.take_reports, tasks.settle
    ctx.to_do = lambda: " ".join(filter(None, (tasks.to_do(), todos.to_do())))
    ctx.planning = lambda: planning(wiring)
    ctx.last_words = wiring.depth > 0
    ctx.check_command = wiring.check
    if ctx.compactor is not None:
        ctx.compactor.compact_at = wiring.compact_at


def _set_docker(agent: Agent, use_docker: bool | None) -> None:
    switch = getattr(agent.runtime, "set_docker", None)
    if use_docker is not None and switch is not None:
        switch(use_docker)
