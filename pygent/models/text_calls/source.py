"""What readers of calls share: the text so far, what they answer, and how a name with arguments becomes a call."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pygent.models.arguments import repair
from pygent.models.call_deltas import new_call_id
from pygent.models.tool_names import meant
from pygent.openai_compat import ToolCall, ToolCallFunction

Parameters = Mapping[str, Mapping[str, Any]]
"""Tool names, each with the JSON schema of its arguments."""

_NAMES = ("name", "tool", "tool_name", "function", "function_name", "action")
_ARGUMENTS = (
    *("arguments", "parameters", "args", "input", "params", "kwargs"),
    *("action_input", "tool_input", "tool_args", "function_args"),
)
_LISTS = ("tool_calls", "calls", "actions")
_BESIDE = frozenset({"id", "type", "index", "call_id", "thought", "thoughts", "reasoning", "explanation"})
KEYS = frozenset({*_NAMES, *_ARGUMENTS, *_LISTS, *_BESIDE})
"""What a call as a JSON object may begin with."""


class Verdict(enum.Enum):
    """What a reader says where it found no call."""

    NEVER = "it is no call, whatever follows"
    MORE = "it may become a call with more text"


@dataclass(frozen=True, slots=True)
class Found:
    """Calls whose text goes up to ``end``."""

    calls: list[ToolCall]
    end: int


Reading = Found | Verdict


@dataclass(slots=True)
class Source:
    """The text so far. ``final``: nothing follows."""

    text: str
    parameters: Parameters
    final: bool
    problems: list[str] = field(default_factory=list)
    """Why what looked like a call is none, in words for the model."""
    missed: bool = False
    """Whether the end of something was looked for in all of the text, in vain."""

    def unfinished(self) -> Verdict:
        """The verdict on what has not come to its end."""
        self.missed = True
        return Verdict.NEVER if self.final else Verdict.MORE

    def skip(self, position: int, blanks: str = " \t\r\n") -> int:
        """The position of the next character that is no blank."""
        text = self.text
        while position < len(text) and text[position] in blanks:
            position += 1
        return position

    def call(self, name: object, raw: object) -> ToolCall | None:
        """A call of the tool that ``name`` means; None where there is none or the arguments do not fit it."""
        known = meant(name, self.parameters) if isinstance(name, str) else None
        if known is None:
            if isinstance(name, str) and name:
                self.problems.append(f"there is no tool named {name[:100]!r}")
            return None
        if _is_schema(raw):
            return None
        try:
            arguments = repair(raw, self.parameters[known])
        except ValueError as error:
            self.problems.append(f"the arguments of {known} do not fit: {error}")
            return None
        return ToolCall(new_call_id(), ToolCallFunction(known, json.dumps(arguments, ensure_ascii=False)))

    def call_with(self, name: str, text: str) -> ToolCall | None:
        """A call of a tool that needs one text, which is given bare."""
        known = meant(name, self.parameters)
        schema = self.parameters[known] if known else {}
        required = list(schema.get("required") or ())
        if len(required) != 1 or (schema.get("properties") or {}).get(required[0], {}).get("type") != "string":
            return None
        return self.call(known, {required[0]: text}) if text.strip() else None

    def known(self, name: str) -> str | None:
        """The tool that ``name`` means."""
        return meant(name, self.parameters)

    def calls(self, value: object) -> list[ToolCall]:
        """The calls that a JSON value means; empty unless all of it is calls."""
        out: list[ToolCall] = []
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                return []
            several = next((item[key] for key in _LISTS if isinstance(item.get(key), list)), None)
            if several is not None:
                found = self.calls(several) if set(item) <= KEYS else []
            else:
                call = self._one(item)
                found = [call] if call else []
            if not found:
                return []
            out += found
        return out

    def _one(self, item: dict[str, Any]) -> ToolCall | None:
        """``{"name": …, "arguments": {…}}`` and its relatives; also with the arguments beside the name, or in it."""
        if isinstance(item.get("function"), dict) and set(item) <= KEYS:
            item = item["function"]
        if len(item) == 1:
            (only, value), *_ = item.items()
            if only in self.parameters and isinstance(value, dict):
                return self.call(only, value)
        named = next((key for key in item if key in _NAMES and isinstance(item[key], str)), None)
        if named is None:
            return None
        given = next((key for key in _ARGUMENTS if key in item), None)
        if given is not None:
            return self.call(item[named], item[given]) if set(item) <= KEYS else None
        rest = {key: value for key, value in item.items() if key != named and key not in _BESIDE}
        known = meant(item[named], self.parameters)
        if known is not None and not rest.keys() <= (self.parameters[known].get("properties") or {}).keys():
            return None
        return self.call(item[named], rest)


def _is_schema(raw: object) -> bool:
    """Whether a model that repeats a tool's definition wrote this, where arguments would stand."""
    return isinstance(raw, dict) and raw.get("type") == "object" and "properties" in raw
