"""One call of a model, and the request that it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pygent.compat import Compat
from pygent.models.base import Messages, ToolSchemas
from pygent.models.blocks import as_blocks
from pygent.models.encoder import BodyEncoder
from pygent.models.plain_tools import as_text
from pygent.models.shape import shaped


@dataclass(frozen=True, slots=True)
class Request:
    """What one call of the model asks for."""

    messages: Messages
    model: str
    tools: ToolSchemas | None
    streaming: bool
    temperature: float | None = None
    text_tool_calls: bool = True
    max_tokens: int | None = None

    def body(self, encoder: BodyEncoder, compat: Compat) -> bytes:
        """The request's body as the model needs it."""
        extra = b""
        if self.streaming and compat.stream:
            extra = b',"stream":true'
            if compat.stream_options:
                extra += b',"stream_options":{"include_usage":true}'
        if self.temperature is not None and compat.temperature:
            extra += b',"temperature":%s' % repr(self.temperature).encode()
        if self.max_tokens is not None and compat.max_tokens != "none":
            extra += b',"%s":%d' % (compat.max_tokens.encode(), self.max_tokens)
        if self.tools and compat.tools == "native" and compat.parallel_tool_calls is not None:
            extra += b',"parallel_tool_calls":%s' % (b"true" if compat.parallel_tool_calls else b"false")
        if compat.tools != "native":
            written = as_text if compat.tools == "text" else as_blocks
            messages = shaped(written(shaped(self.messages, Compat()), self.tools), compat)
            return encoder.body(messages, self.model, None, extra=extra, images=compat.images)
        rules: dict[str, Any] = {"reasoning": compat.reasoning, "images": compat.images}
        messages = shaped(self.messages, compat, encoder.known(self.messages))
        return encoder.body(messages, self.model, self.tools, extra=extra, **rules)

    @property
    def has_images(self) -> bool:
        """Whether there may be an image in it."""
        return any(isinstance(message.get("content"), list) for message in self.messages)

    @property
    def has_calls_alone(self) -> bool:
        """Whether there is a reply in it with calls and no text."""
        return any(message.get("tool_calls") and not message.get("content") for message in self.messages)
