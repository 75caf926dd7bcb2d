"""From the pieces of a streamed answer to the items a reader sees and the whole ``Message``.

Servers disagree about nearly everything here: see ``CallCollector`` for tool calls and ``ThinkTags`` for reasoning.
A whole answer, not streamed, is read by the same code as a stream of one piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pygent.models.base import ReasoningDelta, StreamItem, TextDelta, ToolSchemas
from pygent.models.call_deltas import CallCollector, with_unique_ids
from pygent.models.text_calls import HoldBack, extract_tool_calls, parameters_by_name
from pygent.models.think_tags import ThinkTags
from pygent.openai_compat import Message, ToolCall, Usage, parse_usage

_REASONING = ("reasoning_content", "reasoning", "reasoning_text")


class ReadCalls(Protocol):
    """Finds the calls in a text, given whether that was cut off; answers them and the text without them."""

    def __call__(self, text: str, *, cut: bool) -> tuple[list[ToolCall], str]: ...


class ErrorInStream(Exception):
    """The server put an error where a piece of the answer should be; ``error`` is what it sent."""

    def __init__(self, error: object) -> None:
        super().__init__(str(error))
        self.error = error


class Accumulator:
    """Takes the pieces of one answer. ``read`` finds the calls in its text in place of the usual forms."""

    def __init__(
        self, tools: ToolSchemas | None = None, *, text_tool_calls: bool = True, read: ReadCalls | None = None
    ) -> None:
        self.finish_reason: str | None = None
        self.usage: Usage | None = None
        self.reasoning_field = ""
        """Where reasoning stood, "" for none, or where it stood in the text."""
        self.pieces = 0
        """How many pieces of text, reasoning or calls have come."""
        self._tools = tools or []
        self._text: list[str] = []
        self._reasoning: list[str] | None = None
        self._new_text: list[str] = []
        self._new_reasoning: list[str] = []
        self._calls = CallCollector()
        self._think = ThinkTags()
        self._read = read
        self._hold = HoldBack(self._tools) if tools and text_tool_calls and read is None else None

    @property
    def empty(self) -> bool:
        """True while nothing of an answer has come."""
        return not (self._text or self._reasoning or self._calls.calls)

    def feed(self, piece: object) -> None:
        """Take one decoded piece. Raises ``ErrorInStream`` where the server reports an error in it."""
        if not isinstance(piece, Mapping):
            return
        if piece.get("error"):
            raise ErrorInStream(piece["error"])
        if piece.get("usage"):
            self.usage = parse_usage(piece["usage"])
        choices = piece.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            return
        choice = choices[0]
        reason = choice.get("finish_reason")
        self.finish_reason = (str(reason) if reason else "") or self.finish_reason
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, Mapping):
            self._feed_delta(delta)

    def take(self) -> list[StreamItem]:
        """What can be shown since the last time, at most one item of each kind."""
        items: list[StreamItem] = []
        if self._new_reasoning:
            items.append(ReasoningDelta("".join(self._new_reasoning)))
            self._new_reasoning.clear()
        if self._new_text:
            items.append(TextDelta("".join(self._new_text)))
            self._new_text.clear()
        return items

    def finish(self) -> Message:
        """The whole answer; ``take`` once more afterwards for what was held back."""
        text, reasoning = self._think.finish()
        self._add(text, reasoning)
        calls = self._calls.finish(parameters_by_name(self._tools))
        content = "".join(self._text)
        if self._read is not None and not calls:
            calls, content = self._read(content, cut=self.finish_reason == "length")
        if self._hold is not None:
            rest = self._hold.finish(keep=bool(calls))
            if rest:
                self._new_text.append(rest)
            if not calls:
                calls, content = extract_tool_calls(content, self._tools)
        return Message(
            role="assistant",
            content=content or None,
            tool_calls=with_unique_ids(calls),
            reasoning_content=None if self._reasoning is None else "".join(self._reasoning),
            usage=self.usage,
            finish_reason=self.finish_reason,
        )

    def _feed_delta(self, delta: Mapping[str, Any]) -> None:
        for name in _REASONING:
            reasoning = delta.get(name)
            if isinstance(reasoning, str):
                self.reasoning_field = self.reasoning_field or (name if reasoning else "")
                self._add("", reasoning)
                if self._reasoning is None:
                    self._reasoning = []  # an empty one is kept too: some servers want it back
                break
        content = delta.get("content")
        if isinstance(content, list):
            for part in content:
                self._feed_part(part)
        elif isinstance(content, str) and content:
            self.pieces += 1
            self._add(*self._think.feed(content))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else [calls] if calls else []:
            if isinstance(call, Mapping):
                self.pieces += 1
                self._calls.feed(call)

    def _feed_part(self, part: object) -> None:
        if not isinstance(part, Mapping):
            return
        if isinstance(part.get("text"), str):
            self._add(*self._think.feed(part["text"]))
        elif isinstance(part.get("thinking"), str):
            self._add("", part["thinking"])
        elif isinstance(part.get("thinking"), list):
            for inner in part["thinking"]:
                if isinstance(inner, Mapping):
                    self._add("", str(inner.get("text") or ""))

    def _add(self, text: str, reasoning: str) -> None:
        if reasoning:
            self.pieces += 1
            if self._reasoning is None:
                self._reasoning = []
            self._reasoning.append(reasoning)
            self._new_reasoning.append(reasoning)
        if text:
            self._text.append(text)
            shown = self._hold.feed(text) if self._hold is not None else text
            if shown:
                self._new_text.append(shown)
