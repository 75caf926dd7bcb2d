"""``pygent config``: what is set, where it came from, and whose settings are followed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from pygent import settings as config
from pygent.commands.help_text import CONFIG
from pygent.errors import SettingsError
from pygent.plain_text import clean, escaped, one_line
from pygent.settings import Settings
from pygent.settings.fields import BY_KEY
from pygent.settings.json_schema import json_schema
from pygent.settings.masking import shown
from pygent.settings.nodes import nearest

ACTIONS = ("show", "path", "schema", "trust", "distrust")
Load = Callable[[], Settings]


def run(load: Load, words: Sequence[str], out: IO[str], err: IO[str], *, as_json: bool = False) -> int:
    """Carry out ``pygent config WORDS``; answers the exit code. Raises ``SettingsError``."""
    action, *rest = words or ("show",)
    if action not in ACTIONS:
        raise SettingsError(f"there is no config {action!r}{nearest(action, ACTIONS)}\n{CONFIG}")
    if len(rest) > (1 if action in {"trust", "distrust"} else 0):
        raise SettingsError(f"config {action}: {rest[-1]!r} is one word too many")
    if action == "schema":
        _write_json(json_schema(), out)
    elif action in {"trust", "distrust"}:
        _trust(action, rest[0] if rest else ".", out)
    elif action == "path":
        _paths(load, out)
    else:
        _show(load(), out, err, as_json=as_json)
    return 0


def _show(settings: Settings, out: IO[str], err: IO[str], *, as_json: bool) -> None:
    values = {key: shown(key, value) for key, value in settings.values().items()}
    if as_json:
        _write_json({key: {"value": value, "source": settings.source(key)} for key, value in values.items()}, out)
    else:
        rows = [(f"{key}: {_yaml(value)}", settings.source(key)) for key, value in values.items()]
        width = min(48, max(len(left) for left, _ in rows))
        for left, source in rows:
            out.write(f"{clean(left):<{width}}  # {one_line(source, 200)}\n")
    for notice in settings.notices:
        err.write(f"pygent: {one_line(notice, 500)}\n")


def _yaml(value: Any) -> str:
    """A value on one line, as a settings file would have it."""
    if value is None:
        return "null"
    if isinstance(value, str) and value and value.isprintable() and not set(value) & set(":#{}[],&*!|>'\"%@`\\"):
        words = {"true", "false", "yes", "no", "on", "off", "null", "~", "-"}
        if (
            value == value.strip()
            and value.lower() not in words
            and not value[0].isdigit()
            and value[0] not in "-?=<.+"
        ):
            return value
    return json.dumps(value, ensure_ascii=False)


def _paths(load: Load, out: IO[str]) -> None:
    try:
        files = config.config_files(load())
    except SettingsError:  # where the files are is what one asks when they are wrong
        files = config.config_files(Settings(workspace=Path.cwd()))
    for what, path in files.items():
        state = "" if path.is_file() else "not there"
        if what == "workspace" and path.exists() and not config.is_trusted(path.parent.parent):
            state = "not trusted: ignored"
        out.write(f"{what:<12} {clean(str(path))}{f'  ({state})' if state else ''}\n")
    out.write(f"{'data':<12} {clean(str(config.data_dir()))}\n")


def _trust(action: str, folder: str, out: IO[str]) -> None:
    if action == "distrust":
        out.write(f"The settings in {clean(str(config.distrust(folder)))} are ignored.\n")
        return
    real = config.trust(folder)
    keys = ", ".join(key for key, entry in BY_KEY.items() if entry.in_workspace != "never")
    out.write(f"The settings in {clean(str(real / '.pygent'))} are followed from now on.\n")
    out.write(f"They can narrow what is allowed, never widen it: {keys}.\n")


def _write_json(value: Any, out: IO[str]) -> None:
    out.write(escaped(json.dumps(value, indent=2, ensure_ascii=False)) + "\n")
