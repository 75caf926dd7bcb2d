"""One source of settings is a layer; layers are merged in order, and each value remembers where it came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeAlias

from pygent.errors import SettingsError
from pygent.persona import Persona
from pygent.records import record
from pygent.settings.default_personas import DEFAULT_PERSONAS, MAIN_PERSONA
from pygent.settings.fields import BY_KEY
from pygent.settings.model import Settings
from pygent.settings.nodes import nearest


@record
class Value:
    """A value that was read, and its place: ``config.yaml:12``, ``PYGENT_MODEL``, ``--model``.

    ``from_variable`` marks what changes its meaning there: variables describe personas, files and options name them.
    ``inner`` are the places of a mapping's own entries, by name.
    """

    value: Any
    source: str
    from_variable: bool = False
    file: str | None = None
    line: int | None = None
    inner: Mapping[str, str] = field(default_factory=dict)


Layer: TypeAlias = dict[str, Value]


def merge(layers: Sequence[Mapping[str, Value]], notices: Iterable[str] = ()) -> Settings:
    """Merge ``layers`` over the defaults, later ones win. Raises ``SettingsError`` for an unknown persona."""
    merged: dict[str, Value] = {}
    for layer in layers:
        if "persona" in layer and not layer["persona"].from_variable:
            merged.pop("persona_description", None)
        for key, value in layer.items():
            merged[key] = _join(key, merged.get(key), value)
    sources = {f"{key}.{name}": place for key, value in merged.items() for name, place in value.inner.items()}
    sources.update((key, value.source) for key, value in merged.items())
    values = {key: value.value for key, value in merged.items()}
    known = merged["personas"].value if "personas" in merged else DEFAULT_PERSONAS
    if "personas" in merged and not merged["personas"].from_variable:
        known = by_name(DEFAULT_PERSONAS, known)
    everyone = by_name(DEFAULT_PERSONAS, *[layer["personas"].value for layer in layers if "personas" in layer])
    if "task_personas" in values:
        chosen = {persona.name: persona for persona in everyone}
        known = tuple(chosen.get(name, Persona(name)) for name in dict.fromkeys(values.pop("task_personas")))
        sources["personas"] = sources["task_personas"]
    values["personas"] = known
    values["persona"] = _main_persona(merged, everyone)
    if "persona_description" in values:
        del values["persona_description"]
        description = sources.pop("persona_description")
        sources["persona"] = f"{sources['persona']} + {description}" if "persona" in sources else description
    if values.get("ephemeral"):
        values["workspace"] = None
        sources["workspace"] = sources["ephemeral"]
    return Settings(**values, sources=sources, notices=tuple(notices))


def _join(key: str, old: Value | None, new: Value) -> Value:
    how = BY_KEY[key].merge if key in BY_KEY else "replace"
    if old is None or how == "replace" or (how == "personas" and new.from_variable):
        return new
    if how == "extend":
        value: Any = tuple(dict.fromkeys((*old.value, *new.value)))
    elif how == "update":
        value = {**old.value, **new.value}
        inner = {**old.inner, **(new.inner or dict.fromkeys(new.value, new.source))}
        new = dataclasses.replace(new, inner=inner)
    else:
        value = by_name(old.value, new.value)
    return dataclasses.replace(new, value=value, source=f"{old.source} + {new.source}")


def by_name(*groups: Iterable[Persona]) -> tuple[Persona, ...]:
    """All personas; a later one takes the place of an earlier one of the same name."""
    out: dict[str, Persona] = {}
    for group in groups:
        out.update((persona.name, persona) for persona in group)
    return tuple(out.values())


def _main_persona(merged: Mapping[str, Value], everyone: tuple[Persona, ...]) -> Persona:
    chosen = merged.get("persona")
    description = merged.get("persona_description")
    configured = {MAIN_PERSONA.name: MAIN_PERSONA, **{persona.name: persona for persona in everyone}}
    if description is not None:
        name = chosen.value if chosen else MAIN_PERSONA.name
        return Persona(name.name if isinstance(name, Persona) else name, description.value)
    if chosen is None:
        return MAIN_PERSONA
    if isinstance(chosen.value, Persona):
        return chosen.value
    if chosen.value in configured:
        return configured[chosen.value]
    if chosen.from_variable:
        return dataclasses.replace(MAIN_PERSONA, name=chosen.value, prompt=_renamed(chosen.value))
    where = "" if chosen.file else f"{chosen.source}: "
    raise SettingsError(
        f"{where}there is no persona {chosen.value!r}{nearest(chosen.value, configured)}; "
        f"accepted: {', '.join(configured)}",
        file=chosen.file,
        line=chosen.line,
        key="persona",
    )


def _renamed(name: str) -> str:
    return MAIN_PERSONA.prompt.replace(MAIN_PERSONA.name, name)


def joined(problems: Sequence[SettingsError]) -> SettingsError:
    """One error that tells all ``problems``; its place is the first one's."""
    first = problems[0]
    if len(problems) == 1:
        return first
    error = SettingsError("\n".join(str(problem) for problem in problems))
    error.file, error.line, error.key = first.file, first.line, first.key
    return error
