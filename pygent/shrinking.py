"""What a conversation can lose without losing its thread: old pictures, old thoughts, the middles of outputs.

Messages are replaced, never changed, and none is taken out, so every call keeps its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pygent.history import Said
from pygent.images import text_of
from pygent.tokens import BYTES, of_message

KEPT = 300
"""Characters of a shortened output that stay at its beginning, and at its end."""

IMAGE_LEFT_OUT = "(Pictures were left out here to make room; read them again where they are needed.)"

Messages = list[dict[str, Any]]


@dataclass(slots=True)
class Shrunk:
    """``messages`` as they have become, their tokens, how many outputs are shortened and pictures left out."""

    messages: Messages
    tokens: int
    outputs: int = 0
    images: int = 0

    def put(self, at: int, message: dict[str, Any]) -> None:
        """Put ``message`` in the place of another."""
        self.tokens += of_message(message) - of_message(self.messages[at])
        self.messages[at] = message


def shrink(messages: Sequence[dict[str, Any]], end: int, most: int) -> Shrunk:
    """Make room in ``messages[:end]`` until all have at most ``most`` tokens.

    First go pictures and thoughts, then the middles of outputs, old and large ones first. The system message and
    what people said keep their text.
    """
    done = Shrunk(list(messages), tokens_of(messages))
    if done.tokens <= most:
        return done
    for at in range(end):
        done.images += _without_images(done, at)
        _without_thought(done, at)
    for at in _outputs(done.messages, end):
        if done.tokens <= most:
            break
        done.outputs += _shorten(done, at, KEPT)
    return done


def shrink_last(done: Shrunk, begin: int, most: int) -> None:
    """Shorten outputs from ``begin`` on too, the longest first and no more than it must be."""
    outputs = [at for at in range(begin, len(done.messages)) if _is_output(done.messages[at])]
    for at in sorted(outputs, key=lambda at: -len(done.messages[at]["content"])):
        if done.tokens <= most:
            return
        keep = len(done.messages[at]["content"]) - (done.tokens - most + 40) * BYTES
        done.outputs += _shorten(done, at, max(KEPT, keep // 2))


def tokens_of(messages: Sequence[dict[str, Any]]) -> int:
    """Tokens of them all, by the rule."""
    return sum(map(of_message, messages))


def _without_images(done: Shrunk, at: int) -> int:
    message = done.messages[at]
    content = message.get("content")
    if message.get("role") != "user" or not isinstance(content, list):
        return 0
    text = f"{text_of(content)}\n\n{IMAGE_LEFT_OUT}"
    done.put(at, Said(text, getattr(message, "origin", "user"), getattr(message, "words", "")))
    return sum(isinstance(part, dict) and part.get("type") == "image_url" for part in content)


def _without_thought(done: Shrunk, at: int) -> None:
    message = done.messages[at]
    if message.get("reasoning_content"):
        done.put(at, {key: value for key, value in message.items() if key != "reasoning_content"})


def _is_output(message: dict[str, Any]) -> bool:
    return message.get("role") == "tool" and isinstance(message.get("content"), str)


def _outputs(messages: Messages, end: int) -> Iterator[int]:
    found = [at for at in range(end) if _is_output(messages[at])]
    count = len(messages)
    yield from sorted(found, key=lambda at: len(messages[at]["content"]) * (count - at), reverse=True)


def _shorten(done: Shrunk, at: int, keep: int) -> bool:
    text = str(done.messages[at]["content"])
    left_out = len(text) - 2 * keep
    if left_out <= KEPT:
        return False
    mark = f"\n[… {left_out} characters left out to make room; call the tool again to see them …]\n"
    done.put(at, {**done.messages[at], "content": text[:keep] + mark + text[-keep:]})
    return True
