"""Calls as fenced blocks: a file is its path and its whole content, a command is a ``bash`` block.

Small models write this by themselves, with or without being told; the attention that JSON in JSON costs them is left
for the work. The conversation keeps ordinary tool calls, so that another model can go on with it.
"""

from __future__ import annotations

import json
from typing import Any

from pygent.models.attempts import as_shown, expected, tasks_again
from pygent.models.base import Messages, ToolSchemas
from pygent.models.block_reader import SHELLS, Block, PathFinder, blocks_in
from pygent.models.call_deltas import new_call_id
from pygent.models.fences import fenced, language_of
from pygent.models.partial import completed
from pygent.models.plain_tools import add_user
from pygent.models.text_calls import extract_tool_calls, parameters_by_name
from pygent.openai_compat import ToolCall, ToolCallFunction

_WRITE = "To write a file, put its path on a line and under it a fenced block with the whole content of the file."
_RUN = "To run commands, write them into a ```bash block and end your reply there; you are sent what they print."
_CALL = """To use one of these tools, write a block like this one and end your reply there; you are sent the result:

<tool_call>
{"name": "…", "arguments": {…}}
</tool_call>

"""
_NOT_TOLD = frozenset({"write_file", "bash", "edit_file", "read_file", "search", "stop", "continue"})
"""Tools that the two blocks stand for, or do as well; a call of one is understood all the same."""


def how_to(tools: ToolSchemas | None) -> str:
    """What a model must be told of this form, for the tools it has."""
    known = parameters_by_name(tools)
    parts = [text for name, text in (("write_file", _WRITE), ("bash", _RUN)) if name in known]
    if others := told(tools):
        parts.append(_CALL + "\n".join(json.dumps(tool["function"], ensure_ascii=False) for tool in others))
    return "\n".join(parts)


def told(tools: ToolSchemas | None) -> ToolSchemas:
    """The tools that are described to the model; of the others it needs to know no more than the form."""
    return [tool for tool in tools or () if tool["function"]["name"] not in _NOT_TOLD]


def as_blocks(messages: Messages, tools: ToolSchemas | None) -> Messages:
    """The conversation in this form, without the attempts that are to be forgotten."""
    out: Messages = []
    said = how_to(tools)
    calls: dict[str, dict[str, Any]] = {}
    shown = as_shown(messages)
    again = tasks_again(shown, messages)
    for at, message in enumerate(shown):
        role, text = message.get("role"), message.get("content")
        if role == "system" and not out:
            out.append({"role": "system", "content": "\n\n".join(part for part in (text, said) if part)})
        elif role == "assistant":
            calls = {call["id"]: call["function"] for call in message.get("tool_calls") or []}
            out.append({"role": "assistant", "content": written(text, list(calls.values()))})
        elif role == "tool":
            add_user(out, _result(calls.get(message.get("tool_call_id") or ""), str(text or "")))
            if at in again:
                add_user(out, again[at])
        elif role == "user" and text is not None:
            add_user(out, text)
        else:
            out.append(message)
    if said and (not out or out[0]["role"] != "system"):
        out.insert(0, {"role": "system", "content": said})
    return out


def read_blocks(text: str, messages: Messages, tools: ToolSchemas | None, *, cut: bool) -> tuple[list[ToolCall], str]:
    """The calls written in ``text`` and the text without them. A block without its end counts unless it was ``cut``.

    ``messages`` are the conversation so far, which shows the files that a block without a path may stand for.
    """
    known = parameters_by_name(tools)
    calls, rest = extract_tool_calls(text, tools)
    if calls:
        return calls, rest
    finder = PathFinder(as_shown(messages))
    blocks = [block for block in blocks_in(text, cut=cut) if not block.is_hole]
    only, path = _only(blocks, finder, expected(messages))
    found: list[tuple[Block, ToolCall]] = []
    for block in blocks:
        call = _as_call(block, finder, known, path if block is only else "")
        if call is not None:
            found.append((block, call))
    for block, _ in reversed(found):
        text = text[: block.start] + text[block.end :]
    return [call for _, call in found], text.strip() if found else text


def written(text: str | None, functions: list[dict[str, Any]]) -> str:
    """A reply with its calls written out."""
    parts = [text] if text else []
    for function in functions:
        name = function["name"]
        try:
            arguments = json.loads(function["arguments"])
        except (ValueError, RecursionError):
            arguments = None
        if name == "write_file" and isinstance(arguments, dict) and set(arguments) == {"path", "content"}:
            path, content = str(arguments["path"]), str(arguments["content"])
            parts.append(f"{path}\n{fenced(content, language_of(path))}")
        elif name == "bash" and isinstance(arguments, dict) and set(arguments) == {"cmd"}:
            parts.append(fenced(str(arguments["cmd"]), "bash"))
        else:
            called = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
            parts.append(f"<tool_call>\n{called}\n</tool_call>")
    return "\n\n".join(parts)


def _only(blocks: list[Block], finder: PathFinder, files: list[str]) -> tuple[Block | None, str]:
    """The block that is the one new file that was asked for, where none says so: the longest that may be it."""
    if len(files) != 1 or finder.content(files[0]) is not None:
        return None, ""
    paths = [block.path or finder.find(block) for block in blocks]
    if files[0] in paths:
        return None, ""
    ending = files[0].rpartition(".")[2]
    may_be = [block for block, path in zip(blocks, paths, strict=True) if not path and block.may_end_with(ending)]
    marked = [block for block in may_be if block.info] or may_be
    return max(marked, key=lambda block: len(block.content), default=None), files[0]


def _as_call(block: Block, finder: PathFinder, known: dict[str, dict[str, Any]], path: str = "") -> ToolCall | None:
    path = path or block.path
    if not path and block.info not in SHELLS:
        path = finder.find(block)
        if finder.quotes(block, path):
            return None
    if path and "write_file" in known:
        content = block.content if not block.content or block.content.endswith("\n") else block.content + "\n"
        before = finder.content(path) if path.endswith(".py") else None
        if before is not None:
            content = completed(content, before) or content
        finder.written(path, content)
        return _call("write_file", {"path": path, "content": content})
    if block.info in SHELLS and block.commands and "bash" in known:
        return _call("bash", {"cmd": block.commands})
    return None


def _call(name: str, arguments: dict[str, str]) -> ToolCall:
    return ToolCall(new_call_id(), ToolCallFunction(name, json.dumps(arguments, ensure_ascii=False)))


def _result(function: dict[str, Any] | None, text: str) -> str:
    name = function["name"] if function else ""
    if function is not None and name == "bash":
        return f"Output:\n{fenced(_without_command(function, text))}"
    return text if name in {"write_file", ""} else f"Result of {name}:\n{fenced(text)}"


def _without_command(function: dict[str, Any], output: str) -> str:
    """A command's output without the command, which a small model reads as one to run."""
    try:
        command = str(json.loads(function["arguments"])["cmd"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return output
    return output.removeprefix(f"$ {command}\n")
