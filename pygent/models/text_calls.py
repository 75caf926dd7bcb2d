"""Tool calls that a model wrote into its text instead of the place the protocol has for them.

Five forms are read: a fenced ``json`` block with ``name`` and ``arguments``; the same inside ``<tool_call>`` tags or
their relatives; ``<function=name><parameter=key>value`` or ``<function name=… arguments=…>``; a reply that is nothing
but JSON; and one that is nothing but a tool that needs no arguments, as a tag or a call. The first four may hold
several calls or a list of them. Text becomes a call only where it is complete, names a known tool and the arguments
fit that tool's parameters; all else stays text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pygent.models.arguments import repair
from pygent.models.base import ToolSchemas
from pygent.models.call_deltas import new_call_id
from pygent.models.loose_json import loads
from pygent.openai_compat import ToolCall, ToolCallFunction

Parameters = Mapping[str, Mapping[str, Any]]
"""Tool names, each with the JSON schema of its arguments."""

_OPENER = re.compile(
    r"(?m:^)[ \t]*```[ \t]*(?P<info>[\w-]*)[ \t]*\r?\n"
    r"|<(?P<tag>tool_calls?|tools|function_calls?)>"
    r"|<function=(?P<function>[^>\s]+)>"
    r"|<function\s+name=[\"'](?P<attribute>[^\"']+)[\"']\s+arguments=[\"'](?=\s*\{)"
    r"|\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call\|>"
)
_UNFINISHED_OPENER = re.compile(
    r"(?m:^)[ \t]*(?:`{0,2}|```[ \t]*[\w-]*[ \t]*\r?)\Z|<\|?(?:[a-z_]+(?:=[^>\s]*|\|)?)?\Z|\[[A-Z_]*\Z"
)
_INFOS = {"", "json", "jsonc", "json5", "tool_call", "tool_calls", "tool", "tool_code", "xml"}
_NAMES = ("name", "tool", "tool_name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_KEYS = {*_NAMES, *_ARGUMENTS, "id", "type"}
_NAME = re.compile(r'"(?:name|tool|tool_name|function)"\s*:\s*"([^"]*)"')
_FUNCTION_BODY = re.compile(r"(?P<inside>.*?)</function>", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=(?P<key>[^>\s]+)>(?P<value>.*?)(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"\s*<function=([^>\s]+)>")
_CLOSING_TAG = re.compile(r"\s*</(?:tool_calls?|tools|function_calls?)>")
_CLOSING_FENCE = re.compile(r"\s*```[ \t]*(?=\r?\n|\Z)")
_MAY_HAVE_ENDED = re.compile(r"[}\]]\s*(?:```|</\w+>)|</function>|</tool\w*>")
_BARE = re.compile(r"\s*(?:<(?P<tag>\w+)\s*/?>(?:\s*</\w+>)?|`?(?P<name>\w+)\(\)`?)\s*")
_ATTRIBUTES_END = re.compile(r"\s*[\"']\s*(?:/>|>(?:(?:(?!<function\b).)*?</function>)?)", re.DOTALL)
_LONG = 200
_LONGEST_END = 40
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class _Found:
    """Calls in ``text[start:end]``."""

    calls: list[ToolCall]
    start: int
    end: int


def parameters_by_name(tools: ToolSchemas | None) -> dict[str, dict[str, Any]]:
    """The schema of each tool's arguments."""
    functions = [tool.get("function") or {} for tool in tools or ()]
    return {function["name"]: function.get("parameters") or {} for function in functions if "name" in function}


def extract_tool_calls(text: str, tools: ToolSchemas | None) -> tuple[list[ToolCall], str]:
    """The calls written in ``text``, each with a new id, and the text without them."""
    parameters = parameters_by_name(tools)
    if not text or not parameters:
        return [], text
    calls: list[ToolCall] = []
    rest: list[str] = []
    position = 0
    for found in _scan(text, parameters):
        calls += found.calls
        rest.append(text[position : found.start])
        position = found.end
    if not calls:
        return [], text
    rest.append(text[position:])
    return calls, "\n\n".join(part.strip() for part in rest if part.strip())


class HoldBack:
    """Keeps text from being shown while it could still turn out to be a call."""

    def __init__(self, tools: ToolSchemas) -> None:
        self._parameters = parameters_by_name(tools)
        self._text = ""
        self._shown = 0  # up to here the text was shown, or was a call
        self._candidate: int | None = None  # here begins what may be a call
        self._searched = 0

    def feed(self, piece: str) -> str:
        """Take a piece of text; answer what can be shown now."""
        self._text += piece
        # A long call is not parsed again for each piece, only where it may have ended.
        long = self._candidate is not None and len(self._text) - self._candidate > _LONG
        if long and not _MAY_HAVE_ENDED.search(self._text, len(self._text) - len(piece) - _LONGEST_END):
            return ""
        out = ""
        while True:
            step, waiting = self._advance()
            out += step
            if waiting:
                return out

    def finish(self, *, keep: bool = False) -> str:
        """The text has ended; answer what is left to show: all of it with ``keep``, else what is no call."""
        rest = self._text[self._shown :]
        if keep or not rest:
            return rest
        found = _scan(self._text, self._parameters, self._shown)
        for call in reversed(found):
            rest = rest[: call.start - self._shown] + rest[call.end - self._shown :]
        return rest if not found or rest.strip() else ""

    def _advance(self) -> tuple[str, bool]:
        text = self._text
        if self._shown == 0 and self._searched == 0 and (not text.strip() or text.lstrip()[0] in "{["):
            start = len(text) - len(text.lstrip())
            if _could_be_json_call(text[start:], self._parameters):
                self._candidate = start
                return "", True
        opener = _OPENER.search(text, self._searched)
        if opener is None:
            unfinished = _UNFINISHED_OPENER.search(text, self._searched)
            end = unfinished.start() if unfinished else len(text)
            self._candidate = None
            self._searched = end
            return self._show(end), True
        found = _read(text, opener, self._parameters, final=False)
        if found is not None:
            shown = self._show(found.start)
            self._shown = self._searched = found.end
            self._candidate = None
            return shown, False
        if _could_be_call(text, opener, self._parameters):
            self._candidate = opener.start()
            return self._show(opener.start()), True
        self._candidate = None
        self._searched = opener.end()
        return self._show(opener.end()), False

    def _show(self, end: int) -> str:
        out = self._text[self._shown : end]
        self._shown = max(self._shown, end)
        return out


def _scan(text: str, parameters: Parameters, position: int = 0) -> list[_Found]:
    if not text[:position].strip() and text.lstrip()[:1] in {"{", "["}:
        calls, end = _read_json(text, 0, parameters)
        rest = text[end:].strip()
        if calls and (not rest or rest.startswith("<tool_response")):  # a result that the model made up itself
            return [_Found(calls, 0, len(text))]
    if not text[:position].strip() and (bare := _BARE.fullmatch(text)):
        call = _as_call(bare["tag"] or bare["name"], {}, parameters)
        return [_Found([call], 0, len(text))] if call else []
    out = []
    while opener := _OPENER.search(text, position):
        found = _read(text, opener, parameters, final=True)
        position = found.end if found else opener.end()
        if found:
            out.append(found)
    return out


def _read(text: str, opener: re.Match[str], parameters: Parameters, *, final: bool) -> _Found | None:
    """The calls after an opener, with the closing that belongs to it; at the end of a text it may be missing."""
    if opener["function"] or opener["attribute"]:
        return _read_element(text, opener, parameters)
    info = opener["info"]
    if info is not None and info.lower() not in _INFOS:
        return None
    nested = _FUNCTION.match(text, opener.end())
    if nested:
        found = _read_function(text, nested.start(), opener.start(), parameters)
        if found is None:
            return None
        calls, end = found.calls, found.end
        tag = _OPENER.match(text, opener.end())
        if tag and tag["tag"]:
            return None
    else:
        calls, end = _read_json(text, opener.end(), parameters)
    if not calls:
        return None
    if info is None and not opener["tag"]:
        return _Found(calls, opener.start(), end)
    closing = (_CLOSING_TAG if opener["tag"] else _CLOSING_FENCE).match(text, end)
    if closing:
        return _Found(calls, opener.start(), closing.end())
    return _Found(calls, opener.start(), len(text)) if final and not text[end:].strip() else None


def _read_json(text: str, position: int, parameters: Parameters) -> tuple[list[ToolCall], int]:
    """One or several JSON values in a row that are calls; no calls where any of them is something else."""
    calls: list[ToolCall] = []
    end = position
    while True:
        start = end
        while start < len(text) and text[start] in " \t\r\n,;":
            start += 1
        if text[start : start + 1] not in {"{", "["}:
            return calls, end
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            value, end = _decode_to_fence(text, start)
        found = _as_calls(value, parameters)
        if not found:
            return [], end
        calls += found


def _decode_to_fence(text: str, start: int) -> tuple[Any, int]:
    """JSON with a flaw that ``loads`` mends: its end is the closing fence or tag, or that of the text."""
    closing = re.compile(r"\s*(?:```|</\w+>|\Z)").search(text, start)
    end = closing.start() if closing else len(text)
    try:
        return loads(text[start:end]), end
    except ValueError:
        return None, end


def _read_function(text: str, position: int, start: int, parameters: Parameters) -> _Found | None:
    """``<function=name>`` with its parameters, one or several in a row, inside a tag or alone."""
    calls: list[ToolCall] = []
    end = position
    while opener := _FUNCTION.match(text, end):
        body = _FUNCTION_BODY.match(text, opener.end())
        if body is None:
            break
        values = {found["key"]: _trimmed(found["value"]) for found in _PARAMETER.finditer(body["inside"])}
        raw = values or body["inside"].strip()
        call = _as_call(opener.group(1), raw, parameters)
        if call is None:
            return None
        calls.append(call)
        end = body.end()
    return _Found(calls, start, end) if calls else None


def _read_element(text: str, opener: re.Match[str], parameters: Parameters) -> _Found | None:
    """A ``<function…>``; with its arguments as an attribute, what stands inside is the model's own invention."""
    if opener["function"]:
        return _read_function(text, opener.start(), opener.start(), parameters)
    try:
        arguments, end = _DECODER.raw_decode(text, text.index("{", opener.end()))
    except (ValueError, RecursionError):
        return None
    call = _as_call(opener["attribute"], arguments, parameters)
    closing = _ATTRIBUTES_END.match(text, end)
    return _Found([call], opener.start(), closing.end()) if call and closing else None


def _trimmed(value: str) -> str:
    return value.removeprefix("\n").removesuffix("\n")


def _as_calls(value: Any, parameters: Parameters) -> list[ToolCall]:
    """The calls that a JSON value means; empty unless all of it is calls."""
    out = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict) or not set(item) <= _KEYS:
            return []
        if isinstance(item.get("function"), dict):
            item = item["function"]  # noqa: PLW2901 - the protocol's own nesting
        name = next((item[key] for key in _NAMES if isinstance(item.get(key), str)), None)
        call = _as_call(name, next((item[key] for key in _ARGUMENTS if key in item), None), parameters)
        if call is None:
            return []
        out.append(call)
    return out


def _as_call(name: str | None, raw: object, parameters: Parameters) -> ToolCall | None:
    if name is None or name not in parameters:
        return None
    try:
        arguments = repair(raw, parameters[name])
    except ValueError:
        return None
    return ToolCall(new_call_id(), ToolCallFunction(name, json.dumps(arguments, ensure_ascii=False)))


def _could_be_call(text: str, opener: re.Match[str], parameters: Parameters) -> bool:
    """Whether an opened block, so far, may become a call."""
    if opener["function"]:
        return opener["function"] in parameters
    if opener["info"] is not None and opener["info"].lower() not in _INFOS:
        return False
    begun = text[opener.end() :].lstrip()
    if begun.startswith("<"):
        function = _FUNCTION.match(begun)
        return function.group(1) in parameters if function else "<function=".startswith(begun[:10])
    return _could_be_json_call(begun, parameters)


def _could_be_json_call(begun: str, parameters: Parameters) -> bool:
    inner = begun.removeprefix("[").lstrip()
    if not inner:
        return True
    if not inner.startswith("{"):
        return False
    inner = inner[1:].lstrip()
    if not inner:
        return True
    key, closed, _ = inner[1:].partition('"')
    if inner[0] != '"' or not (key in _KEYS if closed else any(known.startswith(key) for known in _KEYS)):
        return False
    name = _NAME.search(begun)
    return name is None or name.group(1) in parameters
