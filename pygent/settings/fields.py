"""The one table of settings: key, kind, variable, option, and what a workspace's own file may do with it.

Reading, merging, ``--help``, ``config show``, the JSON schema and the documentation all follow this table.
"""

from __future__ import annotations

from typing import Literal

from pygent.records import record
from pygent.settings import kinds
from pygent.settings.budget_kind import BudgetKind
from pygent.settings.kinds import Kind
from pygent.settings.model import DIFF_STYLES, PERMISSION_MODES, TASKS_AT_STOP
from pygent.settings.persona_kinds import OnePersona, PersonaList

Merge = Literal["replace", "extend", "update", "personas"]
"""How a later source joins an earlier one: in its place; lists one after the other; mappings and personas by name."""

InWorkspace = Literal["never", "free", "more", "less", "only true", "only false", "stricter"]
"""What the file of a trusted workspace may do: nothing; anything, as it widens nothing; add to a list; lower a
number; switch on; switch off; choose a stricter permission mode."""


@record(kw_only=True)
class Field:
    """One setting. ``options`` begins with the name that messages use."""

    key: str
    kind: Kind
    about: str
    group: str
    variable: str | None = None
    options: tuple[str, ...] = ()
    metavar: str | None = None
    merge: Merge = "replace"
    in_workspace: InWorkspace = "never"
    secret: bool = False


_TEXTS = kinds.Listing(kinds.Text())
_MODEL, _SANDBOX, _PERMISSION, _LIMITS, _SCREEN, _FILES, _TASKS = (
    "model",
    "workspace and sandbox",
    "permissions",
    "limits",
    "screen",
    "files",
    "personas and tasks",
)

FIELDS: tuple[Field, ...] = (
    Field(
        key="model",
        kind=kinds.Text(),
        group=_MODEL,
        variable="PYGENT_MODEL",
        options=("--model", "-m"),
        metavar="NAME",
        about="Model to ask",
    ),
    Field(
        key="base_url",
        kind=kinds.Url(),
        group=_MODEL,
        variable="OPENAI_BASE_URL",
        options=("--base-url",),
        metavar="URL",
        about="OpenAI-compatible endpoint, with its /v1",
    ),
    Field(
        key="api_key",
        kind=kinds.Text(),
        group=_MODEL,
        variable="OPENAI_API_KEY",
        secret=True,
        about="Key of the model server; better kept in credentials.yaml or the variable",
    ),
    Field(
        key="context_window",
        kind=kinds.Whole(256),
        group=_MODEL,
        about="Tokens that the model can see at once; unset: not known, and no share of it is shown",
    ),
    Field(
        key="temperature",
        kind=kinds.Number("a number from 0 to 2", least=0, most=2),
        group=_MODEL,
        about="Randomness of the model's answers; unset: OpenAI's own default, 0.2 for other servers",
    ),
    Field(
        key="text_tool_calls",
        kind=kinds.Flag(),
        group=_MODEL,
        in_workspace="only false",
        about="Understand tool calls that a model writes as text",
    ),
    Field(
        key="vision",
        kind=kinds.AutoFlag(),
        group=_MODEL,
        about="Send images to the model (auto: to models that are known to see)",
    ),
    Field(
        key="prices",
        kind=kinds.Prices(),
        group=_MODEL,
        merge="update",
        about="Prices of a million tokens by model: {input, output, cached_input}",
    ),
    Field(
        key="workspace",
        kind=kinds.FilePath(),
        group=_SANDBOX,
        variable="PYGENT_WORKSPACE",
        options=("--workspace", "-w"),
        metavar="DIR",
        about="Folder to work in (the current one)",
    ),
    Field(
        key="ephemeral",
        kind=kinds.Flag(),
        group=_SANDBOX,
        options=("--ephemeral",),
        about="Work in a temporary workspace that is removed at exit",
    ),
    Field(
        key="use_docker",
        kind=kinds.AutoFlag(),
        group=_SANDBOX,
        variable="PYGENT_USE_DOCKER",
        options=("--docker",),
        in_workspace="only true",
        about="Run commands in a container (if Docker answers)",
    ),
    Field(
        key="image",
        kind=kinds.Text(),
        group=_SANDBOX,
        variable="PYGENT_IMAGE",
        options=("--image",),
        metavar="NAME",
        in_workspace="free",
        about="Container image",
    ),
    Field(
        key="network",
        kind=kinds.Flag(),
        group=_SANDBOX,
        options=("--network",),
        in_workspace="only false",
        about="Let commands in the sandbox reach the network",
    ),
    Field(
        key="env",
        kind=kinds.Texts(),
        group=_SANDBOX,
        options=("--env", "-e"),
        metavar="NAME=VALUE",
        merge="update",
        about="Variables for commands; given as an option, for Pygent as well",
    ),
    Field(
        key="command_env",
        kind=_TEXTS,
        group=_SANDBOX,
        merge="extend",
        about="Names of variables of this machine that commands get as well",
    ),
    Field(
        key="init_files",
        kind=kinds.Listing(kinds.FilePath()),
        group=_SANDBOX,
        variable="PYGENT_INIT_FILES",
        about="Files and folders copied into the workspace at the start",
    ),
    Field(
        key="permission_mode",
        kind=kinds.Choice(*PERMISSION_MODES),
        group=_PERMISSION,
        variable="PYGENT_PERMISSION_MODE",
        options=("--permission-mode",),
        metavar="MODE",
        in_workspace="stricter",
        about="What needs approval: plan, ask, auto, yolo (auto in a sandbox, else ask)",
    ),
    Field(
        key="confirm_bash",
        kind=kinds.Flag(),
        group=_PERMISSION,
        variable="PYGENT_CONFIRM_BASH",
        options=("--confirm-bash",),
        in_workspace="only true",
        about="Ask before each command",
    ),
    Field(
        key="banned_commands",
        kind=_TEXTS,
        group=_PERMISSION,
        variable="PYGENT_BANNED_COMMANDS",
        options=("--ban-cmd",),
        metavar="CMD",
        merge="extend",
        in_workspace="more",
        about="First words of commands that are refused",
    ),
    Field(
        key="banned_apps",
        kind=_TEXTS,
        group=_PERMISSION,
        variable="PYGENT_BANNED_APPS",
        merge="extend",
        in_workspace="more",
        about="Programs that are refused wherever they stand in a command",
    ),
    Field(key="allow", kind=_TEXTS, group=_PERMISSION, merge="extend", about="Rules for what runs without asking"),
    Field(
        key="ask",
        kind=_TEXTS,
        group=_PERMISSION,
        merge="extend",
        in_workspace="more",
        about="Rules for what always asks",
    ),
    Field(
        key="deny",
        kind=_TEXTS,
        group=_PERMISSION,
        merge="extend",
        in_workspace="more",
        about="Rules for what is refused in every mode",
    ),
    Field(
        key="max_steps",
        kind=kinds.Whole(1),
        group=_LIMITS,
        variable="PYGENT_MAX_STEPS",
        options=("--max-steps",),
        metavar="N",
        in_workspace="less",
        about="Steps that a run may take",
    ),
    Field(
        key="max_time",
        kind=kinds.Seconds(),
        group=_LIMITS,
        variable="PYGENT_TASK_TIMEOUT",
        options=("--max-time",),
        metavar="SECONDS",
        in_workspace="less",
        about="Seconds that a run or a task may take",
    ),
    Field(
        key="step_timeout",
        kind=kinds.Seconds(),
        group=_LIMITS,
        variable="PYGENT_STEP_TIMEOUT",
        options=("--step-timeout",),
        metavar="SECONDS",
        in_workspace="less",
        about="Seconds that one step may take",
    ),
    Field(
        key="budget",
        kind=BudgetKind(),
        group=_LIMITS,
        variable="PYGENT_BUDGET",
        options=("--budget",),
        metavar="LIMITS",
        in_workspace="less",
        about="What a session may use, its tasks included: {steps, seconds, tokens, money}",
    ),
    Field(
        key="max_tasks",
        kind=kinds.Whole(1),
        group=_LIMITS,
        variable="PYGENT_MAX_TASKS",
        in_workspace="less",
        about="Delegated tasks that may run at once",
    ),
    Field(
        key="tasks_at_stop",
        kind=kinds.Choice(*TASKS_AT_STOP),
        group=_TASKS,
        variable="PYGENT_TASKS_AT_STOP",
        about="What a run without a person does at its end with tasks that still run: wait for them, or cancel them",
    ),
    Field(
        key="tasks_copy_ignored",
        kind=kinds.Flag(),
        group=_TASKS,
        variable="PYGENT_TASKS_COPY_IGNORED",
        about="Copy for a task what .gitignore leaves out, too, such as build folders",
        in_workspace="free",
    ),
    Field(
        key="persona",
        kind=OnePersona(),
        group=_TASKS,
        variable="PYGENT_PERSONA_NAME",
        options=("--persona",),
        metavar="NAME",
        about="Persona of the main agent, by name; a settings file can also describe one",
    ),
    Field(
        key="personas",
        kind=PersonaList(),
        group=_TASKS,
        variable="PYGENT_TASK_PERSONAS_JSON",
        merge="personas",
        in_workspace="free",
        about="Personas that tasks can be delegated to: a list of {name, description, prompt, model, tools, …}",
    ),
    Field(
        key="task_personas",
        kind=_TEXTS,
        group=_TASKS,
        variable="PYGENT_TASK_PERSONAS",
        in_workspace="free",
        about="Names of the personas that are offered for delegation; unset: all",
    ),
    Field(
        key="theme",
        kind=kinds.Text(),
        group=_SCREEN,
        variable="PYGENT_THEME",
        options=("--theme",),
        metavar="NAME",
        about="Theme of the TUI",
    ),
    Field(
        key="diff_style",
        kind=kinds.Choice(*DIFF_STYLES),
        group=_SCREEN,
        about="How the TUI shows differences of files: unified, split (old beside new), auto (by the width)",
    ),
    Field(
        key="notify",
        kind=kinds.Choice("auto", "off", "bell", "desktop", "both"),
        group=_SCREEN,
        variable="PYGENT_NOTIFY",
        about="How the TUI calls when it asks or a run ends while you look elsewhere",
    ),
    Field(
        key="terminal_title",
        kind=kinds.Flag(),
        group=_SCREEN,
        variable="PYGENT_TERMINAL_TITLE",
        about="Tell workspace and state in the terminal's title",
    ),
    Field(
        key="keymap",
        kind=kinds.Texts(),
        group=_SCREEN,
        merge="update",
        about="Keys by the id of their action: {id: key}",
    ),
    Field(
        key="history_file",
        kind=kinds.FilePath(),
        group=_FILES,
        variable="PYGENT_HISTORY_FILE",
        about="File that keeps the history of prompts and answers (checked, but without effect so far)",
    ),
    Field(
        key="log_file",
        kind=kinds.FilePath(),
        group=_FILES,
        variable="PYGENT_LOG_FILE",
        about="File for diagnostics; they never go to the screen",
    ),
    Field(
        key="snapshot",
        kind=kinds.FilePath(),
        group=_FILES,
        variable="PYGENT_SNAPSHOT",
        about="Saved state of a workspace to start from (checked, but without effect so far)",
    ),
)

BY_KEY = {field.key: field for field in FIELDS}

OTHER_VARIABLES = {
    "PYGENT_CONFIG": "Settings file to read, as with --config",
    "PYGENT_PERSONA": "Description of the main agent's persona; its name stands in PYGENT_PERSONA_NAME",
}
"""Variables that stand for no key of their own."""
