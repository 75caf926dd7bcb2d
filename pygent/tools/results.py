"""What the model reads of a call: any value as bounded text, and errors that say how to do it right."""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection, Mapping
from typing import Any

from pygent.errors import PygentError
from pygent.tools.failing import failing_part

RESULT_LIMIT = 32_000
"""Characters of one result that the model gets at most."""

NO_OUTPUT = "(no output)"


def to_text(value: object) -> str:
    """A tool's return value as text: JSON for objects and lists, the value itself where it is text already.

    Raises ``TypeError`` for a coroutine, since tools are plain functions; whatever ``str(value)`` raises passes.
    """
    if isinstance(value, str):
        return value or NO_OUTPUT
    if value is None:
        return NO_OUTPUT
    if isinstance(value, dict | list | tuple):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except (TypeError, ValueError):  # keys that are no strings, a loop
            return str(value)
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError("the tool is an async function; tools must be plain functions")
    return str(value)


def bounded(text: str, limit: int = RESULT_LIMIT, *, rest: str = "") -> str:
    """``text`` in about ``limit`` characters, with what tells of failures, and notes where something is left out.

    ``rest`` is the file that has all of it, where there is one.
    """
    if len(text) > limit:
        kept = f"all of it is kept for the user in {rest}; " if rest else ""
        how = "to see more, ask for a smaller part, or send output to a file and read that"
        text = failing_part(text, limit, f"{kept}{how}")
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair cannot be sent to a model
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def describe_error(error: BaseException) -> str:
    """One paragraph about an exception; our own ones speak for themselves."""
    try:
        text = str(error)
    except Exception:  # a foreign exception may fail at anything
        text = "(its message cannot be shown)"
    name = type(error).__name__
    if isinstance(error, PygentError):
        return text or name
    return f"{name}: {text}" if text else name


def unknown_tool(name: str, names: Collection[str]) -> str:
    """The answer to a call of a tool that is not there."""
    said = f"There is no tool named {name!r}." if name else "The call names no tool."
    return f"Error: {said} The tools are: {', '.join(names) or 'none'}."


def misfit(tool: str, schema: Mapping[str, Any], problem: str) -> str:
    """The answer to arguments that do not fit: what is wrong, what is required, and how it would be right."""
    required = list(schema.get("required") or ())
    wanted = f"Required: {', '.join(required)}." if required else "No argument is required."
    example = json.dumps(example_arguments(schema), ensure_ascii=False)
    return f"Error: the arguments of {tool} do not fit: {problem}. {wanted} Example: {example}"


def example_arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that fit an object schema: the required ones, or the first property where none is."""
    properties = schema.get("properties") or {}
    names = list(schema.get("required") or ()) or list(properties)[:1]
    return {name: _example(properties.get(name) or {}, name) for name in names}


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
    return {"boolean": True, "null": None}.get(kind, f"<{name}>")
