"""What a model on a server needs of requests, where servers that call themselves OpenAI-compatible differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Literal

from pygent.records import record

ToolForm = Literal["native", "text", "blocks"]
ReasoningRule = Literal["keep", "always", "drop"]
LengthField = Literal["max_tokens", "max_completion_tokens", "none"]
SystemRole = Literal["system", "developer", "user"]
CallIds = Literal["any", "short"]
ReasoningField = Literal["reasoning_content", "reasoning"]


@record
class Compat:
    """How requests to one model are made; ``Compat()`` is what most servers take.

    ``tools``: sent as the protocol has them, or described in the prompt, called as ``text`` or in fenced ``blocks``.
    ``stream``: the answer comes piece by piece; ``stream_options``: token counts are asked for in a stream.
    ``temperature``: one may be sent. ``reasoning``: earlier reasoning is sent back (``keep``), in each reply with
    calls if only empty (``always``), or left out (``drop``), in the ``reasoning_field``. ``images``: user messages
    may have some. ``parallel_tool_calls``: what is sent in the field of that name, None for nothing. ``max_tokens``:
    the field for the longest answer. ``system``: the role of the system message; as ``user`` its text leads the first
    prompt. ``call_ids``: ``short`` ones have nine letters and digits. ``null_content``: a reply may have calls and no
    text. ``user_after_tool``: a user may speak after a tool; otherwise an assistant's word is put between.
    """

    tools: ToolForm = "native"
    stream: bool = True
    stream_options: bool = True
    temperature: bool = True
    reasoning: ReasoningRule = "keep"
    reasoning_field: ReasoningField = "reasoning_content"
    images: bool = True
    parallel_tool_calls: bool | None = None
    max_tokens: LengthField = "max_tokens"
    system: SystemRole = "system"
    call_ids: CallIds = "any"
    null_content: bool = True
    user_after_tool: bool = True

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Compat:
        """Read a mapping such as a settings file has; what it does not name has its default.

        Raises ``ValueError`` that names the key and what is accepted.
        """
        return cls(**{name: _checked(name, value) for name, value in given.items()})

    def to_mapping(self) -> dict[str, Any]:
        """What differs from the default, as ``from_mapping`` reads it."""
        return {name: _written(value) for name, value in self if value != getattr(_DEFAULT, name)}

    def differing(self, other: Compat) -> dict[str, Any]:
        """What this says otherwise than ``other``, as ``merged`` reads it."""
        return {name: _written(value) for name, value in self if value != getattr(other, name)}

    def merged(self, other: Compat | Mapping[str, Any]) -> Compat:
        """This with what ``other`` says: all keys of a mapping, of a ``Compat`` what differs from the default.

        Raises ``ValueError`` as ``from_mapping`` does.
        """
        given = other.to_mapping() if isinstance(other, Compat) else other
        return Compat(**dict(self) | {name: _checked(name, value) for name, value in given.items()})

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in KEYS)


KEYS = tuple(field.name for field in fields(Compat))
"""The names of all parts."""

_DEFAULT = Compat()

_WORDS: dict[str, tuple[str, ...]] = {
    "tools": ("native", "text", "blocks"),
    "reasoning": ("keep", "always", "drop"),
    "reasoning_field": ("reasoning_content", "reasoning"),
    "parallel_tool_calls": ("auto",),
    "max_tokens": ("max_tokens", "max_completion_tokens", "none"),
    "system": ("system", "developer", "user"),
    "call_ids": ("any", "short"),
}
"""The words that a part takes."""


def accepted(key: str) -> tuple[str | bool, ...]:
    """The values that the part ``key`` takes in a mapping."""
    flag = isinstance(getattr(_DEFAULT, key), bool | None)
    return (True, False, *_WORDS.get(key, ())) if flag else _WORDS[key]


def in_words(key: str) -> str:
    """The same for people."""
    return ", ".join(str(value).lower() for value in accepted(key))


def matching(patterns: Mapping[str, Mapping[str, Any]], model: str) -> dict[str, Any]:
    """What ``patterns`` say of ``model``: mappings by pattern of a name (``*``, ``?``, ``[ab]``), later ones win."""
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only where there are patterns

    found: dict[str, Any] = {}
    for pattern, given in patterns.items():
        if pattern == model or fnmatchcase(model, pattern):
            found.update(given)
    return found


def _written(value: Any) -> Any:
    return "auto" if value is None else value


def _checked(key: str, value: Any) -> Any:
    if key not in KEYS:
        raise ValueError(f"there is no {key!r}; accepted: {', '.join(KEYS)}")
    if not any(value is word or (isinstance(word, str) and value == word) for word in accepted(key)):
        if value is None and getattr(_DEFAULT, key) is None:
            return None
        raise ValueError(f"{key}: {value!r} cannot be used; accepted: {in_words(key)}")
    return None if value == "auto" else value
