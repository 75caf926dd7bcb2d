"""What the settings file inside a workspace may change: it can narrow what is allowed, never widen it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pygent.persona import Persona
from pygent.settings.field import InWorkspace
from pygent.settings.fields import BY_KEY
from pygent.settings.layers import Layer, Value
from pygent.settings.model import PERMISSION_MODES, Settings

_LIMITS = ("tools", "deny", "network", "permission_mode", "budget", "max_steps")
"""What a workspace's persona cannot have more of than yours of the same name."""

_REFUSALS: dict[InWorkspace, str] = {
    "never": "a workspace's file cannot set it",
    "less": "a workspace's file can only lower it",
    "only true": "a workspace's file can only switch it on",
    "only false": "a workspace's file can only switch it off",
    "stricter": "a workspace's file can only choose a stricter mode",
}


def narrow(layer: Layer, below: Settings, personas: Mapping[str, Persona]) -> tuple[Layer, list[str]]:
    """What of ``layer`` holds over the settings ``below``, and a notice for each value that does not.

    ``personas`` are those known so far: the workspace's persona of the same name gets no tool that they lack.
    """
    out: Layer = {}
    notices: list[str] = []
    for key, value in layer.items():
        rule = BY_KEY[key].in_workspace
        if key == "personas":
            out[key], more = _personas(value, personas)
            notices.extend(more)
        elif key == "budget":
            out[key] = dataclasses.replace(value, value=below.budget.narrowed(value.value))
            if any(limit > getattr(out[key].value, name) for name, limit in value.value):
                notices.append(f"{value.source}: a part of {key} is ignored: {_REFUSALS[rule]}.")
        elif _ALLOWED[rule](value.value, getattr(below, key, None)):
            out[key] = value
        else:
            notices.append(f"{value.source}: {key} is ignored: {_REFUSALS[rule]}.")
    return out, notices


def _less(new: Any, old: Any) -> bool:
    return old is None or new <= old


def _stricter(new: str, old: str | None) -> bool:
    # Where nothing is chosen the sandbox decides between "ask" and "auto"; "ask" is the narrower of the two.
    return PERMISSION_MODES.index(new) <= PERMISSION_MODES.index(old or "ask")


_ALLOWED: dict[InWorkspace, Callable[[Any, Any], bool]] = {
    "never": lambda _new, _old: False,
    "free": lambda _new, _old: True,
    "more": lambda _new, _old: True,
    "less": _less,
    "only true": lambda new, _old: new is True,
    "only false": lambda new, _old: new is False,
    "stricter": _stricter,
}


def _personas(value: Value, known: Mapping[str, Persona]) -> tuple[Value, list[str]]:
    out, notices = [], []
    for given in value.value:
        persona = given
        if persona.model is not None:
            notices.append(f"{value.source}: the model of persona {persona.name!r} is ignored: {_REFUSALS['never']}.")
            persona = dataclasses.replace(persona, model=None)
        before = known.get(persona.name)
        if before is not None:
            narrower = persona.narrowed(before)
            kept = [name for name in _LIMITS if getattr(narrower, name) != getattr(persona, name)]
            if kept:
                notices.append(f"{value.source}: persona {persona.name!r} keeps its limits of {', '.join(kept)}.")
            persona = narrower
        out.append(persona)
    return dataclasses.replace(value, value=tuple(out)), notices
