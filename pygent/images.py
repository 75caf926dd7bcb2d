"""Pictures that go to the model beside a prompt's text: what is accepted, and their shape in the protocol.

Source: the OpenAI API reference, "Chat Completions", content parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pygent.errors import PygentError

MAX_BYTES = 5 * 1024 * 1024
ACCEPTED = "PNG, JPEG, GIF or WebP of at most 5 MB"
ENDINGS = ("png", "jpg", "jpeg", "gif", "webp")

Content: TypeAlias = str | list[dict[str, Any]]
"""What a user message holds: text, or content parts in the protocol's shape."""

_SEEING = (
    r"gpt-4o|chatgpt-4o|gpt-4\.[15]|gpt-4-turbo|gpt-4-vision|gpt-[5-9](?!.*codex-spark)|\bo1(?!-mini|-preview)|\bo[34]\b|o4-mini"
    r"|claude-(3|sonnet|opus|haiku|[4-9])|claude-.*-[4-9]|gemini|gemma-?3(?!.*\b(270m|1b)\b)|gemma-?4"
    r"|pixtral|mistral-(small-3\.[1-9]|medium-3|small-2[56]|medium-2[56]|large-3)|(mistral|ministral).*-3\b|magistral-.*-2509"
    r"|qwen-?[0-9.]*-?vl|qvq|qwen.*omni|llava|bakllava|moondream|minicpm-(v|o)|internvl|cogvlm|glm-4\.[0-9]+v|glm-4v"
    r"|llama-?3\.2.*(11b|90b|vision)|llama-?4|phi-?3\.?5?-vision|phi-?4-multimodal|smolvlm|granite.*vision|molmo"
    r"|grok-(2-vision|4|[5-9])|nova-(lite|pro|premier)|step-1[ov]|kimi-(vl|k2\.5)|deepseek-vl|[-_.:](vl|vision|multimodal)\b"
)
"""Names of models that are known to see. Others may see all the same: the setting ``vision`` says so."""


class ImageError(PygentError):
    """A file cannot be sent as an image; the text names it and what is accepted."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture. ``path`` is what a tool could read it by, as the person gave it."""

    name: str
    path: str
    media_type: str
    data: bytes = field(repr=False)

    @property
    def mark(self) -> str:
        """What stands in the text where the picture belongs."""
        return f"[Image {self.name}]"


def read_image(path: str, data: bytes) -> Image:
    """``data``, found at ``path``, as an image. Raises ``ImageError``."""
    media_type = _media_type(data)
    if media_type is None:
        raise ImageError(f"{path!r} is no image that can be sent; accepted: {ACCEPTED}.")
    if len(data) > MAX_BYTES:
        raise too_large(path, len(data))
    return Image(_name(path), path, media_type, data)


def too_large(path: str, size: int) -> ImageError:
    """The refusal of a file of ``size`` bytes."""
    return ImageError(f"{path!r} has {size / 1024 / 1024:.1f} MB; accepted: {ACCEPTED}.")


def can_see(model: str | None) -> bool:
    """Whether a model of this name is known to take images."""
    return bool(model and re.search(_SEEING, model, re.IGNORECASE))


def content(text: str, images: Sequence[Image]) -> Content:
    """A user message's content: the text, in it a mark for each image, and the images as parts behind it."""
    if not images:
        return text
    import base64  # noqa: PLC0415 - only where there is an image

    missing = [image.mark for image in images if image.mark not in text]
    text = " ".join([text, *missing]).strip()
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for image in images:
        url = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode('ascii')}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return parts


def without_images(text: str, images: Sequence[Image]) -> str:
    """The text for a model that cannot see: each mark with the path of its image."""
    for image in images:
        told = f"[Image {image.name}: {image.path}]"
        text = text.replace(image.mark, told) if image.mark in text else f"{text} {told}".strip()
    return text


def as_text(content: Content) -> str:
    """A content for a model that turned out not to see."""
    return f"{text_of(content)}\n\n(This model cannot see; the images were left out.)"


def joined(first: Content, second: Content) -> Content:
    """Two contents as one message's."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def with_text(content: Content, text: str) -> Content:
    """A content with the same images and another text."""
    if isinstance(content, str):
        return text
    return [*_parts(text), *(part for part in content if part.get("type") == "image_url")]


def text_of(value: object) -> str:
    """The text of a content, ``[Image]`` for each image that its text does not name."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    parts = [part for part in value if isinstance(part, dict)]
    text = "".join(str(part.get("text", "")) for part in parts)
    unnamed = sum(part.get("type") == "image_url" for part in parts) - text.count("[Image ")
    return " ".join([*([text] if text else []), *["[Image]"] * unnamed])


def _parts(value: Content) -> list[dict[str, Any]]:
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


def _media_type(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:6] in {b"GIF87a", b"GIF89a"}:
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def _name(path: str) -> str:
    name = re.sub(r"[\[\]\x00-\x1f\x7f]", "_", path.rstrip("/").rpartition("/")[2])
    return name if len(name) <= 60 else f"{name[:40]}…{name[-16:]}"
