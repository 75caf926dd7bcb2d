"""What one model on one server turned out not to take, learnt from its refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pygent.compat import Compat, ReasoningRule, matching

if TYPE_CHECKING:
    from pygent.models.request import Request

__all__ = ["Compat", "Given", "Learning", "ReasoningRule", "given_for"]

Given: TypeAlias = Callable[[str], Compat] | Mapping[str, Mapping[str, Any]] | None
"""What is known of models beforehand: a function of a model's name, or mappings by the pattern of such names."""

_REFUSALS = {400, 404, 422, 500, 501}
_UNKNOWN = r"unsupported|(not|n't) (be )?(support|permit|allow)|unknown|unrecogni[sz]ed|unexpected|extra|invalid"
_UNKNOWN_FIELD = re.compile(_UNKNOWN, re.IGNORECASE)
_NO_STREAM = re.compile(
    r"tools? with stream|stream(ing)?\b.{0,40}not (supported|allowed)|(not|n't) support.{0,20}stream", re.IGNORECASE
)
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
_NO_SYSTEM = re.compile(
    r"system.{0,40}(not (be )?(supported|allowed)|unsupported)|(not|n't) support.{0,20}system", re.IGNORECASE
)
_NO_NULL = re.compile(
    r"content.{0,80}(string|null|none|required|missing)|(null|none|required|missing).{0,40}content", re.IGNORECASE
)
_SHORT_IDS = re.compile(r"length of 9|tool.?call.?id.{0,60}\b9\b", re.IGNORECASE)
_ORDER = re.compile(r"user'? after (role )?'?tool|roles? must alternate|alternate user", re.IGNORECASE)
_REASONING_MISSING = re.compile(r"missing|required|must be|provide", re.IGNORECASE)

Change: TypeAlias = tuple[str, Any, str]
"""A part of ``Compat``, its new value, and what people are told."""


def _changes(text: str, now: Compat, sent: Request) -> Iterator[Change]:
    """What a refusal may mean, the surest first."""
    if sent.streaming and ("stream_options" in text or "include_usage" in text):
        yield "stream_options", False, "The server does not know stream_options; token counts may be missing."
    if sent.streaming and "stream_options" not in text and _NO_STREAM.search(text):
        yield "stream", False, "The server does not stream answers here; each comes in one piece."
    if sent.max_tokens and re.search(r"max_(completion_)?tokens", text) and _UNKNOWN_FIELD.search(text):
        other = "max_tokens" if now.max_tokens == "max_completion_tokens" else "max_completion_tokens"
        yield "max_tokens", other, f"The server wants the length of an answer as {other}."
        yield "max_tokens", "none", "The server takes no longest length of an answer for this model."
    if "parallel_tool_calls" in text:
        yield "parallel_tool_calls", "auto", "The server does not know parallel_tool_calls; it is left out."
    if sent.temperature is not None and "temperature" in text:
        yield "temperature", False, "The server does not take a temperature for this model; its own is used."
    yield from _changes_of_messages(text, now, sent)
    if sent.has_images and _NO_IMAGES.search(text):
        yield "images", False, "The server takes no images for this model; only the text is sent."
    if sent.tools and sent.text_tool_calls and _NO_TOOLS.search(text):
        told = "The server does not support tools for this model; they are described in the prompt instead."
        yield "tools", "text", told


def _changes_of_messages(text: str, now: Compat, sent: Request) -> Iterator[Change]:
    if now.system == "developer" and ("developer" in text or "role" in text.lower()):
        yield "system", "system", "The server does not know the role developer; the system message is sent as system."
    if now.system == "system" and _NO_SYSTEM.search(text):
        if "developer" in text:
            yield "system", "developer", "The server wants the system message in the role developer."
        yield "system", "user", "The model has no system message; its text is put before the first prompt."
    if _SHORT_IDS.search(text):
        yield "call_ids", "short", "The server wants ids of tool calls with nine letters and digits."
    if _ORDER.search(text):
        yield "user_after_tool", False, "The model takes no prompt after a tool's result; a word is put between."
    if "reasoning" in text:
        rule = "always" if _REASONING_MISSING.search(text) else "drop"
        yield "reasoning", rule, "The server wants earlier reasoning in another way; the history is sent again."
    if sent.has_calls_alone and _NO_NULL.search(text):
        yield "null_content", False, "The server wants a text beside calls; an empty one is sent."


def given_for(given: Given, model: str, base: Compat | None = None) -> Compat:
    """What is known of ``model`` beforehand, over ``base``. Raises ``ValueError`` for what cannot be read."""
    base = base or Compat()
    if given is None:
        return base
    return base.merged(given(model) if callable(given) else matching(given, model))


class Learning:
    """How requests to a model are made; no part goes back to a value it had, so that learning comes to an end."""

    def __init__(self, given: Compat | None = None) -> None:
        self.given = given or Compat()
        self.now = self.given
        self._changed: set[tuple[str, Any]] = set()

    def learn(self, status: int | None, text: str, sent: Request) -> str | None:
        """Look for the reason of a refusal. Answers what is done differently now, None where it says nothing."""
        if status not in _REFUSALS:
            return None
        for key, value, told in _changes(text, self.now, sent):
            if self._change(key, value):
                return told
        return None

    def heard(self, field: str) -> None:
        """Take note of the ``field`` in which reasoning came: there it goes back."""
        if field == "reasoning":
            self._change("reasoning_field", field)

    @property
    def learnt(self) -> dict[str, Any]:
        """What turned out beyond what was given, as ``Compat.merged`` reads it."""
        return self.now.differing(self.given)

    def _change(self, key: str, value: object) -> bool:
        """Do ``key`` otherwise from now on. Answers whether that is a change."""
        changed = self.now.merged({key: value})
        if changed == self.now or (key, value) in self._changed:
            return False
        self._changed |= {(key, value), (key, getattr(self.now, key))}
        self.now = changed
        return True


def beforehand(model: str, change: Mapping[str, Any]) -> str:
    """How the settings say a ``change``, in one sentence."""
    name = model if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", model) else f'"{model}"'
    parts = ", ".join(f"{key}: {str(value).lower()}" for key, value in change.items())
    return f"To say so beforehand: compat: {{{name}: {{{parts}}}}}"
