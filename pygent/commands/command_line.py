"""What a command line asks for, once it is understood."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from pygent.errors import SettingsError
from pygent.records import record
from pygent.settings.field import Field
from pygent.settings.fields import FIELDS

OUTPUT_FORMATS = ("text", "json", "stream-json")
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000


@record(kw_only=True, slots=False)
class Arguments:
    """A command line that was understood.

    ``command`` is the subcommand or None. ``words`` are its operands; for ``sessions`` and ``replay`` all that stood
    after the command, unread. ``prompt`` is the text to send, ``"-"`` where it stands on standard input, None where
    there is none. ``resume`` is a session's id, ``""`` where one is to be chosen; ``fork`` asks for a copy of it.
    ``values`` are the settings' options that were given, by key.
    """

    command: str | None = None
    words: tuple[str, ...] = ()
    prompt: str | None = None
    headless: bool = False
    output_format: str = "text"
    demo: bool = False
    resume: str | None = None
    continue_last: bool = False
    fork: bool = False
    config: Path | None = None
    as_json: bool = False
    save: bool = False
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    password_file: Path | None = None
    values: dict[str, Any] = field(default_factory=dict)

    def forwarded(self) -> list[str]:
        """The options, spelled for another ``pygent`` that is to start with the same settings."""
        out = ["--demo"] if self.demo else []
        out += ["--config", str(self.config)] if self.config else []
        out += ["--continue"] if self.continue_last else []
        out += [f"--resume={self.resume}"] if self.resume else []
        out += ["--fork"] if self.fork else []
        for entry in FIELDS:
            value = self.values.get(entry.key)
            if isinstance(value, bool):
                out.append(entry.options[0] if value else negative(entry))
            elif value is not None:
                out += [f"{entry.options[0]}={item}" for item in (value if isinstance(value, list) else [value])]
        return out if self.prompt is None else [*out, "--", self.prompt]


def parse(argv: Sequence[str]) -> Arguments:
    """Read ``argv`` (without the program's name).

    Raises ``SettingsError`` for what cannot be understood, ``SystemExit`` after ``--help`` and ``--version``.
    """
    if not argv:
        return Arguments()  # the usual start has nothing to read
    from pygent.commands import arguments  # noqa: PLC0415 - the parser costs more than the settings

    return arguments.read(argv)


def options(args: Arguments) -> dict[str, Any]:
    """The settings' options of ``args`` by key, for ``settings.load``."""
    return dict(args.values)


def negative(entry: Field) -> str:
    """The option that says no."""
    return entry.options[0].replace("--", "--no-", 1)


def terminal_prompt(args: Arguments) -> str | None:
    """The prompt of ``-p`` where it stands in no argument: the demo's own, or standard input where it is no terminal.

    Raises ``SettingsError`` where there is none.
    """
    if args.prompt or args.demo:
        return args.prompt or None
    if not sys.stdin.isatty():
        return "-"
    raise SettingsError('-p needs a prompt: pygent -p "what to do", or on standard input: pygent -p - < file')
