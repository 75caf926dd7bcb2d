"""Makes the parts of a session from its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pygent.approvals import Policy, default_mode
from pygent.models import OpenAIModel, default_model
from pygent.runtime import Runtime
from pygent.settings import Settings, command_environment


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


def make_policy(settings: Settings, *, confined: bool) -> Policy:
    """What needs approval; the mode follows the sandbox where none is set."""
    mode: Any = settings.permission_mode or default_mode(confined)
    return Policy(
        mode=mode,
        confined=confined,
        confirm_bash=settings.confirm_bash,
        allow=settings.allow,
        ask=settings.ask,
        deny=settings.deny,
        banned_commands=settings.banned_commands,
        banned_apps=settings.banned_apps,
    )


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
        banned_commands=(),
        banned_apps=(),
    )
