"""The request's body, of which the history is encoded only once.

A conversation grows at its end, and a message is never changed once it stands in the list. So what was encoded for
the last request is kept, and only new messages are encoded for the next: the cost of a step stays flat, where
encoding everything at each step makes a run's cost quadratic.
"""

from __future__ import annotations

import json
import operator
import threading
from collections.abc import Sequence
from itertools import count
from typing import Any, TypeAlias

from pygent.compat import ReasoningRule
from pygent.images import as_text
from pygent.models.base import Messages, ToolSchemas
from pygent.models.marks import harmless_message

Rules: TypeAlias = tuple[ReasoningRule, bool]
"""How reasoning is sent back, and whether images are."""

_CACHES = 8  # conversations that share one model object: a main agent and its tasks
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(value: object) -> bytes:
    """``value`` as compact JSON. Half surrogate pairs, which UTF-8 does not have, become ``?``."""
    return _ENCODER.encode(value).encode("utf-8", "replace")


class BodyEncoder:
    """Makes request bodies; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._caches: list[_Encoded] = []  # the one used last stands last
        self._tools: tuple[tuple[dict[str, Any], ...], bytes] = ((), b"")

    def body(
        self,
        messages: Messages,
        model: str,
        tools: ToolSchemas | None,
        *,
        extra: bytes = b"",
        reasoning: ReasoningRule = "keep",
        images: bool = True,
    ) -> bytes:
        """The whole body. ``extra`` is more members of the object, encoded, each with a comma before it.

        Without ``images`` only the text of a user message with images is sent.

        Raises ``TypeError`` where a message holds what JSON does not have.
        """
        with self._lock:
            encoded = self._cache_for(messages, (reasoning, images))
            encoded.extend(messages)
            parts: list[bytes | bytearray] = [b'{"model":', encode(model), b',"messages":[', encoded.joined, b"]"]
            if tools:
                parts += [b',"tools":', self._encoded_tools(tools)]
        return b"".join((*parts, extra, b"}"))

    def known(self, messages: Messages) -> int:
        """How many messages at the beginning of ``messages`` were sent before, as they stand and in a row."""
        with self._lock:
            return max((cache.common(messages) for cache in self._caches), default=0)

    def _cache_for(self, messages: Messages, rules: Rules) -> _Encoded:
        for position in range(len(self._caches) - 1, -1, -1):
            cache = self._caches[position]
            common = cache.common(messages) if cache.rules == rules else 0
            # Less than half in common: another conversation that begins alike, or one that was compacted.
            if common and 2 * common >= len(cache.messages):
                cache.cut(common)
                self._caches.append(self._caches.pop(position))
                return cache
        cache = _Encoded(rules)
        self._caches.append(cache)
        del self._caches[:-_CACHES]
        return cache

    def _encoded_tools(self, tools: ToolSchemas) -> bytes:
        known, encoded = self._tools
        if len(known) != len(tools) or not all(map(operator.is_, known, tools)):
            encoded = encode(tools)
            self._tools = (tuple(tools), encoded)
        return encoded


class _Encoded:
    """One conversation: its messages, held so that identity means equality, and their bytes with commas between."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.messages: list[dict[str, Any]] = []
        self.joined = bytearray()
        self._ends: list[int] = []

    def common(self, messages: Sequence[dict[str, Any]]) -> int:
        """How many messages both begin with."""
        if len(messages) >= len(self.messages) and all(map(operator.is_, self.messages, messages)):
            return len(self.messages)
        pairs = zip(count(), self.messages, messages, strict=False)
        return next((n for n, ours, theirs in pairs if ours is not theirs), min(len(self.messages), len(messages)))

    def cut(self, length: int) -> None:
        if length < len(self.messages):
            del self.joined[self._ends[length - 1] :]
            del self._ends[length:]
            del self.messages[length:]

    def extend(self, messages: Sequence[dict[str, Any]]) -> None:
        for message in messages[len(self.messages) :]:
            encoded = encode(_as_sent(message, *self.rules))
            if self.messages:
                self.joined += b","
            self.joined += encoded
            self.messages.append(message)
            self._ends.append(len(self.joined))


def _as_sent(message: dict[str, Any], reasoning: ReasoningRule, images: bool) -> dict[str, Any]:
    if message.get("role") != "assistant":
        if message.get("role") in {"tool", "user"}:
            message = harmless_message(message)
        if not images and isinstance(message.get("content"), list):
            message = {**message, "content": as_text(message["content"])}
        return message
    calls = message.get("tool_calls")
    if reasoning == "drop" and "reasoning_content" in message:
        message = {key: value for key, value in message.items() if key != "reasoning_content"}
    elif reasoning == "always" and calls and message.get("reasoning_content") is None:
        message = {**message, "reasoning_content": ""}
    if calls and not all(_is_object(call) for call in calls):
        message = {**message, "tool_calls": [call if _is_object(call) else _wrapped(call) for call in calls]}
    return message


def _is_object(call: dict[str, Any]) -> bool:
    try:
        return isinstance(json.loads(call["function"]["arguments"]), dict)
    except (KeyError, TypeError, ValueError, RecursionError):
        return False


def _wrapped(call: dict[str, Any]) -> dict[str, Any]:
    """Arguments that are no JSON object, in one: chat templates of servers parse them and fail for ever otherwise."""
    function = call.get("function") or {}
    arguments = json.dumps({"malformed": function.get("arguments")}, ensure_ascii=False)
    return {**call, "function": {**function, "arguments": arguments}}
