"""How personas are read: from settings files, from their own files, and from JSON in a variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pygent.budget import Budget
from pygent.persona import MODES, Persona
from pygent.settings.budget_kind import BudgetKind, read_budget
from pygent.settings.kinds import Choice, Flag, Kind, Text, Whole
from pygent.settings.nodes import Invalid, Node, nearest

_KEYS = (
    *("name", "description", "prompt", "model", "tools"),
    *("deny", "network", "image", "permission_mode", "budget", "max_steps"),
)
_KINDS: dict[str, Kind] = {
    "network": Flag(),
    "image": Text(),
    "permission_mode": Choice(*MODES),
    "max_steps": Whole(1),
}
"""What is read as the setting of the same name is."""

_SHAPE = "{" + ", ".join(_KEYS) + "}"


def read_persona(node: Node, *, name: str | None = None) -> Persona:
    """One persona from a mapping; ``name`` serves where the mapping has none. Raises ``Invalid``."""
    if not isinstance(node.value, dict):
        raise Invalid(f"{node.describe()} cannot be used; accepted: a mapping {_SHAPE}", line=node.line)
    for key, item in node.value.items():
        if key not in _KEYS:
            raise Invalid(f"unknown key {key!r} of a persona{nearest(key, _KEYS)}", line=item.line, key=key)
    given = {key: item for key, item in node.value.items() if item.value is not None}
    own_name = _text(given, "name") or name
    if not own_name:
        raise Invalid("a persona needs a name", line=node.line, key="name")
    return Persona(
        name=own_name,
        description=" ".join((_text(given, "description") or "").split()),
        prompt=(_text(given, "prompt") or "").strip(),
        model=_text(given, "model") or None,
        tools=_list(given, "tools", "a list of names of tools"),
        deny=_list(given, "deny", "a list of rules") or (),
        budget=_inner("budget", read_budget, given["budget"]) if "budget" in given else Budget(),
        **{key: _inner(key, kind.from_node, given[key]) for key, kind in _KINDS.items() if key in given},
    )


def _inner(key: str, read: Callable[[Node], Any], node: Node) -> Any:
    """Read one value; a complaint names its key and line."""
    try:
        return read(node)
    except Invalid as problem:
        raise Invalid(f"{key}: {problem}", line=problem.line or node.line, key=key) from None


def _text(given: dict[str, Node], key: str) -> str | None:
    node = given.get(key)
    if node is None:
        return None
    if not isinstance(node.value, str) or "\0" in node.value:
        raise Invalid(f"{key}: {node.describe()} cannot be used; accepted: text", line=node.line, key=key)
    return node.value.strip()


def _list(given: dict[str, Node], key: str, accepted: str) -> tuple[str, ...] | None:
    node = given.get(key)
    if node is None:
        return None
    items = node.value if isinstance(node.value, list) else [node]
    for item in items:
        if not isinstance(item.value, str) or not item.value.strip():
            raise Invalid(f"{key}: {item.describe()} cannot be used; accepted: {accepted}", line=item.line, key=key)
    return tuple(str(item.value).strip() for item in items)


def _schema() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    parts: dict[str, Any] = {
        **dict.fromkeys(_KEYS, text),
        **{key: {"anyOf": [{"type": "array", "items": text}, text]} for key in ("tools", "deny")},
        **{key: kind.schema() for key, kind in _KINDS.items()},
        "budget": BudgetKind().schema(),
    }
    optional = {key: {"anyOf": [schema, {"type": "null"}]} for key, schema in parts.items() if key != "name"}
    return {"type": "object", "properties": {**parts, **optional}, "additionalProperties": False}


class OnePersona(Kind):
    """The main agent's persona: a name (``str``) or a whole ``Persona``."""

    accepted = f"the name of a persona, or a mapping {_SHAPE}"

    def from_text(self, text: str) -> str:
        if not text.strip():
            raise Invalid(f"empty text cannot be used; accepted: {self.accepted}")
        return text.strip()

    def from_node(self, node: Node) -> str | Persona:
        return read_persona(node) if isinstance(node.value, dict) else super().from_node(node)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, {**_schema(), "required": ["name"]}]}


class PersonaList(Kind):
    """Several personas: a YAML list of mappings, or a JSON array of objects in a text."""

    accepted = f"a list of mappings {_SHAPE}"
    one_line = False

    def from_text(self, text: str) -> tuple[Persona, ...]:
        import json  # noqa: PLC0415

        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Invalid(f"not JSON: {error}; accepted: a JSON array of objects {_SHAPE}") from None
        return self.from_node(Node.of(raw))

    def from_node(self, node: Node) -> tuple[Persona, ...]:
        if not isinstance(node.value, list):
            raise self.refused(node)
        out: dict[str, Persona] = {}
        for item in node.value:
            persona = read_persona(item)
            if persona.name in out:
                raise Invalid(f"two personas are named {persona.name!r}", line=item.line, key="name")
            out[persona.name] = persona
        return tuple(out.values())

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {**_schema(), "required": ["name"]}}
