"""The order and the roles in which a server takes a conversation.

Chat templates differ: some know one system message only, or none; some want user and assistant in turns; some take
no user after a tool. What is changed here is what is sent, never the history.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from pygent.compat import Compat
from pygent.images import joined, text_of
from pygent.models.base import Messages

BRIDGE = "I have read the results."
"""What an assistant says between a tool's result and a user where that is wanted."""

_ASIDE = "(system) "
_SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")


def shaped(messages: Messages, compat: Compat, known: int = 0) -> Messages:
    """``messages`` as they are sent; the same list where nothing has to change, so that nothing is encoded twice.

    The first ``known`` messages were sent as they stand before, and are not looked at again.
    """
    out = messages if _in_order(messages, known) else _ordered(messages)
    if not compat.user_after_tool:
        out = _bridged(out)
    if compat.system != "system":
        out = _with_system_as(out, compat.system)
    if compat.call_ids == "short" or not compat.null_content or compat.reasoning_field != "reasoning_content":
        out = [_plain(message, compat) for message in out]
    return out


def _in_order(messages: Messages, known: int) -> bool:
    before = messages[known - 1].get("role") if known else None
    for position in range(known, len(messages)):
        message = messages[position]
        role = message.get("role")
        if role == "tool":
            if isinstance(message.get("content"), list):
                return False
        elif role == before or (role == "system" and position) or _is_empty(message):
            return False
        before = role
    return True


def _is_empty(message: dict[str, Any]) -> bool:
    return message.get("role") == "assistant" and not message.get("content") and not message.get("tool_calls")


def _ordered(messages: Messages) -> Messages:
    """One leading system message, roles in turns, images after all results of a turn, no empty replies."""
    out: Messages = []
    pictures: list[dict[str, Any]] = []
    for message in messages:
        role, content = message.get("role"), message.get("content")
        if _is_empty(message):
            continue
        if role == "tool":
            if isinstance(content, list):
                pictures += [part for part in content if isinstance(part, dict) and part.get("type") != "text"]
                message = {**message, "content": text_of(content)}  # noqa: PLW2901 - what is sent of it
            out.append(message)
            continue
        if pictures:
            _add(out, {"role": "user", "content": pictures})
            pictures = []
        if role == "system" and out:
            _put_aside(out, str(content or ""))
        else:
            _add(out, message)
    if pictures:
        _add(out, {"role": "user", "content": pictures})
    return out


def _put_aside(out: Messages, text: str) -> None:
    """A system message in the middle becomes a part of what is said around it."""
    last = out[-1]
    if last["role"] == "system":
        out[-1] = {**last, "content": f"{last['content']}\n\n{text}"}
    elif last["role"] == "tool":
        out[-1] = {**last, "content": f"{last['content']}\n\n{_ASIDE}{text}"}
    else:
        _add(out, {"role": "user", "content": f"{_ASIDE}{text}"})


def _add(out: Messages, message: dict[str, Any]) -> None:
    last = out[-1] if out else None
    if last is None or last["role"] != message.get("role"):
        out.append(message)
    elif message["role"] == "user":
        out[-1] = {**last, "content": joined(last.get("content") or "", message.get("content") or "")}
    elif not last.get("tool_calls"):
        text = "\n\n".join(one["content"] for one in (last, message) if one.get("content"))
        out[-1] = {**message, "content": text or None}
    else:
        out.append(message)


def _bridged(messages: Messages) -> Messages:
    out: Messages = []
    for message in messages:
        if message.get("role") == "user" and out and out[-1].get("role") == "tool":
            out.append({"role": "assistant", "content": BRIDGE})
        out.append(message)
    return out


def _with_system_as(messages: Messages, role: str) -> Messages:
    if not messages or messages[0].get("role") != "system":
        return messages
    first, rest = messages[0], messages[1:]
    if role == "developer":
        return [{**first, "role": "developer"}, *rest]
    if rest and rest[0].get("role") == "user":
        return [{"role": "user", "content": joined(first["content"], rest[0]["content"])}, *rest[1:]]
    return [{**first, "role": "user"}, *rest]


def _plain(message: dict[str, Any], compat: Compat) -> dict[str, Any]:
    calls = message.get("tool_calls")
    name = compat.reasoning_field
    if name != "reasoning_content" and message.get("role") == "assistant" and compat.reasoning != "drop":
        thought = message.get("reasoning_content", "" if calls and compat.reasoning == "always" else None)
        message = {key: value for key, value in message.items() if key != "reasoning_content"}
        message |= {} if thought is None else {name: thought}
    if calls and not compat.null_content and message.get("content") is None:
        message = {**message, "content": ""}
    if compat.call_ids == "short":
        if calls:
            message = {**message, "tool_calls": [{**call, "id": short_id(call.get("id"))} for call in calls]}
        elif message.get("role") == "tool":
            message = {**message, "tool_call_id": short_id(message.get("tool_call_id"))}
    return message


def short_id(call_id: object) -> str:
    """An id of nine letters and digits for a call, always the same one."""
    text = str(call_id or "")
    if _SHORT_ID.fullmatch(text):
        return text
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:9]
