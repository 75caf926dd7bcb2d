"""What one model on one server turned out not to take, learnt from its refusals."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pygent.models.encoder import ReasoningRule

_REFUSALS = {400, 404, 422, 500, 501}
_NO_TOOLS = re.compile(
    r"(not|n't) support.{0,30}(tool|function)|(tool|function).{0,40}not (supported|allowed|available)"
    r"|tools? param requires|tool choice requires|unknown field.{0,10}tools",
    re.IGNORECASE,
)
_NO_IMAGES = re.compile(
    r"image_url|image input|multi-?modal|vision|(not|n't) support.{0,30}image|image.{0,40}not (supported|allowed)"
    r"|content.{0,60}(must be|should be|expected|invalid type|not).{0,20}(a )?(valid )?string|mmproj",
    re.IGNORECASE,
)
_REASONING_MISSING = re.compile(r"missing|required|must be|provide", re.IGNORECASE)


@dataclass(slots=True)
class Quirks:
    """How requests must differ; each is changed at most once, so learning comes to an end."""

    usage_in_stream: bool = True
    temperature: bool = True
    reasoning: ReasoningRule = "keep"
    tools_as_text: bool = False
    images: bool = True

    def learn(self, status: int | None, text: str, *, has_tools: bool, has_images: bool = False) -> str | None:
        """Look for the reason of a refusal. Answers what is done differently now, None where it says nothing."""
        if status not in _REFUSALS:
            return None
        if self.usage_in_stream and ("stream_options" in text or "include_usage" in text):
            self.usage_in_stream = False
            return "The server does not know stream_options; token counts may be missing."
        if self.temperature and "temperature" in text:
            self.temperature = False
            return "The server does not take a temperature for this model; its own is used."
        if self.reasoning == "keep" and "reasoning" in text:
            self.reasoning = "always" if _REASONING_MISSING.search(text) else "drop"
            return "The server wants earlier reasoning in another way; the history is sent again."
        if has_images and self.images and _NO_IMAGES.search(text):
            self.images = False
            return "The server takes no images for this model; only the text is sent."
        if has_tools and not self.tools_as_text and _NO_TOOLS.search(text):
            self.tools_as_text = True
            return "The server does not support tools for this model; they are described in the prompt instead."
        return None
