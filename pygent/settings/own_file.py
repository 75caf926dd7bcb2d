"""The person's own settings, one at a time: what their files say, and a value as a person types it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pygent.errors import SettingsError
from pygent.settings.compat_kind import CompatKind
from pygent.settings.fields import BY_KEY
from pygent.settings.file_source import read_layer
from pygent.settings.kinds import Listing, Prices, Texts
from pygent.settings.layers import Value, joined
from pygent.settings.load import USER_FILE, user_layer
from pygent.settings.masking import shown
from pygent.settings.nodes import Invalid, Node
from pygent.settings.paths import config_dir, write_private
from pygent.settings.persona_kinds import PersonaList
from pygent.settings.provider_kinds import Providers
from pygent.settings.yaml_source import parse_yaml, read_text

_PLAIN = set("[]{},#:&*!|>%@`'\"")


def own_values(environ: Mapping[str, str] | None = None) -> dict[str, Value]:
    """What ``config.yaml`` and ``credentials.yaml`` set, by key. Raises ``SettingsError``, all complaints in one."""
    return dict(user_layer(config_dir(environ)))


def own_text() -> str:
    """The text of ``config.yaml``, "" where there is none. Raises ``SettingsError``."""
    return read_text(config_dir() / USER_FILE) or ""


def keep_own_text(text: str) -> Path:
    """Write ``config.yaml`` anew. Raises ``SettingsError``, and writes nothing, where the text has mistakes."""
    path = config_dir() / USER_FILE
    problems: list[SettingsError] = []
    read_layer(parse_yaml(text, path), path, USER_FILE, problems)
    if problems:
        raise joined(problems)
    try:
        write_private(path, text)
    except OSError as error:
        raise SettingsError(f"cannot be written: {error.strerror or error}", file=path) from None
    return path


def typed_value(key: str, text: str) -> Any:
    """The value that ``text`` stands for, as typed into a field of one line. Raises ``SettingsError``.

    Lists and mappings are written as in YAML, their brackets may be left out.
    """
    kind = BY_KEY[key].kind
    try:
        if not isinstance(kind, Listing | Texts | Prices | CompatKind | PersonaList | Providers):
            return kind.from_text(text.strip())
        text = text.strip()
        opening, closing = ("[", "]") if isinstance(kind, Listing | PersonaList) else ("{", "}")
        if not text.startswith(opening):
            text = f"{opening}{text}{closing}"
        root = parse_yaml(f"value: {text}", Path(key)).value
        return kind.from_node(root["value"] if isinstance(root, dict) else Node.of(text))
    except Invalid as error:
        raise SettingsError("the value cannot be used" if BY_KEY[key].secret else str(error), key=key) from None
    except SettingsError:
        raise SettingsError(f"this cannot be read; accepted: {kind.accepted}", key=key) from None


def value_text(key: str, value: Any) -> str:
    """``value`` on one line, secrets hidden: as it is shown, and as ``typed_value`` reads it back."""
    plain = shown(key, value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, list):
        return ", ".join(_item(item) for item in plain)
    if isinstance(plain, dict):
        return ", ".join(f"{_item(name)}: {_item(item)}" for name, item in plain.items())
    return str(plain)


def _item(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_item(item)}" for name, item in value.items()) + "}"
    text = str(value)
    if isinstance(value, str) and (not text or text != text.strip() or _PLAIN & set(text) or not text[0].isalnum()):
        return json.dumps(text, ensure_ascii=False)
    return text
