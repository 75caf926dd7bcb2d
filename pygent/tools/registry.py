"""What a tool is, and where tools are kept."""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pygent.approvals.base import EFFECTS, Effect

ToolFunction = Callable[..., object]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Tool:
    """A function that the model may call.

    ``function`` gets the run context ``rt`` first and the arguments by keyword; what it returns is shown to the
    model. ``parameters`` is a JSON schema of type ``object``. ``effect`` is what the call does at most.

    Raises ``ValueError`` for a name, schema or effect that cannot be used, ``TypeError`` for a function that cannot
    be called.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    function: ToolFunction
    effect: Effect = "run"
    accepts: frozenset[str] | None = field(init=False, repr=False, compare=False, default=None)
    """Names of the arguments that the function takes, None where it takes any."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(f"tool name {self.name!r}: use 1 to 64 letters, digits, '_' and '-'")
        if not callable(self.function):
            raise TypeError(f"tool {self.name}: {self.function!r} cannot be called")
        if self.effect not in EFFECTS:
            raise ValueError(f"tool {self.name}: effect {self.effect!r} is not one of {', '.join(EFFECTS)}")
        _check_schema(self.name, self.parameters)
        object.__setattr__(self, "accepts", _accepted(self.function))

    @property
    def ours(self) -> bool:
        """Whether it is one of Pygent's own."""
        return str(getattr(self.function, "__module__", "")).startswith("pygent.")

    @property
    def schema(self) -> dict[str, Any]:
        """The definition as the chat-completions protocol has it."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.parameters},
        }


class ToolRegistry:
    """Tools by name, in the order they were added. Thread-safe."""

    def __init__(self, tools: Collection[Tool] = ()) -> None:
        self._lock = threading.Lock()
        self._tools: dict[str, Tool] = {}
        self._schemas: dict[frozenset[str] | None, list[dict[str, Any]]] = {}
        for tool in tools:
            self.add(tool)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __iter__(self) -> Iterator[Tool]:
        return iter(list(self._tools.values()))

    def __len__(self) -> int:
        return len(self._tools)

    def add(self, tool: Tool) -> Tool:
        """Add a tool. Raises ``ValueError`` where its name is taken."""
        with self._lock:
            if tool.name in self._tools:
                raise ValueError(f"a tool named {tool.name!r} exists already")
            self._tools[tool.name] = tool
            self._schemas.clear()
        return tool

    def get(self, name: str) -> Tool | None:
        """The tool of that name, None where there is none."""
        return self._tools.get(name)

    def remove(self, name: str) -> Tool | None:
        """Take a tool away. Answers it, None where there was none."""
        with self._lock:
            self._schemas.clear()
            return self._tools.pop(name, None)

    def names(self) -> list[str]:
        """All names, in the order the tools were added."""
        return list(self._tools)

    def schemas(self, allowed: Collection[str] | None = None) -> list[dict[str, Any]]:
        """The definitions that are sent to a model, of the ``allowed`` tools or of all.

        The same list is answered until a tool is added or removed; do not change it.
        """
        key = None if allowed is None else frozenset(allowed)
        with self._lock:
            cached = self._schemas.get(key)
            if cached is None:
                cached = [tool.schema for name, tool in self._tools.items() if key is None or name in key]
                self._schemas[key] = cached
            return cached

    def copy(self) -> ToolRegistry:
        """Another registry with the same tools."""
        return ToolRegistry(list(self._tools.values()))


REGISTRY = ToolRegistry()
"""The tools that every agent starts with: the built-in ones and what ``register_tool`` adds."""


def register_tool(
    name: str, description: str, parameters: Mapping[str, Any], function: ToolFunction, *, effect: Effect = "run"
) -> None:
    """Offer a function to the models.

    ``parameters`` is a JSON schema of type ``object``; ``function`` is called as ``function(rt, **arguments)``.
    ``effect`` says what the call does at most, which decides when a person is asked (see the permission modes).
    Raises ``ValueError`` where the name is taken or cannot be used.
    """
    REGISTRY.add(Tool(name, description, dict(parameters), function, effect))


def _check_schema(name: str, schema: object) -> None:
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise ValueError(f"tool {name}: parameters must be a JSON schema of type 'object', not {schema!r}")
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise ValueError(f"tool {name}: 'properties' must be an object")  # noqa: TRY004 - a bad schema is one error
    missing = [key for key in schema.get("required", ()) if key not in properties]
    if missing:
        raise ValueError(f"tool {name}: required {', '.join(missing)} not among the schema's properties")
    try:
        json.dumps(schema)
    except (TypeError, ValueError) as error:
        raise ValueError(f"tool {name}: the schema is not JSON: {error}") from None


def _accepted(function: ToolFunction) -> frozenset[str] | None:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some built-in callables have no signature
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    by_keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    first_is_rt = bool(parameters) and parameters[0].kind is not inspect.Parameter.KEYWORD_ONLY
    rest = (
        parameters[1:] if first_is_rt and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL else parameters
    )
    return frozenset(parameter.name for parameter in rest if parameter.kind in by_keyword)
