"""The arguments of a tool call: a small validator, and the repair of what models really send.

Only the part of JSON Schema that tool definitions use is looked at: types, ``required``, ``properties``, ``items``,
``enum``, ``const``, ``anyOf``/``oneOf``, bounds of numbers and lengths. Whatever else a schema says is not checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pygent.models.argument_names import renamed
from pygent.models.loose_json import loads

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int,),
}
_LAYERS = 3  # JSON in JSON in JSON has been seen; more has not


def validate(arguments: object, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with ``arguments``, one sentence for each problem; an empty list where they fit ``schema``."""
    problems: list[str] = []
    _check(arguments, schema, "", problems)
    return problems


def repair(raw: object, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read the arguments of a call, whatever way the model wrote them, and answer those that fit ``schema``.

    ``raw`` is the JSON text of the call; an object or None is taken too, since some servers send that. Mended are:
    nothing or null instead of ``{}``, JSON with flaws (see ``loose_json``), JSON that was encoded again, a required
    argument under another usual name, and a value sent as a string (``"[1, 2]"``, ``"5"``, ``"true"``) where the
    schema wants another type.
    Raises ``ValueError``, in words that a model can act on, where the result would not validate.
    """
    arguments = renamed(_parse(raw), schema)
    problems = validate(arguments, schema)
    if not problems:
        return arguments
    mended = _coerce(arguments, schema)
    if isinstance(mended, dict) and not validate(mended, schema):
        return mended
    raise ValueError("; ".join(problems))


def _parse(raw: object) -> dict[str, Any]:
    value = raw
    for _ in range(_LAYERS):
        if not isinstance(value, str):
            break
        if not value.strip():
            value = None
            break
        try:
            value = loads(value)
        except ValueError as error:
            raise ValueError(f"the arguments are not valid JSON: {error}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"the arguments must be a JSON object, not {_name(value)}")  # noqa: TRY004 - it is the model's text
    return value


def _check(value: Any, schema: Any, where: str, problems: list[str]) -> None:
    if not isinstance(schema, Mapping):
        return  # True and absent schemas accept everything
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices and all(validate(value, choice) for choice in choices):
        problems.append(f"{_at(where)} has none of the accepted forms: {_accepted(schema)}")
        return
    types = _types(schema)
    if types and not any(_is(value, name) for name in types):
        problems.append(f"{_at(where)} must be {_accepted(schema)}, not {_name(value)}")
        return
    if "enum" in schema and value not in schema["enum"]:
        problems.append(f"{_at(where)} must be one of {json.dumps(schema['enum'], ensure_ascii=False)}")
    if "const" in schema and value != schema["const"]:
        problems.append(f"{_at(where)} must be {json.dumps(schema['const'], ensure_ascii=False)}")
    if isinstance(value, dict):
        _check_object(value, schema, where, problems)
    elif isinstance(value, list):
        _check_size(len(value), schema, ("minItems", "maxItems", "items"), where, problems)
        for index, item in enumerate(value):
            _check(item, schema.get("items"), f"{where}[{index}]", problems)
    elif isinstance(value, str):
        _check_size(len(value), schema, ("minLength", "maxLength", "characters"), where, problems)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_size(value, schema, ("minimum", "maximum", ""), where, problems)


def _check_object(value: dict[str, Any], schema: Mapping[str, Any], where: str, problems: list[str]) -> None:
    properties = schema.get("properties") or {}
    problems.extend(
        f"{_at(_join(where, name))} is required" for name in schema.get("required") or () if name not in value
    )
    others = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in properties:
            _check(item, properties[name], _join(where, name), problems)
        elif others is False:
            known = ", ".join(properties) or "none"
            problems.append(f"{_at(_join(where, name))} is not a parameter; there are: {known}")
        else:
            _check(item, others, _join(where, name), problems)


def _check_size(
    size: float, schema: Mapping[str, Any], keys: tuple[str, str, str], where: str, problems: list[str]
) -> None:
    least, most = schema.get(keys[0]), schema.get(keys[1])
    unit = f" {keys[2]}" if keys[2] else ""
    if least is not None and size < least:
        problems.append(f"{_at(where)} must be at least {least}{unit}")
    if most is not None and size > most:
        problems.append(f"{_at(where)} must be at most {most}{unit}")


def _coerce(value: Any, schema: Any) -> Any:
    """The value with each part that has the wrong type read once more as what the schema wants."""
    if not isinstance(schema, Mapping):
        return value
    types = _types(schema)
    if types and not any(_is(value, name) for name in types):
        value = _convert(value, types)
    for choice in schema.get("anyOf") or schema.get("oneOf") or ():
        mended = _coerce(value, choice)
        if not validate(mended, choice):
            return mended
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        required = schema.get("required") or ()
        return {
            name: _coerce(item, properties.get(name))
            for name, item in value.items()
            # null for something that may be left out means that it was left out
            if not (item is None and name in properties and name not in required and validate(None, properties[name]))
        }
    if isinstance(value, list):
        return [_coerce(item, schema.get("items")) for item in value]
    return value


def _convert(value: Any, types: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        lowered = value.strip().lower()
        try:
            # Python's spelling of the two truth values is common in text written by small models
            read = loads(lowered if lowered in {"true", "false"} else value)
        except ValueError:
            return value
        return read if any(_is(read, name) for name in types) else value
    if "string" in types and isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    return value


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    types = schema.get("type")
    return (types,) if isinstance(types, str) else tuple(types or ())


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(name, (object,)))


def _accepted(schema: Mapping[str, Any]) -> str:
    types = _types(schema)
    if types:
        return " or ".join(f"{_article(name)} {name}" if name != "null" else name for name in types)
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    return " or ".join(_accepted(choice) for choice in choices if isinstance(choice, Mapping)) or "another value"


def _article(name: str) -> str:
    return "an" if name[0] in "aio" else "a"


def _name(value: object) -> str:
    if value is None:
        return "null"
    for name, classes in _TYPES.items():
        if isinstance(value, classes) and _is(value, name):
            return f"{_article(name)} {name}"
    return type(value).__name__


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _at(where: str) -> str:
    return f"'{where}'" if where else "the value"
