"""A reply that talks about work without doing any: what it showed, and with which call that would be done."""

from __future__ import annotations

import re
from collections.abc import Collection

from pygent.models.base import ToolSchemas
from pygent.models.text_calls import parameters_by_name, why_no_call
from pygent.models.tool_names import nearest
from pygent.tools.teaching import takes

_BLOCK = re.compile(r"^[ \t]*```[ \t]*(?P<info>[^\n`]*)\n(?P<inside>.*?)(?:^[ \t]*```|\Z)", re.MULTILINE | re.DOTALL)
_SHELL = frozenset({"bash", "sh", "shell", "console", "zsh", "terminal", "shell-session"})
_CHANGE = re.compile(r"^(?:--- \S|\+\+\+ \S|@@ |<<<<<<< |diff --git )", re.MULTILINE)
_PATH = re.compile(r"(?<![\w/.-])(?P<path>(?:[\w-]+/)*[\w.-]*\w\.[a-zA-Z][a-zA-Z0-9]{0,4})(?![\w/-])")
_FIRST_LINE = re.compile(
    r"\A\s*(?:#|//|--|/\*|<!--|;)\s*(?:file(?:name)?:\s*)?(?P<path>(?:[\w.-]+/)*[\w-]+\.\w{1,5})\b"
)
_RESULT = re.compile(r"<tool_response>|<tool_result>|^Observation:", re.MULTILINE)
_UNKNOWN = re.compile(r"no tool named '(?P<name>[^']*)'")
_MISFIT = re.compile(r"the arguments of (?P<name>\w+) do not fit")
_PROMPT = re.compile(r"^\s*[$>]\s+")
_COMMAND_SHOWN = 200


def what_to_do(reply: str, tools: ToolSchemas | None) -> str:
    """What to tell a model whose reply has no tool call but shows what one should do; ``""`` where it shows nothing.

    ``tools`` are the definitions of the tools that it was offered; no other one is named.
    """
    parameters = parameters_by_name(tools)
    if not parameters:
        return ""
    if why := why_no_call(reply, tools):
        return _spoilt(why, parameters)
    if _RESULT.search(reply):
        return (
            "Nothing was run: you wrote down a tool's result yourself, and only tools bring those. Call the tool now."
        )
    for block in _BLOCK.finditer(reply):
        said = _shown(reply, block, parameters)
        if said:
            return said
    return ""


def _spoilt(why: str, parameters: dict[str, dict[str, object]]) -> str:
    """What was wrong with a call in the text, and how it would be right."""
    said = f"Nothing was run, since your reply holds no call that can be: {why}."
    if unknown := _UNKNOWN.search(why):
        near = nearest(unknown["name"], parameters)
        return f"{said} {f'Did you mean {near}? ' if near else ''}The tools are: {', '.join(parameters)}."
    misfit = _MISFIT.search(why)
    if misfit and misfit["name"] in parameters:
        return f"{said} {takes(misfit['name'], parameters[misfit['name']])} Send the call again."
    return f"{said} Send the call again, whole and as valid JSON."


def _shown(reply: str, block: re.Match[str], tools: Collection[str]) -> str:
    """What a fenced block shows without doing it."""
    info, inside = block["info"].strip().lower(), block["inside"]
    if not inside.strip():
        return ""
    if info in _SHELL:
        command = _PROMPT.sub("", inside.strip().split("\n", 1)[0])[:_COMMAND_SHOWN]
        return f"You showed a command but did not run it. Call bash with cmd: {command}" if "bash" in tools else ""
    if info == "diff" or _CHANGE.search(inside):
        if "edit_file" in tools:
            return "You showed a change but did not make it. Call edit_file with path, old and new for each place."
        return ""
    path = _path(reply, block)
    if path and "write_file" in tools:
        other = ", or edit_file for a part of it" if "edit_file" in tools else ""
        how = f"Call write_file with path {path} and all of it{other}."
        return f"You showed the content of {path} but did not write it. {how}"
    return ""


def _path(reply: str, block: re.Match[str]) -> str:
    """The file that a block is said to be: in its first line, beside its language, or in the line above it."""
    if first := _FIRST_LINE.search(block["inside"]):
        return first["path"]
    above = reply[: block.start()].rstrip().rpartition("\n")[2]
    named = _PATH.search(block["info"]) or _PATH.search(above)
    return named["path"] if named else ""
