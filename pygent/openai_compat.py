"""The message types of the chat-completions protocol, and the one reader of what a model hands back.

A model may answer with these classes, with plain dicts, or with the objects of the ``openai`` package;
``parse_message`` turns each into a ``Message``.
Source: the OpenAI API reference, "Chat Completions".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(slots=True)
class ToolCallFunction:
    """Name and arguments of a call; ``arguments`` is a JSON text, as the model wrote it."""

    name: str
    arguments: str = "{}"


@dataclass(slots=True)
class ToolCall:
    """One call of a tool that the model asks for."""

    id: str
    function: ToolCallFunction
    type: str = "function"


@dataclass(slots=True)
class Usage:
    """Tokens that the server counted for one request, or the sum over several.

    ``cached_tokens`` are those of the prompt that it had from an earlier one.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.total_tokens + other.total_tokens,
            self.cached_tokens + other.cached_tokens,
        )

    def to_dict(self) -> dict[str, int]:
        """The counts under their wire names; ``cached_tokens`` only where there are any."""
        out = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
        }
        return {**out, "cached_tokens": self.cached_tokens} if self.cached_tokens else out


@dataclass(slots=True)
class Message:
    """A message of the conversation.

    ``usage`` and ``finish_reason`` belong to the reply that carried the message; they are not sent back.
    """

    role: str
    content: str | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    usage: Usage | None = None
    finish_reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The message in the shape the protocol sends."""
        out: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            out["tool_calls"] = [
                {
                    "id": call.id,
                    "type": call.type,
                    "function": {"name": call.function.name, "arguments": call.function.arguments},
                }
                for call in self.tool_calls
            ]
        if self.tool_call_id is not None:
            out["tool_call_id"] = self.tool_call_id
        if self.reasoning_content is not None:
            out["reasoning_content"] = self.reasoning_content
        return out


def parse_message(raw: object) -> Message:
    """Read a model's answer: a ``Message``, a dict, or an object with the same attributes.

    A whole completion stands for the message of its first choice.

    Raises ``TypeError`` where it has neither content nor tool calls as attribute or key.
    """
    if isinstance(raw, Message):
        return raw
    choices = _get(raw, "choices")
    if isinstance(choices, list) and choices:
        message = parse_message(_get(choices[0], "message"))
        usage = parse_usage(_get(raw, "usage")) or message.usage
        return replace(message, usage=usage, finish_reason=_get(choices[0], "finish_reason") or message.finish_reason)
    if raw is None or not (_has(raw, "content") or _has(raw, "tool_calls")):
        raise TypeError(f"a model must return a message with content or tool_calls, not {type(raw).__name__}")
    calls = _get(raw, "tool_calls") or []
    return Message(
        role=_get(raw, "role") or "assistant",
        content=_text(_get(raw, "content")),
        tool_calls=[_parse_call(call) for call in calls],
        tool_call_id=_get(raw, "tool_call_id"),
        reasoning_content=_text(_get(raw, "reasoning_content") or _get(raw, "reasoning")),
        usage=parse_usage(_get(raw, "usage")),
        finish_reason=_get(raw, "finish_reason"),
    )


def parse_usage(raw: object) -> Usage | None:
    """Read a usage report; None where there is none."""
    if raw is None or isinstance(raw, Usage):
        return raw
    prompt, completion = _tokens(raw, "prompt_tokens"), _tokens(raw, "completion_tokens")
    details = _get(raw, "prompt_tokens_details")
    cached = _tokens(details, "cached_tokens") or _tokens(raw, "prompt_cache_hit_tokens")  # the latter is DeepSeek's
    return Usage(prompt, completion, _tokens(raw, "total_tokens") or prompt + completion, min(cached, prompt))


_MOST_TOKENS = 1e12
"""A larger count is none; it would not fit where sums are kept."""


def _tokens(raw: object, name: str) -> int:
    """A count of tokens, 0 for what is none."""
    count = _get(raw, name)
    return int(count) if isinstance(count, int | float) and 0 <= count < _MOST_TOKENS else 0


def _parse_call(raw: object) -> ToolCall:
    if isinstance(raw, ToolCall):
        return raw
    function = _get(raw, "function")
    arguments = _get(function, "arguments")
    if arguments is None:
        arguments = "{}"
    elif not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return ToolCall(
        id=_get(raw, "id") or "",
        function=ToolCallFunction(name=_get(function, "name") or "", arguments=arguments),
        type=_get(raw, "type") or "function",
    )


def _has(raw: object, name: str) -> bool:
    return name in raw if isinstance(raw, Mapping) else hasattr(raw, name)


def _get(raw: object, name: str) -> Any:
    return raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)


def _text(content: object) -> str | None:
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):  # content parts
        return "".join(_get(part, "text") or "" for part in content)
    return str(content)
