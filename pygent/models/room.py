"""A conversation that is longer than a model can see: shortened where the server says so, told where it does not."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

from pygent.errors import APIError
from pygent.models.base import Messages
from pygent.models.request import Request
from pygent.openai_compat import Usage

KEPT = 300
"""Characters of a shortened output that stay at its beginning, and at its end."""

_LIMIT = re.compile(r"(?:context (?:length|size|window)|limit|n_ctx)\D{0,30}?(\d[\d,]*)", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d,]*")
_SPARE = 0.85  # of the room, since characters are not tokens
_UNKNOWN = 0.5

_SMALL = 8_000  # bytes of a request; a smaller one fits everywhere, and says little
_FEWEST = 1 / 12  # tokens for each byte: no text has so few
_FEWER = 0.5  # of the tokens for each byte that the same server counted before
_NEW_ONLY = 1.5


class Room:
    """What is sent shortened, for all conversations of one model object; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._short: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._densest: dict[str, float] = {}
        self._sizes: dict[str, int] = {}
        self._told: set[str] = set()

    def fitting(self, messages: Messages) -> Messages:
        """``messages`` with those in their place that were shortened; the same list where there are none."""
        if not self._short:
            return messages
        with self._lock:
            # Both are held, so an id stands for one message for ever.
            return [self._short[id(one)][1] if id(one) in self._short else one for one in messages]

    def shorten(self, messages: Messages, said: str) -> str | None:
        """Shorten outputs of tools after a refusal in which the server ``said`` why.

        Answers what people are told, None where there is nothing to shorten.
        """
        sizes = [_size(message) for message in self.fitting(messages)]
        missing = sum(sizes) * (1 - _share(said))
        done, saved = 0, 0
        with self._lock:
            for position, most in _candidates(messages, sizes):
                if saved >= missing:
                    break
                message = self._short.get(id(messages[position]), (None, messages[position]))[1]
                # What was just asked for is cut no more than it must be.
                keep = KEPT if most else max(KEPT, int(sizes[position] - (missing - saved)) // 2)
                text = str(message["content"])
                left_out = len(text) - 2 * keep
                if left_out <= KEPT:
                    continue
                mark = f"\n[… {left_out} characters left out, as the conversation is too long for the model …]\n"
                short = {**message, "content": text[:keep] + mark + text[-keep:]}
                self._short[id(messages[position])] = (messages[position], short)
                done += 1
                saved += left_out
        if not done:
            return None
        outputs = "one output of a tool is" if done == 1 else f"{done} outputs of tools are"
        return f"The conversation is too long for the model; {outputs} sent shortened from now on."

    def cut(self, request: Request, size: int, usage: Usage | None) -> str | None:
        """What people are told, once for a model, where the server counted far less than the ``size`` bytes sent."""
        if usage is None or not usage.prompt_tokens:
            return None
        model, tokens = request.model, usage.prompt_tokens
        density = tokens / size
        with self._lock:
            before, densest = self._sizes.get(model), self._densest.get(model, 0.0)
            self._sizes[model] = size
            self._densest[model] = max(densest, density)
            if size < _SMALL or density >= max(_FEWEST, densest * _FEWER) or model in self._told:
                return None
            usual = densest or 0.25
            if before is not None and tokens <= (size - before) * usual * _NEW_ONLY:
                return None  # it counts only what it has not seen before
            if request.has_images:
                return None  # whose bytes are no text
            self._told.add(model)
        return (
            f"The server counted {tokens} tokens where about {int(size * usual)} were sent. It seems to cut what is "
            "too long for it without saying so: let it have more context (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx)."
        )


def too_long(error: APIError, model: str) -> APIError:
    """The refusal of a conversation that could not be shortened enough, in words that help."""
    text = (
        f"The conversation is longer than {model} can see, also with outputs of tools shortened. Begin anew (/new), "
        f"or let the server have more context. {error}"
    )
    return APIError(text, url=error.url, status=error.status)


def _share(said: str) -> float:
    """How much of a conversation is to stay."""
    said = said.rpartition("The server said:")[2]  # not the numbers of its address
    numbers = [int(number.replace(",", "")) for number in _NUMBER.findall(said)]
    found = _LIMIT.search(said)
    limit = int(found.group(1).replace(",", "")) if found else 0
    asked = max(numbers, default=0)
    return _SPARE * max(0.1, limit / asked) if limit and asked > limit else _UNKNOWN


def _candidates(messages: Messages, sizes: list[int]) -> Iterator[tuple[int, bool]]:
    """Positions of outputs, the oldest and largest first, those that the model has not read yet last.

    The second value says whether as much as possible may be left out.
    """
    replies = [position for position, message in enumerate(messages) if message.get("role") == "assistant"]
    last = replies[-1] if replies else -1
    outputs = [
        position
        for position, message in enumerate(messages)
        if message.get("role") == "tool" and isinstance(message.get("content"), str)
    ]
    count = len(messages)
    outputs.sort(key=lambda position: sizes[position] * (count - position), reverse=True)
    yield from ((position, True) for position in outputs if position < last)
    yield from ((position, False) for position in outputs if position > last)


def _size(message: dict[str, Any]) -> int:
    content, calls = message.get("content"), message.get("tool_calls")
    size = len(content) if isinstance(content, str) else len(json.dumps(content)) if content else 0
    return size + (len(json.dumps(calls)) if calls else 0)
