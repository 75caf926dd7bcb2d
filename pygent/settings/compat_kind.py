"""How a setting is read that says what models need of requests: mappings by the pattern of a model's name."""

from __future__ import annotations

from typing import Any

from pygent import compat
from pygent.settings.kinds import FALSE_WORDS, TRUE_WORDS, Kind
from pygent.settings.nodes import Invalid, Node, nearest


def read_compat(node: Node) -> dict[str, Any]:
    """What one model needs, as ``Compat.from_mapping`` reads it. Raises ``Invalid``."""
    if not isinstance(node.value, dict):
        raise Invalid(
            f"{node.describe()} cannot be used; accepted: a mapping of {', '.join(compat.KEYS)}", line=node.line
        )
    out: dict[str, Any] = {}
    for key, item in node.value.items():
        if key not in compat.KEYS:
            near = nearest(key, compat.KEYS)
            text = f"there is no {key!r}{near}; accepted: {', '.join(compat.KEYS)}"
            raise Invalid(text, line=item.line, key=key)
        out[key] = _value(key, item)
    return out


def _value(key: str, node: Node) -> str | bool:
    accepted = compat.accepted(key)
    value: Any = node.value
    if isinstance(value, (str, bool, int)):
        word = node.text.strip().lower()
        value = word if word in accepted else value
        if True in accepted and not isinstance(value, bool) and word in (*TRUE_WORDS, *FALSE_WORDS):
            value = word in TRUE_WORDS
        if (isinstance(value, bool) and value in accepted) or (isinstance(value, str) and value in accepted):
            return value
    raise Invalid(
        f"{key}: {node.describe()} cannot be used; accepted: {compat.in_words(key)}", line=node.line, key=key
    )


def compat_schema() -> dict[str, Any]:
    """The JSON schema of what one model needs."""
    parts = {key: {"enum": list(compat.accepted(key))} for key in compat.KEYS}
    return {"type": "object", "properties": parts, "additionalProperties": False}


class CompatKind(Kind):
    """What models need, by the pattern of their names."""

    accepted = f"a mapping of patterns of model names to {{{', '.join(compat.KEYS)}}}"

    def from_node(self, node: Node) -> dict[str, dict[str, Any]]:
        if not isinstance(node.value, dict):
            raise self.refused(node)
        out = {}
        for pattern, item in node.value.items():
            try:
                out[pattern] = read_compat(item)
            except Invalid as error:
                key = f"{pattern}.{error.key}" if error.key else pattern
                raise Invalid(f"{pattern}: {error}", line=error.line, key=key) from None
        return out

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": compat_schema()}
