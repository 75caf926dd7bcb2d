"""Makes the parts of a session from its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent.approvals import Policy, default_mode
from pygent.models import OpenAIModel, default_model
from pygent.runtime import Runtime
from pygent.settings import Settings, command_environment, load, save_user_settings
from pygent.wiring import workspace_roots

if TYPE_CHECKING:
    from pygent.models.discover import FoundServer


def make_runtime(settings: Settings, session_id: str, on_progress: Callable[[str], None]) -> Runtime:
    """The workspace and the sandbox. Raises ``SandboxUnavailable`` and ``WorkspaceError``."""
    folder = None if settings.ephemeral else settings.workspace or Path.cwd()
    return Runtime(
        image=settings.image,
        use_docker=settings.use_docker,
        initial_files=[str(path) for path in settings.init_files],
        workspace=folder,
        banned_commands=settings.banned_commands,
        banned_apps=settings.banned_apps,
        network=settings.network,
        env=command_environment(settings),
        session_id=session_id,
        on_progress=on_progress,
    )


def make_model(settings: Settings, *, demo: bool) -> Any:
    """The model: the scripted one, the one a program has set, or the server of the settings."""
    if demo:
        from pygent.models.demo import DemoModel  # noqa: PLC0415 - the demo only

        return DemoModel()
    default = default_model()
    if not isinstance(default, OpenAIModel):
        return default
    return OpenAIModel(settings.base_url, settings.api_key, text_tool_calls=settings.text_tool_calls)


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


def save_rule(settings: Settings, rule: str) -> None:
    """Keep an "always allow" rule in the user's own settings. Raises ``SettingsError`` and ``OSError``."""
    kept = load(workspace=settings.workspace).allow
    if rule not in kept:
        save_user_settings({"allow": [*kept, rule]})


def find_servers() -> list[FoundServer]:
    """The model servers that answer on this machine, on their usual ports; takes a second at most."""
    from pygent.models import discover  # noqa: PLC0415 - a first start only

    return discover.find_servers()


def list_models(base_url: str, api_key: str | None = None) -> list[str]:
    """The models that a server offers. Raises ``APIError``."""
    from pygent.models import discover  # noqa: PLC0415 - a first start only

    return discover.list_models(base_url, api_key)


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
