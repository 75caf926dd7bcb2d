"""``@tool``: a tool's schema from the signature of its function."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, overload

from pygent.approvals.base import Effect
from pygent.tools.registry import REGISTRY, Tool, ToolRegistry

F = TypeVar("F", bound=Callable[..., object])

_SIMPLE: dict[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


@overload
def tool(function: F, /) -> F: ...


@overload
def tool(
    name: str | None = None,
    description: str | None = None,
    *,
    effect: Effect = "run",
    registry: ToolRegistry | None = None,
) -> Callable[[F], F]: ...


def tool(
    name: str | F | None = None,
    description: str | None = None,
    *,
    effect: Effect = "run",
    registry: ToolRegistry | None = None,
) -> F | Callable[[F], F]:
    """Register a function as a tool; use it as ``@tool`` or ``@tool(name=…, description=…)``.

    Name, description and schema come from the function's name, docstring and type hints. The first parameter is the
    run context. ``Annotated[str, "text"]`` describes a parameter; one without a default is required.
    The function itself is returned unchanged. Raises ``ValueError`` where the name is taken or cannot be used, or
    where there is no first parameter for the run context.
    """
    if callable(name):
        return _register(name, None, description, effect, registry)
    given = name

    def decorate(function: F) -> F:
        return _register(function, given, description, effect, registry)

    return decorate


def schema_of(function: Callable[..., object]) -> dict[str, Any]:
    """The JSON schema of a function's parameters after the first one, which is the run context.

    Raises ``ValueError`` where there is no such first parameter.
    """
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind in {parameters[0].KEYWORD_ONLY, parameters[0].VAR_KEYWORD}:
        raise ValueError(f"{_name(function)}: a tool's first parameter is the run context: def f(rt, …)")
    hints = get_type_hints(function, include_extras=True)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for parameter in parameters[1:]:
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            continue
        schema = _schema(hints.get(parameter.name, Any))
        if parameter.default is parameter.empty:
            required.append(parameter.name)
        elif isinstance(parameter.default, str | int | float | bool):
            schema = {**schema, "default": parameter.default}
        properties[parameter.name] = schema
    out: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        out["required"] = required
    return out


def _register(
    function: F, name: str | None, description: str | None, effect: Effect, registry: ToolRegistry | None
) -> F:
    text = description if description is not None else inspect.getdoc(function) or ""
    made = Tool(name or _name(function), text, schema_of(function), function, effect)
    (REGISTRY if registry is None else registry).add(made)
    return function


def _name(function: Callable[..., object]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _schema(hint: Any) -> dict[str, Any]:
    origin, args = get_origin(hint), get_args(hint)
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    if origin is Annotated:
        text = next((note for note in args[1:] if isinstance(note, str)), None)
        return {**_schema(args[0]), **({"description": text} if text else {})}
    if origin is Literal:
        return _choice(list(args))
    if origin in {Union, types.UnionType}:
        some = [arg for arg in args if arg is not type(None)]
        return _schema(some[0]) if len(some) == 1 else {"anyOf": [_schema(arg) for arg in some]}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _choice([member.value for member in hint])
    kind = origin or hint
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return {"type": "object"}
    if isinstance(kind, type) and issubclass(kind, Sequence | set | frozenset) and kind is not bytes:
        return {"type": "array", "items": _schema(args[0])} if args else {"type": "array"}
    return {}


def _choice(values: list[Any]) -> dict[str, Any]:
    kinds = {_SIMPLE.get(type(value)) for value in values}
    kind = kinds.pop() if len(kinds) == 1 else None
    return {**({"type": kind} if kind else {}), "enum": values}
