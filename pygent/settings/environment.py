"""Settings from ``PYGENT_*`` and the two ``OPENAI_*`` variables."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pygent.errors import SettingsError
from pygent.settings.fields import FIELDS, OTHER_VARIABLES
from pygent.settings.kinds import absolute
from pygent.settings.layers import Layer, Value, joined, merge
from pygent.settings.model import Settings
from pygent.settings.nodes import Invalid


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """The defaults and what the variables say; no file is read.

    An empty variable counts as unset. Raises ``SettingsError`` where one cannot be read.
    """
    return merge([environment_layer(os.environ if environ is None else environ)])


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """What the variables say. Raises ``SettingsError``, all complaints in one."""
    layer: Layer = {}
    problems: list[SettingsError] = []
    for field in FIELDS:
        text = environ.get(field.variable, "") if field.variable else ""
        if not text.strip():
            continue
        try:
            value: Any = absolute(field.kind.from_text(text), Path.cwd())
        except Invalid as error:
            problems.append(_cannot_read(str(field.variable), text, field.kind.accepted, error))
            continue
        layer[field.key] = Value(value, str(field.variable), from_variable=True)
    description = environ.get("PYGENT_PERSONA", "")
    if description.strip():
        layer["persona_description"] = Value(description.strip(), "PYGENT_PERSONA", from_variable=True)
    if problems:
        raise joined(problems)
    return layer


def variables() -> dict[str, str]:
    """Every variable that Pygent reads, with what it is for."""
    out = {field.variable: field.about for field in FIELDS if field.variable}
    return {**out, **OTHER_VARIABLES}


def set_variables(given: Mapping[str, str]) -> None:
    """Set variables of this process, for libraries that read them. Raises ``SettingsError``."""
    for name, value in given.items():
        try:
            os.environ[name] = value
        except (OSError, ValueError) as error:
            raise SettingsError(f"the variable {name!r} cannot be set: {error}", key="env") from None


def editor(environ: Mapping[str, str] | None = None) -> str:
    """The person's own editor, a command that may have options; empty where none is named."""
    environ = os.environ if environ is None else environ
    return environ.get("VISUAL", "").strip() or environ.get("EDITOR", "").strip()


_TELLTALE = (
    "LC_TERMINAL",
    "KITTY_WINDOW_ID",
    "WEZTERM_PANE",
    "GHOSTTY_RESOURCES_DIR",
    "VTE_VERSION",
    "STY",
    "SSH_CONNECTION",
    "DISPLAY",
    "WAYLAND_DISPLAY",
)
"""Variables that tell which terminal this is, and whether it is on this machine."""


def terminal(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the environment says about the terminal."""
    environ = os.environ if environ is None else environ
    names = ("TERM", "COLORTERM", "TERM_PROGRAM", "NO_COLOR", "TMUX", "EDITOR", "VISUAL", *_TELLTALE)
    return {name: environ[name] for name in names if environ.get(name)}


def no_screen(environ: Mapping[str, str] | None = None) -> str:
    """Why a full-screen application cannot be shown here, "" where it can."""
    environ = os.environ if environ is None else environ
    if environ.get("TEXTUAL_DRIVER"):  # its screen is a browser's
        return ""
    for stream, name in ((sys.__stdin__, "standard input"), (sys.__stderr__, "standard error")):
        if stream is None or not stream.isatty():
            return f"{name} is no terminal"
    return "the terminal says TERM=dumb, so it moves no cursor" if environ.get("TERM") == "dumb" else ""


def suspicious(environ: Mapping[str, str]) -> list[str]:
    """Notices about variables that are almost, but not quite, one of ours."""
    import difflib  # noqa: PLC0415

    known = variables()
    out = []
    for name in sorted(environ):
        if name.startswith("PYGENT_") and name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.9)
            if near:
                out.append(f"{name} is not a variable of Pygent; did you mean {near[0]}?")
    return out


def _cannot_read(variable: str, text: str, accepted: str, error: Invalid) -> SettingsError:
    shown = text if len(text) <= 80 else text[:77] + "…"
    detail = str(error)
    reason = detail if "accepted" in detail else f"{detail}; accepted: {accepted}"
    if reason.startswith(f"{text!r} "):
        reason = reason[len(repr(text)) + 1 :]
    return SettingsError(f"{variable}={shown!r}: {reason}", key=variable)
