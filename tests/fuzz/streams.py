"""Whatever bytes a server sends, cut wherever: an answer, or an error of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pygent.models.base import Completed, TextDelta
from pygent.models.endpoint import Endpoint, Failed
from pygent.models.reading import Reading
from pygent.models.request import Request
from tests.fuzz.arguments import TOOLS
from tests.fuzz.source import Source

VALUES = (
    *(
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "NaN",
        '""',
        '"x"',
        "[]",
        "{}",
        "[null]",
        "[1]",
        '["x"]',
        '{"a": 1}',
        '"stop"',
        '"length"',
    ),
    *('"<think>"', '"</think>"', '"<tool_call>"', '"\\ud83d"', '"é"', "9" * 4400, "[" * 1200, '{"a":' * 1200),
    *('{"content": "Hi"}', '{"function": {"name": "frobnicate", "arguments": "{}"}}', '[{"index": 0, "id": "a"}]'),
)
KEYS = (
    *(
        "choices",
        "delta",
        "message",
        "content",
        "tool_calls",
        "index",
        "id",
        "function",
        "name",
        "arguments",
        "usage",
    ),
    *(
        "finish_reason",
        "error",
        "code",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
    ),
    *("cached_tokens", "reasoning_content", "reasoning", "thinking", "text", "type", "role"),
)
FRAMES = (
    b"data: ",
    b"data:",
    b"error: ",
    b": x",
    b"\n\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"[DONE]",
    b"\xef\xbb\xbf",
    b"event: x",
)
PIECES = (
    b'{"choices": [{"delta": {"content": "Hi"}}]}',
    b'{"choices": [{"delta": {}, "finish_reason": "stop"}]}',
    b'{"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "frobnicate"}}]}}]}',
    b'{"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}}]}',
    b"<html>",
    b"{",
    b"}",
)


class _Response:
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def iter_bytes(self) -> Iterator[bytes]:
        yield from self._chunks


class _NoWatch:
    """In the place of the watch, which would be a thread each time."""

    expired = ""

    def wait(self, seconds: float, why: str = "") -> None:
        """Nothing here takes time."""


def _json(source: Source, depth: int) -> str:
    """A value that looks like a piece of an answer, with anything anywhere in it."""
    kind = source.byte()
    if depth > 5 or kind < 90:
        return source.pick(VALUES)
    if kind < 150:
        return "[" + ", ".join(_json(source, depth + 1) for _ in range(source.number(3))) + "]"
    pairs = (f"{json.dumps(source.pick(KEYS))}: {_json(source, depth + 1)}" for _ in range(source.number(4)))
    return "{" + ", ".join(pairs) + "}"


def _piece(source: Source) -> bytes:
    kind = source.byte()
    if kind < 60:
        return source.pick(FRAMES)
    if kind < 110:
        return source.pick(PIECES)
    if kind < 200:
        around = source.pick(
            (
                "%s",
                '{"choices": [%s]}',
                '{"choices": [{"delta": %s}]}',
                '{"choices": [{"delta": {"tool_calls": [%s]}}]}',
            )
        )
        return b"data: " + (around % _json(source, 0)).encode("utf-8", "replace") + b"\n\n"
    return source.bytes(source.number(12))


def streams(data: bytes) -> None:
    """The target."""
    source = Source(data)
    body = b"" if source.byte() < 40 else b"data: "
    while source.left and len(body) < 2_000:
        body += _piece(source)
    size = 1 + source.number(200)
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    tools = source.pick((None, TOOLS))
    whole = _answer([body], tools, blocks=len(body) % 2 == 0)
    assert _answer(chunks, tools, blocks=len(body) % 2 == 0) == whole, "where the bytes are cut makes a difference"


def _answer(chunks: list[bytes], tools: object, *, blocks: bool) -> object:
    request = Request([{"role": "user", "content": "go"}], "m", tools, streaming=True)  # type: ignore[arg-type]
    watch: Any = _NoWatch()
    reading = Reading(Endpoint("http://127.0.0.1:1/v1"), request, watch, None, blocks=blocks)
    try:
        items = list(reading.items(_Response(chunks)))
    except Failed as failed:
        return str(failed)
    assert isinstance(items[-1], Completed)
    message = items[-1].message
    assert all(call.function.name.strip() or call.function.arguments for call in message.tool_calls)
    json.dumps(message.to_dict())
    text = "".join(item.text for item in items if isinstance(item, TextDelta))
    return text, message.content, [(call.function.name, call.function.arguments) for call in message.tool_calls]
