"""Settings in spite of files with mistakes, for a screen that can tell of them.

What is broken is left out. Where that could have been a limit, everything asks: with half of a file nobody knows what
the other half forbade.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from pygent.errors import SettingsError
from pygent.settings.fields import BY_KEY, FIELDS
from pygent.settings.model import Settings
from pygent.settings.provider import split_name
from pygent.settings.yaml_source import read_text

HARMLESS = frozenset(
    {"compat", "context_window", "max_tokens", "model", "prices", "temperature"}
    | {"first_token_timeout", "token_timeout"}
    | {field.key for field in FIELDS if field.group in {"screen", "limits", "files"}}
)
"""Keys whose default lets the agent do nothing unasked that another value would not."""

_SERVER = re.compile(r"^\s*base_url\s*:", re.MULTILINE)
_PROVIDERS = re.compile(r"^\s*providers\s*:", re.MULTILINE)


def lenient(settings: Settings, problems: Sequence[SettingsError]) -> Settings:
    """``settings`` without what ``problems`` tell of, made safe where that could matter, with notices for people."""
    if not problems:
        return settings
    notices = [f"{str(problem).rstrip('?.')}{_instead(settings, problem)}" for problem in problems]
    if not all(_harmless(problem) for problem in problems):
        settings = _careful(settings)
        notices.append(
            "What is left out could have forbidden something, so this session asks before everything: "
            "permission mode "
            f"{settings.permission_mode}, each command is confirmed, and rules that allow are not used. "
            "Mend the file and start again."
        )
    if _provider_lost(settings, problems):
        settings = dataclasses.replace(settings, api_key=None, base_url=None)
        notices.append("The model's server is among what could not be read, so none is asked until you choose one.")
    elif _server_lost(problems) and settings.source("base_url") == "default":
        settings = dataclasses.replace(settings, api_key=None)
        notices.append("Which server to ask is among what could not be read, so none is asked until you choose one.")
    return dataclasses.replace(settings, notices=(*settings.notices, *notices))


def _careful(settings: Settings) -> Settings:
    mode = "plan" if settings.permission_mode == "plan" else "ask"
    sources = {**settings.sources}
    for key in ("permission_mode", "confirm_bash", "allow"):
        sources[key] = "for safety, as a settings file has mistakes"
    return dataclasses.replace(settings, permission_mode=mode, confirm_bash=True, allow=(), sources=sources)


def _instead(settings: Settings, problem: SettingsError) -> str:
    """The end of a notice: what is used in the place of the broken part."""
    if problem.whole:
        return ". The whole file is left out."
    key = (problem.key or "").partition(".")[0]
    field = BY_KEY.get(key)
    if field is None or field.secret:
        return ". It is left out."
    value = getattr(settings, key, None)
    used = getattr(value, "name", value)
    shown = "nothing" if used is None or used in ((), {}) else str(used)[:60]
    return f". It is left out; {settings.source(key)}: {shown}."


def _harmless(problem: SettingsError) -> bool:
    key = (problem.key or "").partition(".")[0]
    if key in HARMLESS:
        return not problem.whole
    if not key or key in BY_KEY or (problem.file and Path(problem.file).parent.name == "personas"):
        return False
    near = difflib.get_close_matches(
        key.lower().replace("-", "_"), BY_KEY, 1, 0.6
    )  # what a wrong key was meant to be
    return bool(near) and near[0] in HARMLESS


def _provider_lost(settings: Settings, problems: Sequence[SettingsError]) -> bool:
    """Whether the model may be one of a provider that could not be read: no other server is to get what is said."""
    if "/" not in settings.model or split_name(settings, settings.model)[0]:
        return False
    for problem in problems:
        if problem.whole and problem.file is not None:
            if _PROVIDERS.search(_text_of(Path(problem.file))):
                return True
        elif problem.key and difflib.get_close_matches(problem.key.partition(".")[0], ["providers"], 1, 0.6):
            return True
    return False


def _text_of(path: Path) -> str:
    """The text of a file that has mistakes; where it cannot be read, what it could hold."""
    try:
        text = read_text(path)
    except SettingsError:
        text = None
    return "base_url:\nproviders:" if text is None else text


def _server_lost(problems: Sequence[SettingsError]) -> bool:
    for problem in problems:
        if problem.whole and problem.file is not None:
            if _SERVER.search(_text_of(Path(problem.file))):
                return True
        elif problem.key and difflib.get_close_matches(problem.key, ["base_url"], 1, 0.6):
            return True
    return False
