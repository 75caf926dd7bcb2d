"""Makes the parts of a session from its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent._version import __version__
from pygent.agent import Agent
from pygent.approvals import Approvals, Broker, Policy, Rights, default_mode, too_wide
from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.errors import TaskError
from pygent.events import Event, Notice, SessionStarted
from pygent.images import Content
from pygent.instructions import MOST, MOST_SMALL, Instructions
from pygent.instructions import read as read_instructions
from pygent.ledger import Account
from pygent.models import custom_model
from pygent.models.configured import make_first_model, preload
from pygent.past_costs import replay
from pygent.plans import last_plan
from pygent.runtime import Runtime
from pygent.sandbox import limits_of
from pygent.settings import (
    Settings,
    command_environment,
    config_dir,
    existing_init_files,
    save_user_settings,
    user_list,
)
from pygent.settings.model import is_file
from pygent.settings.provider import compat_of, key_of, server_of
from pygent.settings.proxies import system_proxy
from pygent.settings.secrets import all_keys
from pygent.standing import standing
from pygent.todos import last_todos
from pygent.web_access import WebAccess
from pygent.wiring import Wiring, hide, no_instructions, open_network, workspace_roots

if TYPE_CHECKING:
    from pygent.session_controls import SessionStatus
    from pygent.tasks.executors import TaskExecutor


def make_agent(
    settings: Settings,
    session_id: str,
    on_progress: Callable[[str], None],
    *,
    model: Any,
    demo: bool,
    past: Sequence[Event],
) -> Agent:
    """The session's agent, with the history that ``past`` tells of.

    Raises ``SandboxUnavailable``, ``WorkspaceError``, and ``TaskError`` where the settings' cluster does not answer.
    """
    executor = None if demo or settings.cluster is None else make_executor(settings, on_progress)
    try:
        runtime = make_runtime(settings, session_id, on_progress)
    except BaseException:
        if executor is not None:
            executor.close()
        raise
    model = model or make_model(settings, demo=demo, on_progress=on_progress)
    agent = Agent(runtime, model, server_of(settings).model, settings.persona)
    agent.tasks.configure(settings)
    if executor is not None:
        agent.tasks.executor = executor
    agent.recall(past)
    counting = standing(past)
    agent.todos.items, agent.plan = last_todos(counting), last_plan(counting)
    preload(model)
    return agent


def join(
    agent: Agent,
    settings: Settings,
    bus: EventBus,
    *,
    cancel: CancelToken,
    interactive: bool,
    steering: Callable[[], Iterable[Content]],
    steered: Callable[[], bool],
    past: Sequence[Event] = (),
) -> tuple[Policy, Broker | None]:
    """Join ``agent`` to the session: its events, its approvals, its end, and what ``past`` has cost already.

    Raises ``SettingsError`` where a rule cannot be read.
    """
    for persona in settings.personas:
        Rights.of(persona)  # a rule that cannot be read is told now, not when a task is to start
    policy = make_policy(settings, agent.runtime)
    broker = Broker(bus.publish) if interactive else None
    if note := open_network(agent.persona, agent.runtime):
        bus.publish(Notice(level="warning", text=note))
    if wide := too_wide(policy.roots):
        asks = f"The workspace is {wide}: the mode auto asks before each change, too."
        text = f"{asks} Use a folder of its own: --workspace DIR."
        bus.publish(Notice(level="warning", text=text))
    instructions = reader_of_instructions(agent, settings)
    for problem in instructions(False).problems:
        bus.publish(Notice(level="warning", text=problem))
    account = Account(settings.budget)
    replay(account, past)
    approvals = Approvals(policy, broker, emit=bus.publish, save_rule=save_rule)
    hide(all_keys(settings), bus, agent.runtime)
    agent.join(
        Wiring(
            bus=bus,
            approvals=approvals.within(None, agent.persona),
            cancel=cancel,
            autonomous=not interactive,
            cancellable=True,
            settle_tasks=not interactive,
            at_stop="ask" if interactive else settings.tasks_at_stop,
            steering=steering,
            steered=steered,
            prices=server_of(settings).prices,
            budget=account,
            check=settings.check or "",
            vision=settings.vision,
            compact_at=settings.compact_at,
            instructions=instructions,
        )
    )
    return policy, broker


def reader_of_instructions(agent: Agent, settings: Settings) -> Callable[[bool], Instructions]:
    """What reads the instructions for an agent's workspace, anew each time; for a small model, fewer of them."""
    if not settings.instructions:
        return no_instructions
    folder = Path(getattr(agent.runtime, "base_dir", "."))
    return lambda small: read_instructions(folder, config_dir(), MOST_SMALL if small else MOST)


def started(status: SessionStatus, agent: Agent) -> SessionStarted:
    """The event that tells of an open session."""
    return SessionStarted(
        model=status.model,
        persona=status.persona,
        workspace=str(status.workspace),
        sandbox=str(getattr(getattr(agent.runtime, "sandbox", None), "kind", "local")),
        version=__version__,
    )


def make_runtime(settings: Settings, session_id: str, on_progress: Callable[[str], None]) -> Runtime:
    """The workspace and the sandbox. Raises ``SandboxUnavailable``, ``WorkspaceError`` and ``SettingsError``."""
    folder = None if settings.ephemeral else settings.workspace or Path.cwd()
    persona = settings.persona
    image = settings.image if settings.source("image").startswith("--") else persona.image or settings.image
    runtime = Runtime(
        image=image,
        use_docker=settings.use_docker,
        initial_files=existing_init_files(settings),
        workspace=folder,
        banned_commands=settings.banned_commands,
        banned_apps=settings.banned_apps,
        network=settings.network and persona.network is not False,
        env=command_environment(settings),
        limits=limits_of(settings),
        session_id=session_id,
        on_progress=on_progress,
        temporary=settings.ephemeral,
        local_sandbox=settings.local_sandbox,
    )
    server = server_of(settings)
    proxy, certificates = settings.proxy or server.proxy, settings.certificates or server.certificates
    direct = proxy == "direct"  # none, whatever the environment says
    runtime.web = WebAccess(
        settings.web_fetch_private, None if direct else proxy, certificates, None if direct else system_proxy
    )
    return runtime


def make_executor(settings: Settings, on_progress: Callable[[str], None]) -> TaskExecutor:
    """What does the work of tasks on the settings' cluster, connected. Raises ``TaskError`` where that fails."""
    from pygent.cluster import Cluster, ModelChoice  # noqa: PLC0415 - only where there is a cluster

    server = server_of(settings)
    insists = settings.cluster_model == "session"
    if insists and is_file(server.name):
        text = "is a file of this machine, which workers of a cluster cannot ask: set cluster_model to worker"
        raise TaskError(f"The model {server.name} {text}")
    own = None
    if insists:
        key, compat = key_of(settings, server.provider), compat_of(settings, server.provider)
        own = ModelChoice(server.base_url, key, dict(server.headers), compat, settings.max_tokens)
    cluster = Cluster(str(settings.cluster), reruns=settings.cluster_reruns, model=own)
    cluster.open()
    on_progress(f"Tasks run on {cluster.summary()}.")
    return cluster


def make_model(settings: Settings, *, demo: bool, on_progress: Callable[[str], object]) -> Any:
    """The model: the scripted one, the one a program has set, or the server or file of the settings."""
    if demo:
        from pygent.models.demo import DemoModel  # noqa: PLC0415 - the demo only

        return DemoModel()
    return custom_model() or make_first_model(settings, on_progress)


def make_policy(settings: Settings, runtime: Any = None) -> Policy:
    """What needs approval in ``runtime``; the mode follows its sandbox where none is set.

    Bans are the runtime's own sets, so that a change to them holds at once.
    """
    sandbox = getattr(runtime, "sandbox", None)
    confined = bool(getattr(sandbox, "confined", False))
    mode: Any = settings.permission_mode or default_mode(confined)
    return Policy(
        mode,
        confined,
        settings.confirm_bash,
        settings.allow,
        settings.ask,
        settings.deny,
        banned_commands=getattr(runtime, "banned_commands", settings.banned_commands),
        banned_apps=getattr(runtime, "banned_apps", settings.banned_apps),
        roots=workspace_roots(runtime),
    )


def save_rule(rule: str) -> None:
    """Keep an "always allow" rule in the user's own settings. Raises ``SettingsError`` and ``OSError``."""
    kept = user_list("allow")
    if rule not in kept:
        save_user_settings({"allow": [*kept, rule]})


def drop_rule(rule: str) -> bool:
    """Take a rule out of the user's own settings. False where it does not stand there.

    Raises ``SettingsError`` and ``OSError``.
    """
    kept = user_list("allow")
    left = [one for one in kept if one.strip() != rule]
    if len(left) == len(kept):
        return False
    save_user_settings({"allow": left or None})
    return True


def demo_settings(settings: Settings) -> Settings:
    """The settings of the demo: a temporary workspace, locally unless Docker was asked for on the command line."""
    from pygent.models.demo import NAME  # noqa: PLC0415 - the demo only

    docker = settings.use_docker if settings.source("use_docker").startswith("--") else False
    return replace(
        settings,
        model=NAME,
        permission_mode="auto",
        ephemeral=True,
        use_docker=docker,
        init_files=(),
    )
