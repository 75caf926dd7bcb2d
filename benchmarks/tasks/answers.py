"""What a model's server answered, read from the bytes of it: text, tool calls, usage."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """One answer, as far as it came."""

    text: str = ""
    reasoning: str = ""
    tool_calls: list[dict[str, str]] = field(default_factory=list)
    finish_reason: str | None = None
    usage: tuple[int, int] | None = None
    """Tokens of the prompt and of the completion, as the server counts them."""
    error: Any = None
    cut: str | None = None
    """How the connection broke, where it did."""

    @property
    def length(self) -> int:
        """Characters of all that the model wrote."""
        calls = sum(len(call["name"]) + len(call["arguments"]) for call in self.tool_calls)
        return len(self.text) + len(self.reasoning) + calls

    def take(self, message: dict[str, Any]) -> None:
        """Add a message, or the next piece of it."""
        self.text += message.get("content") or ""
        self.reasoning += message.get("reasoning_content") or message.get("reasoning") or ""
        for position, call in enumerate(message.get("tool_calls") or []):
            index = call.get("index", position)
            while len(self.tool_calls) <= index:
                self.tool_calls.append({"name": "", "arguments": ""})
            function = call.get("function") or {}
            self.tool_calls[index]["name"] += function.get("name") or ""
            arguments = function.get("arguments") or ""
            self.tool_calls[index]["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments)

    def take_event(self, event: dict[str, Any]) -> None:
        """Add a whole answer, or a chunk of a streamed one."""
        if (usage := _usage(event)) is not None:
            self.usage = usage
        if event.get("error"):
            self.error = event["error"]
        for choice in (event.get("choices") or [])[:1]:
            self.take(choice.get("delta") or choice.get("message") or {"content": choice.get("text")})
            self.finish_reason = choice.get("finish_reason") or self.finish_reason


def read_whole(answer: Answer, data: bytes) -> None:
    """Read an answer that was not streamed."""
    try:
        event = json.loads(data)
    except ValueError:
        answer.error = data.decode("utf-8", "replace")[:2000]
        return
    if isinstance(event, dict):
        answer.take_event(event)


class StreamReader:
    """Reads a stream of events as it passes."""

    def __init__(self, answer: Answer, *, hide_usage: bool) -> None:
        self._answer = answer
        self._hide_usage = hide_usage
        self._pending = b""

    def feed(self, data: bytes) -> bytes:
        """What of the stream can be passed on, with these bytes of it; whole lines at a time."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        return b"".join(line + b"\n" for line in lines if self._read(line))

    def rest(self) -> bytes:
        """What is left when the stream has ended."""
        line, self._pending = self._pending, b""
        return line if self._read(line) else b""

    def _read(self, line: bytes) -> bool:
        """Read a line; False where it only tells usage that the agent did not ask for."""
        if not line.startswith(b"data:"):
            return True
        try:
            event = json.loads(line[5:])
        except ValueError:
            return True
        if not isinstance(event, dict):
            return True
        self._answer.take_event(event)
        return not (self._hide_usage and event.get("usage") and event.get("choices") == [])


def _usage(event: dict[str, Any]) -> tuple[int, int] | None:
    usage = event.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    completion = usage.get("completion_tokens", usage.get("output_tokens"))
    return (prompt, completion) if isinstance(prompt, int) and isinstance(completion, int) else None
