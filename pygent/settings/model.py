"""The merged settings, as everything else in the package sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from pygent.budget import Budget
from pygent.persona import MODES, Persona
from pygent.records import record
from pygent.settings.default_personas import DEFAULT_PERSONAS, MAIN_PERSONA
from pygent.settings.provider import Provider

DEFAULT_MODEL = "gpt-4.1-mini"
DEFAULT_IMAGE = "python:3.12-slim"
DEFAULT_THEME = "pygent-dark"
GGUF = "gguf:"
"""What the name of a model begins with that is a file of this machine."""

DIFF_STYLES = ("auto", "unified", "split")
PERMISSION_MODES = MODES
LOCAL_SANDBOX = ("auto", "on", "off")
TASKS_AT_STOP = ("wait", "cancel")
PROFILES = ("auto", "full", "small")
CLUSTER_MODELS = ("worker", "session")


@record(kw_only=True, slots=False)
class Settings:
    """Every value that can be configured; ``Settings()`` is the defaults.

    ``use_docker`` None: Docker if its engine answers. ``local_sandbox``: whether bubblewrap holds commands without
    Docker. ``workspace`` None: a temporary one. ``permission_mode`` None: decided by the sandbox. ``vision`` None:
    decided by the model's name. Times are in seconds, None for no limit. ``personas`` are those for delegated
    tasks. ``prices`` are for a million tokens: ``{model: {"input": …, "output": …, "cached_input": …}}``.
    ``compat`` says by the pattern of a model's name what it needs, as ``Compat.merged`` reads it. ``providers`` are
    model servers by name, whose models are ``NAME/MODEL``. ``env`` are variables for commands, ``command_env`` the
    names of this process's variables that commands get as well. ``sources`` says for each key where its value came
    from; ``notices`` are for people, such as a settings file that was ignored.
    """

    model: str = DEFAULT_MODEL
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    use_docker: bool | None = None
    local_sandbox: str = "auto"
    image: str = DEFAULT_IMAGE
    network: bool = False
    web_fetch_private: bool = False
    workspace: Path | None = None
    ephemeral: bool = False
    persona: Persona = MAIN_PERSONA
    personas: tuple[Persona, ...] = DEFAULT_PERSONAS
    permission_mode: str | None = None
    confirm_bash: bool = False
    banned_commands: tuple[str, ...] = ()
    banned_apps: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    max_steps: int = 20
    max_time: float | None = None
    step_timeout: float | None = None
    budget: Budget = field(default_factory=Budget)
    command_memory: int = 4096
    command_processes: int = 512
    command_disk: int = 1536
    max_tasks: int = 3
    tasks_at_stop: str = "wait"
    tasks_copy_ignored: bool = False
    cluster: str | None = None
    cluster_model: str = "worker"
    cluster_reruns: int = 0
    instructions: bool = True
    init_files: tuple[Path, ...] = ()
    history_file: Path | None = None
    log_file: Path | None = None
    snapshot: Path | None = None
    sessions_keep_days: int = 365
    sessions_keep_size: int = 10_000
    theme: str = DEFAULT_THEME
    diff_style: str = "auto"
    notify: str = "auto"
    terminal_title: bool = True
    web_keep: int = 1800
    web_sessions: int = 8
    web_hosts: tuple[str, ...] = ()
    keymap: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str | None = field(default=None, repr=False)
    certificates: Path | None = None
    first_token_timeout: float | None = None
    token_timeout: float | None = None
    max_tokens: int | None = None
    context_window: int | None = None
    compact_at: float = 0.8
    temperature: float | None = None
    profile: str = "auto"
    check: str | None = None
    text_tool_calls: bool = True
    vision: bool | None = None
    compat: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    command_env: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    notices: tuple[str, ...] = field(default=(), compare=False)

    def source(self, key: str) -> str:
        """Where the value of ``key`` came from: ``default``, ``config.yaml:12``, ``PYGENT_MODEL``, ``--model``.

        An entry of a mapping is asked for with both names: ``keymap.app.help``.
        """
        return self.sources.get(key, "default")

    def values(self) -> dict[str, Any]:
        """All values by key, without ``sources`` and ``notices``."""
        return {name: value for name, value in vars(self).items() if name not in {"sources", "notices"}}


def is_file(model: str | None) -> bool:
    """Whether a model's name means a GGUF file: ``gguf:/path/to/model.gguf``."""
    return model is not None and model.casefold().startswith(GGUF)
