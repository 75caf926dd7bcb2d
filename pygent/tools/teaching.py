"""Answers to calls that cannot be run: what is wrong with them, and how they would be right."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from pygent.models.tool_names import nearest

_SHOWN = {
    "path": "src/main.py",
    "cmd": "ls -la",
    "content": "the whole text",
    "old": "text as it is in the file",
    "new": "text that takes its place",
    "pattern": "def main",
}
_NOTE = 60
_QUOTING = ' In a JSON string a line break is written \\n, a quotation mark \\" and a backslash \\\\.'


def unknown_tool(name: str, names: Collection[str]) -> str:
    """The answer to a call of a tool that is not there."""
    said = f"There is no tool named {name[:100]!r}." if name else "The call names no tool."
    near = nearest(name, names) if name else None
    hint = f" Did you mean {near}?" if near else ""
    return f"Error: {said}{hint} The tools are: {', '.join(names) or 'none'}."


def misfit(tool: str, schema: Mapping[str, Any], problem: str) -> str:
    """The answer to arguments that do not fit: what is wrong, what the tool takes, and how it would be right."""
    example = json.dumps(example_arguments(schema), ensure_ascii=False)
    quoting = _QUOTING if "not valid JSON" in problem else ""
    return f"Error: the arguments of {tool} do not fit: {problem}.{quoting} {takes(tool, schema)} Example: {example}"


def takes(tool: str, schema: Mapping[str, Any]) -> str:
    """What a tool takes, in one readable line."""
    required = schema.get("required") or ()
    properties = schema.get("properties") or {}
    parts = [
        f"{name} ({_kind(part)}{'' if name in required else ', optional'}{_note(part)})"
        for name, part in properties.items()
    ]
    return f"{tool} takes: {', '.join(parts)}." if parts else f"{tool} takes no arguments."


def example_arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that fit an object schema: the required ones, or the first property where none is."""
    properties = schema.get("properties") or {}
    names = list(schema.get("required") or ()) or list(properties)[:1]
    return {name: _example(properties.get(name) or {}, name) for name in names}


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("enum"):
        return " or ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"][:6])
    if isinstance(schema.get("items"), Mapping) and schema.get("type") == "array":
        return f"array of {_kind(schema['items'])}"
    kinds = schema.get("type") or [
        choice.get("type", "any") for choice in schema.get("anyOf") or schema.get("oneOf") or ()
    ]
    return kinds if isinstance(kinds, str) else " or ".join(map(str, kinds)) or "any value"


def _note(schema: Mapping[str, Any]) -> str:
    text = str(schema.get("description") or "")
    return f": {text if len(text) <= _NOTE else text[:_NOTE] + '…'}" if text else ""


def _example(schema: Mapping[str, Any], name: str) -> Any:
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _example(schema[key][0], name)
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        kind = kind[0] if kind else "string"
    if kind == "object":
        return example_arguments(schema)
    if kind == "array":
        return [_example(schema.get("items") or {}, name)]
    if kind in {"number", "integer"}:
        return schema.get("minimum", 1)
    return {"boolean": True, "null": None}.get(kind, _SHOWN.get(name, f"<{name}>"))
