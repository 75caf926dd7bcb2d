"""Layers from settings files, and from the persona files beside them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pygent.errors import SettingsError
from pygent.persona import Persona
from pygent.settings.fields import BY_KEY
from pygent.settings.kinds import absolute
from pygent.settings.layers import Layer, Value, by_name
from pygent.settings.nodes import Invalid, Node, nearest
from pygent.settings.persona_kinds import read_persona
from pygent.settings.yaml_source import read_yaml

PERSONA_FOLDER = "personas"


def folder_layer(folder: Path, name: str, label: str, problems: list[SettingsError]) -> Layer:
    """What the settings file ``name`` in ``folder`` says, and the files in ``personas/`` beside it.

    ``label`` is how the file is called in sources. Complaints are added to ``problems``.
    """
    path = folder / name
    layer: Layer = {}
    try:
        root = read_yaml(path)
    except SettingsError as error:
        error.whole = True
        problems.append(error)
        root = None
    if root is not None:
        layer = read_layer(root, path, label, problems)
    own = persona_files(folder / PERSONA_FOLDER, problems)
    if own:
        source = f"{PERSONA_FOLDER}/*.yaml"
        before = layer.get("personas")
        if before is None:
            layer["personas"] = Value(own, source, file=str(folder / PERSONA_FOLDER))
        else:
            both = by_name(before.value, own)
            layer["personas"] = dataclasses.replace(before, value=both, source=f"{before.source} + {source}")
    return layer


def read_layer(root: Node, path: Path, label: str, problems: list[SettingsError]) -> Layer:
    """The values of one parsed file; complaints are added to ``problems``."""
    layer: Layer = {}
    entries = root.value if isinstance(root.value, dict) else {}
    for key, node in entries.items():
        field = BY_KEY.get(key)
        if field is None:
            text = f"unknown key {key!r}{nearest(key, BY_KEY)}"
            problems.append(SettingsError(text, file=path, line=node.line, key=key))
            continue
        if node.value is None:
            continue
        try:
            value = absolute(field.kind.from_node(node), path.parent.absolute())
        except Invalid as error:
            inner = f"{key}.{error.key}" if error.key else key
            text = f"{key}: {'a value' if field.secret else error}"
            if field.secret:
                text = f"{text} cannot be used; accepted: {field.kind.accepted}"
            problems.append(SettingsError(text, file=path, line=error.line or node.line, key=inner))
            continue
        parts = node.value if field.merge == "update" and isinstance(node.value, dict) else {}
        places = {name: f"{label}:{item.line}" for name, item in parts.items()}
        layer[key] = Value(value, f"{label}:{node.line}", file=str(path), line=node.line, inner=places)
    return layer


def persona_files(folder: Path, problems: list[SettingsError]) -> tuple[Persona, ...]:
    """The personas of ``folder``, one a file, in the order of the files' names; a file's name names its persona."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        problems.append(SettingsError(f"cannot be read: {error.strerror or error}", file=folder))
        return ()
    found: dict[str, Persona] = {}
    for path in paths:
        try:
            node = read_yaml(path)
            if node is None:
                continue
            persona = read_persona(node, name=path.stem)
        except Invalid as error:
            problems.append(SettingsError(str(error), file=path, line=error.line, key=error.key))
        except SettingsError as error:
            problems.append(error)
        else:
            if persona.name in found:
                text = f"another file of this folder names a persona {persona.name!r}"
                problems.append(SettingsError(text, file=path, key="name"))
            found[persona.name] = persona
    return tuple(found.values())
