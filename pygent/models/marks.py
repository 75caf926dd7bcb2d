"""Marks of chat templates in text from outside, made harmless.

A server turns a conversation into one text, with marks where a message begins and ends (``<|im_end|>``), and many
read such a mark as one wherever it stands. A file or a page that has them could end a tool's result and go on as the
system or the user. A blank after the first character leaves them readable.
"""

from __future__ import annotations

import re
from typing import Any

_TURNS = (
    r"<(?=\|[\w .:/-]{1,40}\|>)"  # ChatML, Llama 3, Phi, gpt-oss
    r"|<(?=｜[^<>｜\n]{1,40}｜>)"  # DeepSeek
    r"|<(?=(?:start|end)_of_turn>)"  # Gemma
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_RESULTS|TOOL_CALLS|TOOL_CONTENT|AVAILABLE_TOOLS)\])"  # Mistral
)
_MARKS = re.compile(_TURNS)
_IN_RESULTS = re.compile(rf"(?i){_TURNS}|<(?=\s*/?\s*tool_(?:response|result|call)s?\s*>)")


def harmless(text: str) -> str:
    """``text`` without marks that begin or end a turn."""
    return _MARKS.sub(_parted, text)


def harmless_result(text: str) -> str:
    """A tool's result, also without those that its own begin and end have: it cannot close what it stands in."""
    return _IN_RESULTS.sub(_parted, text)


def harmless_message(message: dict[str, Any]) -> dict[str, Any]:
    """A message of a tool or a user; the same object where there is no such mark."""
    clean = harmless_result if message.get("role") == "tool" else harmless
    content = message.get("content")
    if isinstance(content, str):
        made = clean(content)
        return message if made == content else {**message, "content": made}
    if isinstance(content, list):
        return {**message, "content": [_part(part, clean) for part in content]}
    return message


def _part(part: Any, clean: Any) -> Any:
    text = part.get("text") if isinstance(part, dict) else None
    return {**part, "text": clean(text)} if isinstance(text, str) else part


def _parted(found: re.Match[str]) -> str:
    return f"{found[0]} "
