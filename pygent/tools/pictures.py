"""``read_image``: show a picture of the workspace to a model that sees."""

from __future__ import annotations

from typing import Any

from pygent.errors import ToolError
from pygent.tools.registry import Tool

NAME = "read_image"


def read_image(rt: Any, path: str) -> str:
    """Put a picture behind the results of this turn.

    Raises ``ToolError`` where the model cannot see, ``ImageError`` for a file that is no picture or too large.
    """
    from pygent.images import MAX_BYTES, read_image, too_large  # noqa: PLC0415 - rarely asked for

    scope = getattr(rt, "scope", None)
    if scope is None or not scope.sees():
        raise ToolError(
            "this model gets no images (the user can change that: vision). Find out about the picture another way, "
            "such as with a program, or ask the user what it shows"
        )
    with rt.workspace.open(path) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise too_large(path, len(data))
    image = read_image(path, data)
    scope.images.append(image)
    return f"{image.mark}: {image.media_type}, {len(data):,} bytes. It follows the results of this turn."


TOOLS = (
    Tool(
        NAME,
        "Look at a picture file.",
        {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
        read_image,
        "read",
    ),
)
