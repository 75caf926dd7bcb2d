"""Tools for a server that does not know tools: described in the system message, called and answered in text."""

from __future__ import annotations

import json
from typing import Any

from pygent.images import Content, joined
from pygent.models.base import Messages, ToolSchemas
from pygent.models.marks import harmless_result

_HOW = """# Tools
To use a tool, write a block like this one, with the tool's name and its arguments, and end your reply there:
<tool_call>
{"name": "…", "arguments": {…}}
</tool_call>
The results come in the next message. The tools, each with the JSON schema of its arguments:"""


def as_text(messages: Messages, tools: ToolSchemas | None) -> Messages:
    """The conversation with the tools, the calls and their results written out, for a model that sees text only."""
    out: Messages = []
    if tools:
        described = "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)
        out.append({"role": "system", "content": f"{_HOW}\n{described}"})
    for message in messages:
        role, text = message.get("role"), message.get("content")
        if role == "system" and out and out[0]["role"] == "system" and len(out) == 1:
            out[0] = {"role": "system", "content": f"{text}\n\n{out[0]['content']}"}
        elif role == "assistant":
            out.append({"role": "assistant", "content": _with_calls(text, message.get("tool_calls") or [])})
        elif role == "tool":
            add_user(out, f"<tool_response>\n{harmless_result(str(text))}\n</tool_response>")
        elif role == "user" and text is not None:
            add_user(out, text)
        else:
            out.append(message)
    return out


def _with_calls(text: str | None, calls: list[dict[str, Any]]) -> str:
    parts = [text] if text else []
    for call in calls:
        function = call["function"]
        name = json.dumps(function["name"], ensure_ascii=False)
        parts.append(f'<tool_call>\n{{"name": {name}, "arguments": {function["arguments"]}}}\n</tool_call>')
    return "\n".join(parts)


def add_user(out: Messages, content: Content) -> None:
    """Add what is said to the model, to the message before where that is a user's: some templates take no two."""
    last = out[-1] if out else None
    if last is not None and last["role"] == "user":
        out[-1] = {"role": "user", "content": joined(last["content"], content)}
    else:
        out.append({"role": "user", "content": content})
