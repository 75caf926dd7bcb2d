"""Calls as JSON values, and as calls of functions as Python writes them."""

from __future__ import annotations

import json
import re
from typing import Any

from pygent.models.loose_json import extent, loads, split
from pygent.models.text_calls.source import KEYS, Found, Reading, Source, Verdict
from pygent.openai_compat import ToolCall

_DECODER = json.JSONDecoder(strict=False)
_BEGUN = re.compile(r"""[\[\s]*\{?\s*(?:["'`]?(?P<key>\w*)(?P<ended>["'`]?))?""")
_NAMED_FIRST = re.compile(
    r"""[\[\s]*\{\s*(?:["'](?:type|id)["']\s*:\s*["'][^"']*["']\s*,\s*)?"""
    r"""["'](?:name|tool|tool_name|function|function_name|action)["']\s*:\s*["'](?P<name>[^"']*)["']"""
    r"""(?P<call>\s*,\s*["'](?:arguments|parameters|args|input)["']\s*:)?"""
)
_PYTHON = re.compile(r"(?P<printed>print\(\s*)?(?P<name>[\w.]+)\(")
_BEGUN_PYTHON = re.compile(r"(?:print\(\s*)?[\w.]*\Z")
_LACKING = 3
_KEYWORD = re.compile(r"\s*(?P<key>\w+)\s*=(?!=)\s*")


def read_json(source: Source, position: int) -> Reading:
    """One or several JSON values in a row that are calls; none where any of them is something else."""
    text = source.text
    calls: list[ToolCall] = []
    end = position
    while True:
        start = source.skip(end, " \t\r\n,;")
        if start == len(text) and not source.final:
            return Verdict.MORE  # another one may follow
        if text[start : start + 1] not in {"{", "["}:
            return Found(calls, end) if calls else Verdict.NEVER
        doubled = text.startswith("{{", start)  # as some prompts show it to models, by mistake, and they repeat it
        start += doubled
        if not could_be_call(source, start):
            apart = "\n" in text[end:start] or text[start] == "["
            return Found(calls, end) if calls and apart else Verdict.NEVER
        decoded = _decode(source, start)
        if isinstance(decoded, Verdict):
            return decoded
        value, end = decoded
        if doubled:
            closing = source.skip(end)
            end = closing + 1 if text[closing : closing + 1] == "}" else end
        found = source.calls(value)
        if not found:
            return Verdict.NEVER
        calls += found


def read_arguments(source: Source, position: int, name: str) -> Reading:
    """A JSON object that is the arguments of the tool called ``name``."""
    start = source.skip(position)
    if start == len(source.text):
        return source.unfinished()
    if source.text[start] != "{":
        return Verdict.NEVER
    decoded = _decode(source, start)
    if isinstance(decoded, Verdict):
        return decoded
    call = source.call(name, decoded[0])
    return Found([call], decoded[1]) if call else Verdict.NEVER


def could_be_call(source: Source, start: int) -> bool:
    """Whether a value that begins at ``start`` may, by what has come of it, become calls."""
    start += source.text.startswith("{{", start)
    found = _BEGUN.match(source.text, start)
    if found is None or found.end() == len(source.text):
        key = (found["key"] or "") if found else ""
        return any(known.startswith(key) for known in (*KEYS, *source.parameters))
    if not found["key"] or (found["key"] not in KEYS and found["key"] not in source.parameters):
        return False
    named = _NAMED_FIRST.match(source.text, start)
    if named is None or source.known(named["name"]):
        return True
    if named["call"]:
        source.call(named["name"], {})
    return False


def _decode(source: Source, start: int) -> tuple[Any, int] | Verdict:
    text = source.text
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    else:
        return value, end
    goes = extent(text, start)
    if goes is None or len(goes.missing) > _LACKING:
        if source.final:
            source.problems.append("its JSON is not complete, or a quotation mark in it is not escaped")
        return source.unfinished() if goes is None else Verdict.NEVER
    try:
        return loads(text[start : goes.end] + goes.missing), goes.end
    except ValueError as error:
        source.problems.append(f"its JSON is not valid: {error}")
        return Verdict.NEVER


def read_python(source: Source, position: int, *, named_only: bool = False) -> Reading:
    """``tool(key="value")``, one or several on lines of their own or as a list.

    ``named_only``: arguments without names are not taken.
    """
    text = source.text
    calls: list[ToolCall] = []
    end = position
    listed = text.startswith("[", source.skip(position))
    while True:
        start = source.skip(end, " \t\r\n,;[" if listed else " \t\r\n,;")
        if _BEGUN_PYTHON.match(text, start) and not source.final:
            return Verdict.MORE
        found = _PYTHON.match(text, start) if start > end or not calls else None
        if found is None or source.known(_function(found)) is None:
            return _ended(source, calls, end, start if listed else None)
        read = _python_call(source, found, named_only=named_only)
        if isinstance(read, Verdict):
            return read
        calls += read.calls
        end = read.end


def _ended(source: Source, calls: list[ToolCall], end: int, bracket: int | None) -> Reading:
    """The calls that were read up to ``end``; those of a list have their ``bracket`` there."""
    if not calls or (bracket is not None and not source.text.startswith("]", bracket)):
        return Verdict.NEVER
    return Found(calls, end if bracket is None else bracket + 1)


def _function(found: re.Match[str]) -> str:
    return found["name"].removesuffix(".call")


def _python_call(source: Source, found: re.Match[str], *, named_only: bool) -> Reading:
    goes = extent(source.text, found.end() - 1)
    if goes is None:
        return source.unfinished()
    end = goes.end
    call = None if goes.missing else _called(source, found, end, named_only=named_only)
    if call is None:
        return Verdict.NEVER
    if found["printed"]:
        end = source.skip(end)
        if end == len(source.text):
            return source.unfinished()
        if source.text[end] != ")":
            return Verdict.NEVER
        end += 1
    return Found([call], end)


def _called(source: Source, found: re.Match[str], end: int, *, named_only: bool) -> ToolCall | None:
    name = _function(found)
    arguments: dict[str, Any] = {}
    bare: list[Any] = []
    for part in split(source.text[found.end() : end - 1]):
        keyword = _KEYWORD.match(part)
        try:
            value = loads(part[keyword.end() :] if keyword else part)
        except ValueError:
            return None
        if keyword:
            arguments[keyword["key"]] = value
        else:
            bare.append(value)
    if bare and isinstance(bare[0], dict) and len(bare) == 1 and not arguments:
        return source.call(name, bare[0])
    if named_only and not arguments:
        return None
    own = list(source.parameters[source.known(name) or name].get("properties") or {})
    if len(bare) > len(own):
        return None
    return source.call(name, {**dict(zip(own, bare, strict=False)), **arguments})
