"""What an answer shows of its server's quirks, by the numbers of docs/providers.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pygent.models.base import ToolSchemas
from pygent.models.sse import SSEReader
from pygent.models.stream import Accumulator, ErrorInStream
from pygent.openai_compat import Message

NOT_SEEN = {
    14: "where images stand is up to Pygent, and six calls send none",
    17: "that each call has one answer is up to Pygent, which never sends another history",
}
"""What no server can show in six calls, and why."""


class Finding(NamedTuple):
    """A quirk that showed; ``number`` is that of the list, 0 for what does not stand there."""

    number: int
    text: str


@dataclass(slots=True)
class Reading:
    """An answer, read as the model client reads it; ``error`` is what the server put in its place."""

    message: Message | None = None
    pieces: list[Mapping[str, Any]] = field(default_factory=list)
    done: bool = False
    finished: bool = False
    streamed: bool = False
    error: str = ""


def read(body: bytes, tools: ToolSchemas | None) -> Reading:
    """Read the body of a good answer, streamed or in one piece."""
    out = Reading(streamed=body.lstrip()[:1] not in {b"{", b"["})
    answer = Accumulator(tools, text_tool_calls=True)
    payloads = [body.decode("utf-8", "replace")]
    if out.streamed:
        reader = SSEReader()
        payloads = [*reader.feed(body), *reader.finish()]
    for payload in payloads:
        if payload.startswith("[DONE]"):
            out.done = True
            break
        try:
            piece = json.loads(payload)
            answer.feed(piece)
        except ErrorInStream as found:
            out.error = str(found.error)
            return out
        except ValueError:
            out.error = "a piece of the answer is not JSON"
            return out
        if isinstance(piece, Mapping):
            out.pieces.append(piece)
    out.finished = out.done or bool(answer.finish_reason) or not out.streamed
    out.message = answer.finish()
    return out


def findings(body: bytes, reading: Reading, tools: ToolSchemas | None) -> list[Finding]:
    """All that an answer shows."""
    out = [*_of_lines(body, reading)] if reading.streamed else []
    if reading.message is not None:
        calls = [*_raw_calls(reading.pieces)]
        out += [*_of_calls(calls, reading, tools), *_of_message(reading, calls), *_of_usage(reading)]
    return out


def _of_lines(body: bytes, reading: Reading) -> Iterator[Finding]:
    lines = body.splitlines()
    if any(line.startswith(b":") for line in lines):
        yield Finding(12, "comments stand in the stream")
    if any(line.startswith(b"data:") and not line.startswith(b"data: ") for line in lines):
        yield Finding(12, "no space after data:")
    if not reading.done and not reading.error:
        yield Finding(12, "the stream has no [DONE] at its end")


def _deltas(pieces: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for piece in pieces:
        for choice in piece.get("choices") or ():
            delta = (choice.get("delta") or choice.get("message")) if isinstance(choice, Mapping) else None
            if isinstance(delta, Mapping):
                yield delta


def _raw_calls(pieces: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for delta in _deltas(pieces):
        calls = delta.get("tool_calls")
        yield from (call for call in (calls if isinstance(calls, list) else ()) if isinstance(call, Mapping))


def _of_calls(calls: list[Mapping[str, Any]], reading: Reading, tools: ToolSchemas | None) -> Iterator[Finding]:
    if not calls:
        return
    functions = [function for call in calls if isinstance(function := call.get("function"), Mapping)]
    heads = [call for call in calls if isinstance(call.get("function"), Mapping) and call["function"].get("name")]
    ids = [call.get("id") for call in heads]
    if any(not one for one in ids):
        yield Finding(1, "calls have no id")
    elif len(set(ids)) < len(ids) and len({call.get("index") for call in heads}) > 1:
        yield Finding(1, "calls have the same id")
    if reading.streamed and any("index" not in call for call in calls):
        yield Finding(2, "pieces of calls have no index")
    yield from _of_arguments(functions)
    known = {tool["function"]["name"] for tool in tools or ()}
    names = [call.function.name for call in reading.message.tool_calls] if reading.message else []
    if any(not name for name in names) or not heads:
        yield Finding(4, "a call has no tool's name")
    elif any(name not in known for name in names):
        yield Finding(
            4, f"a call names a tool that there is not: {next(name for name in names if name not in known)}"
        )
    reason = reading.message.finish_reason if reading.message else None
    if reason == "stop":
        yield Finding(7, "finish_reason is stop although there are calls")
    if reason == "length":
        yield Finding(3, "a call was cut off at the length limit")
    if any("content" in delta and delta["content"] is None for delta in _deltas(reading.pieces)):
        yield Finding(6, "content is null beside calls")


def _of_arguments(functions: list[Mapping[str, Any]]) -> Iterator[Finding]:
    given = [function["arguments"] for function in functions if "arguments" in function]
    if any(isinstance(one, Mapping) for one in given):
        yield Finding(3, "arguments are an object instead of a text")
        return
    if any(one is None for one in given):
        yield Finding(3, "arguments are null")
    text = "".join(one for one in given if isinstance(one, str))
    if not text.strip():
        yield Finding(3, "arguments are empty")
        return
    try:
        values = [*_values(text)]
    except ValueError:
        yield Finding(3, "arguments are not quite JSON")
        return
    if any(isinstance(value, str) for value in values):
        yield Finding(3, "arguments are JSON that is encoded twice")
    elif any(isinstance(value, Mapping) and isinstance(value.get("days"), str) for value in values):
        yield Finding(3, "an array is sent as a text")


def _values(text: str) -> Iterator[Any]:
    """The JSON values of calls whose pieces were joined. Raises ``ValueError``."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value
        while at < len(text) and text[at] in " \r\n\t":
            at += 1


def _of_message(reading: Reading, calls: list[Mapping[str, Any]]) -> Iterator[Finding]:
    message = reading.message
    assert message is not None
    if message.tool_calls and not calls:
        yield Finding(5, "calls are written as text")
    if not message.content and not message.tool_calls:
        yield Finding(6, "a reply has neither text nor calls")
    for name in ("reasoning_content", "reasoning", "reasoning_text"):
        if any(isinstance(delta.get(name), str) for delta in _deltas(reading.pieces)):
            yield Finding(8, f"reasoning comes in {name}")
            return
    if message.reasoning_content is not None:
        yield Finding(8, "reasoning comes in <think> tags")


def _of_usage(reading: Reading) -> Iterator[Finding]:
    if reading.message is not None and reading.message.usage is None:
        yield Finding(11, "tokens are not counted")
