"""How named model servers are read from a settings file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pygent.compat import KEYS as COMPAT_KEYS
from pygent.settings.compat_kind import CompatKind, compat_schema, read_compat
from pygent.settings.kinds import Choice, FilePath, Kind, Prices, Seconds, Text, Url, Whole
from pygent.settings.model import PROFILES
from pygent.settings.nodes import Invalid, Node, nearest
from pygent.settings.provider import ModelEntry, Provider
from pygent.settings.server_kinds import Headers, Proxy

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_KEY_WORDS = ("api_key", "key", "token", "password")


class Variable(Text):
    """The name of an environment variable."""

    accepted = "the name of an environment variable, such as OPENROUTER_API_KEY"

    def from_text(self, text: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text.strip()):
            # It may be a key that was put in the wrong place, so it is not repeated.
            raise Invalid(f"this is no name of a variable; accepted: {self.accepted}")
        return text.strip()

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}


class KeyringEntry(Text):
    """The name of an entry of the system's keyring."""

    accepted = "NAME of an entry of the service pygent, or SERVICE/NAME"


class OneCompat(Kind):
    """What one model needs of requests."""

    accepted = f"a mapping of {', '.join(COMPAT_KEYS)}"

    def from_node(self, node: Node) -> dict[str, Any]:
        return read_compat(node)

    def schema(self) -> dict[str, Any]:
        return compat_schema()


class OnePrice(Kind):
    """The prices of one model."""

    accepted = "a mapping {input, output, cached_input}, prices of a million tokens"

    def from_node(self, node: Node) -> dict[str, float]:
        if not isinstance(node.value, dict):
            raise self.refused(node)
        return Prices().from_node(Node({"price": node}, node.line))["price"]

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = Prices().schema()["additionalProperties"]
        return schema


class Models(Kind):
    """What is known of a provider's models: a list of names, or a mapping of names to more."""

    accepted = "a list of names, or a mapping of names to {context_window, prices, compat, profile}"
    parts: dict[str, Kind] = {  # noqa: RUF012 - a table that nobody changes
        "context_window": Whole(256),
        "prices": OnePrice(),
        "compat": OneCompat(),
        "profile": Choice(*PROFILES),
    }

    def from_node(self, node: Node) -> dict[str, ModelEntry]:
        if isinstance(node.value, list):
            return {Text().from_node(item): ModelEntry() for item in node.value}
        if not isinstance(node.value, dict):
            raise self.refused(node)
        return {name: _read(name, self._entry, item) for name, item in node.value.items()}

    def _entry(self, node: Node) -> ModelEntry:
        return ModelEntry() if node.value is None else ModelEntry(**_parts(node, self.parts, "a model"))

    def schema(self) -> dict[str, Any]:
        entry = {"anyOf": [_object(self.parts), {"type": "null"}]}
        return {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": entry},
            ]
        }


class Providers(Kind):
    """Model servers by name."""

    parts: dict[str, Kind] = {  # noqa: RUF012 - a table that nobody changes
        "base_url": Url(),
        "key_variable": Variable(),
        "keyring": KeyringEntry(),
        "headers": Headers(),
        "proxy": Proxy(),
        "certificates": FilePath(),
        "models": Models(),
        "context_window": Whole(256),
        "prices": Prices(),
        "compat": CompatKind(),
        "first_token_timeout": Seconds(),
        "token_timeout": Seconds(),
    }
    accepted = f"a mapping of names to {{{', '.join(parts)}}}"
    one_line = False

    def from_node(self, node: Node) -> dict[str, Provider]:
        if not isinstance(node.value, dict):
            raise self.refused(node)
        for name, item in node.value.items():
            if not _NAME.fullmatch(name):
                text = f"{name!r}: a provider's name has letters, digits, dots, dashes and underscores"
                raise Invalid(text, line=item.line)
        return {name: _read(name, self._one, item) for name, item in node.value.items() if item.value is not None}

    def _one(self, node: Node) -> Provider:
        found = _parts(node, self.parts, "a provider")
        if "base_url" not in found:
            raise Invalid("a provider needs a base_url", line=node.line, key="base_url")
        return Provider(**found)

    def schema(self) -> dict[str, Any]:
        one = {**_object(self.parts), "required": ["base_url"]}
        one["properties"]["base_url"] = self.parts["base_url"].schema()
        return {"type": "object", "propertyNames": {"pattern": f"^{_NAME.pattern}$"}, "additionalProperties": one}


def _parts(node: Node, kinds: dict[str, Kind], what: str) -> dict[str, Any]:
    """The values of a mapping, each read by its kind; nothing counts as not given. Raises ``Invalid``."""
    if not isinstance(node.value, dict):
        raise Invalid(f"{node.describe()} cannot be used; accepted: a mapping {{{', '.join(kinds)}}}", line=node.line)
    out = {}
    for key, item in node.value.items():
        if key not in kinds:
            hint = nearest(key, kinds)
            if key in _KEY_WORDS and "key_variable" in kinds:
                hint = "; a key does not stand here: name its variable with key_variable, or its keyring entry"
            raise Invalid(f"unknown key {key!r} of {what}{hint}", line=item.line, key=key)
        if item.value is not None:
            out[key] = _read(key, kinds[key].from_node, item)
    return out


def _read(key: str, read: Callable[[Node], Any], node: Node) -> Any:
    """Read one value; a complaint names its way and line."""
    try:
        return read(node)
    except Invalid as problem:
        text = str(problem)
        inner = bool(problem.key) and text.startswith(f"{problem.key}: ")
        way = f"{key}.{problem.key}" if problem.key else key
        raise Invalid(f"{key}{'.' if inner else ': '}{text}", line=problem.line or node.line, key=way) from None


def _object(kinds: dict[str, Kind]) -> dict[str, Any]:
    parts = {key: {"anyOf": [kind.schema(), {"type": "null"}]} for key, kind in kinds.items()}
    return {"type": "object", "properties": parts, "additionalProperties": False}
