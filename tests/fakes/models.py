"""Models that answer from a script, for tests of what stands above a model."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from pygent.openai_compat import Message, ToolCall, ToolCallFunction, Usage

Line = Message | dict[str, Any] | BaseException | Callable[[list[dict[str, Any]]], Any]


def say(text: str) -> Message:
    """A reply without a tool call."""
    return Message("assistant", text, usage=Usage(10, 2, 12))


def call(*calls: tuple[str, dict[str, Any]], text: str = "") -> Message:
    """A reply that calls tools."""
    return Message(
        "assistant",
        text,
        [ToolCall(f"c{id(arguments)}", ToolCallFunction(name, json.dumps(arguments))) for name, arguments in calls],
        usage=Usage(10, 5, 15),
    )


class ScriptedModel:
    """Gives one line of the script for each request; the requests are kept."""

    def __init__(self, script: Iterable[Line]) -> None:
        self.script = list(script)
        self.requests: list[list[dict[str, Any]]] = []
        self.tools: list[Any] = []
        self._lock = threading.Lock()

    def chat(self, messages: list[dict[str, Any]], model: str | None, tools: Any) -> Any:
        with self._lock:
            self.requests.append(list(messages))
            self.tools.append(tools)
            line = self.script.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line(messages) if callable(line) else line
