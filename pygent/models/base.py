"""What a model is: one method that answers a conversation, or a second one that does it piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from pygent.cancellation import CancelToken
from pygent.openai_compat import Message

Messages: TypeAlias = list[dict[str, Any]]
"""The history in the protocol's shape. A message is never changed once it stands in the list."""

ToolSchemas: TypeAlias = list[dict[str, Any]]
"""Tool definitions in the protocol's shape: ``{"type": "function", "function": {name, description, parameters}}``."""


@runtime_checkable
class Model(Protocol):
    """Anything that answers a conversation.

    ``chat`` is called with three positional arguments and returns a ``Message``, a dict, or an object of the
    ``openai`` package. ``model`` is the model's name, None for the backend's default.
    """

    def chat(self, messages: Messages, model: str | None, tools: ToolSchemas | None) -> object: ...


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """The partial answer so far is void: the stream broke and begins anew. ``why`` is for people."""

    why: str


@dataclass(frozen=True, slots=True)
class ModelNotice:
    """Something a person should know about the server, such as a retry or a quirk that was mended."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Completed:
    """The whole answer, usage and tool calls in it; always the last item of a stream."""

    message: Message


StreamItem: TypeAlias = TextDelta | ReasoningDelta | Discarded | ModelNotice | Completed


@runtime_checkable
class StreamingModel(Model, Protocol):
    """A model that also answers piece by piece."""

    def stream(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, cancel: CancelToken | None = None
    ) -> Iterator[StreamItem]:
        """Yield deltas, then one ``Completed``.

        Raises ``APIError`` where the server refuses or fails, ``Cancelled`` or ``DeadlineExceeded`` where ``cancel``
        ended it; neither waits for the server.
        """
        ...
