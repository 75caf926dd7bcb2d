"""What one model on one server turned out not to take, learnt from its refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pygent.compat import Compat, ReasoningRule, matching

__all__ = ["Compat", "Given", "Learning", "ReasoningRule", "given_for"]

Given: TypeAlias = Callable[[str], Compat] | Mapping[str, Mapping[str, Any]] | None
"""What is known of models beforehand: a function of a model's name, or mappings by the pattern of such names."""

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


def given_for(given: Given, model: str, base: Compat | None = None) -> Compat:
    """What is known of ``model`` beforehand, over ``base``. Raises ``ValueError`` for what cannot be read."""
    base = base or Compat()
    if given is None:
        return base
    return base.merged(given(model) if callable(given) else matching(given, model))


class Learning:
    """How requests to a model are made; each part is changed at most once, so that learning comes to an end."""

    def __init__(self, given: Compat | None = None) -> None:
        self.given = given or Compat()
        self.now = self.given
        self._changed: set[str] = set()

    def learn(self, status: int | None, text: str, *, has_tools: bool, has_images: bool = False) -> str | None:
        """Look for the reason of a refusal. Answers what is done differently now, None where it says nothing."""
        if status not in _REFUSALS:
            return None
        if ("stream_options" in text or "include_usage" in text) and self._change("stream_options", False):
            return "The server does not know stream_options; token counts may be missing."
        if "temperature" in text and self._change("temperature", False):
            return "The server does not take a temperature for this model; its own is used."
        if "reasoning" in text and self._change("reasoning", "always" if _REASONING_MISSING.search(text) else "drop"):
            return "The server wants earlier reasoning in another way; the history is sent again."
        if has_images and _NO_IMAGES.search(text) and self._change("images", False):
            return "The server takes no images for this model; only the text is sent."
        if has_tools and _NO_TOOLS.search(text) and self._change("tools", "text"):
            return "The server does not support tools for this model; they are described in the prompt instead."
        return None

    @property
    def learnt(self) -> dict[str, Any]:
        """What turned out beyond what was given, as ``Compat.merged`` reads it."""
        return self.now.differing(self.given)

    def _change(self, key: str, value: object) -> bool:
        """Do ``key`` otherwise from now on. Answers whether that is a change."""
        if key in self._changed or getattr(self.now, key) == value:
            return False
        self._changed.add(key)
        self.now = self.now.merged({key: value})
        return True
