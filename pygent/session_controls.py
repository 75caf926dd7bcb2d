"""What a person can set in a session, and see of it: rights, model, persona, tools, status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from pygent.budget import Budget
from pygent.bus import EventBus
from pygent.errors import PygentError, SandboxError
from pygent.events import Decision
from pygent.ledger import Account, Spent
from pygent.persona import Persona, stricter
from pygent.session_files import SessionFiles
from pygent.session_model import SessionModel
from pygent.session_rules import SessionRules
from pygent.settings import Settings

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.approvals import Broker, Policy

PermissionMode = Literal["ask", "auto", "plan", "yolo"]
PERMISSION_MODES: tuple[PermissionMode, ...] = get_args(PermissionMode)


class ToolInfo(NamedTuple):
    """A tool as a front end lists it."""

    name: str
    description: str
    enabled: bool


class SessionStatus(NamedTuple):
    """What the status line shows. ``sandbox`` is a line for people; ``context_window`` is in tokens."""

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


class Costs(NamedTuple):
    """What a session has used, its tasks included, and its budget. ``share`` of the limit that comes first is used.

    ``personas`` have the same by name, where they have used anything.
    """

    used: Spent
    budget: Budget
    share: float = 0.0
    personas: Mapping[str, Costs] = {}


class SessionControls(SessionModel, SessionFiles, SessionRules):
    """The part of a ``Session`` that is about settings rather than work; each change counts from the next step on."""

    settings: Settings
    bus: EventBus
    agent: Agent | None
    broker: Broker | None
    demo: bool
    policy: Policy | None
    _closed: bool

    @property
    def id(self) -> str:
        """The session's id, as its events carry it."""
        return self.bus.session_id

    @property
    def workspace(self) -> Path:
        """The folder that the agent works in."""
        if self.agent is not None:
            return Path(getattr(self.agent.runtime, "base_dir", "."))
        return self.settings.workspace or Path.cwd()

    def resolve(self, request_id: str, decision: Decision, feedback: str = "") -> bool:
        """Answer an approval. False where it is not (or no longer) waiting."""
        return self.broker is not None and self.broker.resolve(request_id, decision, feedback)

    @property
    def permission_mode(self) -> str:
        """What needs approval: ``plan``, ``ask``, ``auto`` or ``yolo``; no more than the persona has."""
        mode = self.policy.mode if self.policy is not None else self.settings.permission_mode or "ask"
        return stricter(mode, self._persona.permission_mode) or mode

    def set_permission_mode(self, mode: str) -> None:
        """Change what needs approval. Raises ``ValueError`` for another word and where the persona has less."""
        if mode not in PERMISSION_MODES:
            raise ValueError(f"unknown permission mode {mode!r}; one of {', '.join(PERMISSION_MODES)}")
        widest = self._persona.permission_mode
        if stricter(mode, widest) != mode:
            raise ValueError(f"the persona {self._persona.name} has the permission mode {widest} at most")
        if self.policy is None:
            self.settings = replace(self.settings, permission_mode=mode)
        else:
            self.policy.mode = mode

    def cycle_permission_mode(self) -> str:
        """Go to the next of ``ask``, ``auto``, ``plan``; ``yolo`` has to be named."""
        ring = [mode for mode in PERMISSION_MODES[:3] if stricter(mode, self._persona.permission_mode) == mode]
        here = self.permission_mode
        following = ring[(ring.index(here) + 1) % len(ring)] if here in ring else ring[0]
        self.set_permission_mode(following)
        return following

    def prefer(self, **changes: Any) -> None:
        """Let settings be others from now on, as far as they are looked at while the session lasts."""
        sources = {**self.settings.sources, **dict.fromkeys(changes, "config.yaml")}
        self.settings = replace(self.settings, **changes, sources=sources)

    def set_confirm_bash(self, on: bool) -> None:
        """Ask before each command, whatever the mode."""
        if self.policy is None:
            self.settings = replace(self.settings, confirm_bash=on)
        else:
            self.policy.confirm_bash = on

    def costs(self) -> Costs:
        """What the session has used so far, and what it may."""
        if self.agent is None:
            return Costs(Spent(), self.settings.budget)
        account = self.agent.wiring.budget
        below = {name: _costs(one) for name, one in account.personas().items()}
        return _costs(account)._replace(personas={name: one for name, one in below.items() if one.used.steps})

    def set_budget(self, budget: Budget, persona: str = "") -> None:
        """Let the session, or one of its personas, use this much from now on, with what it has used already.

        Raises ``ValueError`` for an unknown persona, ``PygentError`` for one while the session is not open.
        """
        if persona:
            found = self._persona_named(persona)
            self._ready().wiring.budget.persona(found.name, found.budget).budget = budget
            return
        self.settings = replace(self.settings, budget=budget)
        if self.agent is not None:
            self.agent.wiring.budget.budget = budget

    def banned(self) -> list[str]:
        """The commands and programs that are refused."""
        runtime = self._ready().runtime
        return sorted({*runtime.banned_commands, *runtime.banned_apps})

    def ban(self, cmd: str) -> None:
        """Refuse commands that begin with ``cmd``."""
        self._ready().runtime.banned_commands.add(cmd)

    def unban(self, cmd: str) -> None:
        """Allow what ``ban`` refused. Raises ``ValueError`` where it was not banned."""
        runtime = self._ready().runtime
        if cmd not in runtime.banned_commands and cmd not in runtime.banned_apps:
            raise ValueError(f"{cmd!r} is not banned")
        runtime.banned_commands.discard(cmd)
        runtime.banned_apps.discard(cmd)

    def set_network(self, on: bool) -> None:
        """Switch the sandbox's network; off, it is off for the tasks that run as well.

        Raises ``PygentError`` where the sandbox has no such switch, and where the persona has no network.
        """
        if on and self._persona.network is False:
            raise PygentError(f"The persona {self._persona.name} works without a network.")
        agent = self._ready()
        agent.runtime.set_network(on)
        for task in () if on else agent.tasks.running():
            if getattr(getattr(getattr(task.agent, "runtime", None), "sandbox", None), "confined", False):
                task.agent.runtime.set_network(False)

    @property
    def personas(self) -> tuple[Persona, ...]:
        """The personas that can be chosen."""
        main = self.settings.persona
        return (main, *(persona for persona in self.settings.personas if persona.name != main.name))

    def set_persona(self, name: str) -> None:
        """Let the main agent be another persona from the next run on. Raises ``ValueError`` for an unknown name."""
        self._become(self._persona_named(name))

    def _persona_named(self, name: str) -> Persona:
        for persona in self.personas:
            if persona.name.casefold() == name.casefold():
                return persona
        known = ", ".join(persona.name for persona in self.personas)
        raise ValueError(f"there is no persona {name!r}; there are: {known}")

    def _become(self, persona: Persona) -> None:
        agent = self._ready()
        approvals = agent.wiring.approvals
        if approvals is not None:
            approvals.become(persona)
        if persona.network is False and getattr(self._sandbox, "network", False):
            agent.runtime.set_network(False)
        agent.persona = persona

    def tools(self) -> list[ToolInfo]:
        """All registered tools."""
        agent = self._ready()
        return [
            ToolInfo(tool.name, tool.description, tool.name not in agent.disabled_tools) for tool in agent.registry
        ]

    def enable_tool(self, name: str, on: bool) -> None:
        """Offer a tool to the model, or not, from the next run on. Raises ``ValueError`` for an unknown name."""
        agent = self._ready()
        if name not in agent.registry:
            raise ValueError(f"there is no tool {name!r}; there are: {', '.join(agent.registry.names())}")
        if on:
            agent.disabled_tools.discard(name)
        else:
            agent.disabled_tools.add(name)

    def status(self) -> SessionStatus:
        """What the status line shows, as of now."""
        agent, settings = self.agent, self.settings
        sandbox = self._sandbox
        return SessionStatus(
            model=self.model_name,
            persona=agent.persona.name if agent is not None else settings.persona.name,
            permission_mode=self.permission_mode,
            sandbox=str(getattr(sandbox, "summary", "")),
            confined=self.confined,
            network=bool(getattr(sandbox, "network", settings.network)),
            context_window=self.context_window,
            session_id=self.id,
            workspace=self.workspace,
            demo=self.demo,
        )

    def _ready(self) -> Agent:
        if self.agent is None or self._closed:
            raise PygentError("the session is closed" if self._closed else "the session is not open yet")
        return self.agent

    @property
    def _persona(self) -> Persona:
        return self.agent.persona if self.agent is not None else self.settings.persona

    @property
    def confined(self) -> bool:
        """True where commands cannot reach the rest of this machine."""
        return bool(getattr(self._sandbox, "confined", False))

    @property
    def _sandbox(self) -> Any:
        """Where commands run; None before that is known, and after the end, when a screen may still be drawn."""
        try:
            return getattr(self.agent.runtime, "sandbox", None) if self.agent is not None else None
        except SandboxError:
            return None


def _costs(account: Account) -> Costs:
    return Costs(account.used(), account.budget, account.share())
