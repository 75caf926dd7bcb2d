"""How many tokens a conversation has: as the server counts them, else by a stated rule.

The rule: three bytes of UTF-8 are a token, a message has four more, a picture 1,600. Every tokenizer in use makes
fewer of English, of other languages and of code, so the rule errs towards more. A library that counts exactly would
have to know each model's own vocabulary, which it fetches from the network, for the sake of a few messages: those
that came since the server counted last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pygent.openai_compat import Usage

BYTES = 3
"""Bytes of UTF-8 that are one token."""
MESSAGE = 4
"""Tokens of a message besides its text."""
IMAGE = 1_600
"""Tokens of a picture."""

_FEWEST = 1 / 8  # of the estimate; a server that counts fewer counts only what it has not seen before, or cuts
_SCALES = (0.25, 2.0)

Tools = Sequence[Mapping[str, Any]]


def of_text(text: str) -> int:
    """Tokens of ``text``, by the rule."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return -(-size // BYTES)


def of_content(content: object) -> int:
    """Tokens of what a message holds: text, or parts of which some may be pictures."""
    if isinstance(content, str):
        return of_text(content)
    if not isinstance(content, list):
        return 0
    return sum(
        IMAGE if part.get("type") == "image_url" else of_text(str(part.get("text") or ""))
        for part in content
        if isinstance(part, dict)
    )


def of_calls(message: Mapping[str, Any]) -> int:
    """Tokens of the calls of a reply."""
    return sum(
        of_text(str(call["function"]["name"])) + of_text(str(call["function"]["arguments"])) + 2 * MESSAGE
        for call in message.get("tool_calls") or ()
    )


def of_message(message: Mapping[str, Any]) -> int:
    """Tokens of a message in the protocol's shape."""
    thought = of_text(str(message.get("reasoning_content") or ""))
    return MESSAGE + of_content(message.get("content")) + thought + of_calls(message)


def of_tools(tools: Tools | None) -> int:
    """Tokens of the definitions of tools."""
    return of_text("".join(map(str, tools))) if tools else 0


class Meter:
    """Counts one conversation as it grows.

    Only what is new is looked at, so that counting costs the same at the hundredth message and at the ten
    thousandth. A server's count is taken for all up to it, and the rule for what came since; where the beginning
    changed, the rule is taken for all, scaled as the server's last count was to it.
    """

    def __init__(self) -> None:
        self._seen: tuple[Any, Any, Any] = (None, None, None)
        self._count = 0
        self._estimate = 0
        self._measured: tuple[int, int] | None = None
        self._scale = 1.0

    @property
    def scale(self) -> float:
        """The server's tokens for one of the rule's."""
        return self._scale

    @property
    def counted(self) -> bool:
        """Whether a server's count is in it."""
        return self._measured is not None

    def tokens(self, messages: Sequence[Mapping[str, Any]], tools: Tools | None) -> int:
        """What a request with these ``messages`` and ``tools`` has."""
        self._follow(messages, tools)
        if self._measured is None:
            return round(self._estimate * self._scale)
        counted, estimate = self._measured
        return counted + self._estimate - estimate

    def measure(self, messages: Sequence[Mapping[str, Any]], tools: Tools | None, usage: Usage | None) -> None:
        """Take what the server counted for a request with these."""
        self.restore(messages, tools, usage.prompt_tokens if usage is not None else 0)

    def restore(
        self, messages: Sequence[Mapping[str, Any]], tools: Tools | None, counted: int, since: int = 0
    ) -> None:
        """Take what was counted for ``messages`` earlier, but for their last ``since`` tokens by the rule."""
        self._follow(messages, tools)
        before = self._estimate - since
        if counted > before * _FEWEST:
            self._measured = (counted, before)
            least, most = _SCALES
            self._scale = min(most, max(least, counted / max(1, before)))

    def forget(self) -> None:
        """Messages in the middle are others now."""
        self._count, self._measured = 0, None

    def rescale(self, scale: float) -> None:
        """Take ``scale`` for all from here on, as a refusal told it."""
        self._measured = None
        self._scale = min(_SCALES[1], max(_SCALES[0], scale))

    def _follow(self, messages: Sequence[Mapping[str, Any]], tools: Tools | None) -> None:
        first, last, known = self._seen
        count = self._count
        same = 0 < count <= len(messages) and messages[0] is first and messages[count - 1] is last and tools is known
        if not same:
            count, self._estimate, self._measured = 0, of_tools(tools), None
        self._estimate += sum(of_message(messages[at]) for at in range(count, len(messages)))
        self._count = len(messages)
        self._seen = (messages[0], messages[-1], tools) if messages else (None, None, tools)
