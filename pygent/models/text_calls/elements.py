"""Calls as elements: ``<function=name>``, ``<invoke name="…">``, ``<tool><key>value</key></tool>``, and the like.

What begins with ``<`` is read here; ``payload`` reads what stands in a wrapper.
"""

from __future__ import annotations

import re
from typing import Any

from pygent.models.loose_json import loads
from pygent.models.text_calls.source import Found, Reading, Source, Verdict
from pygent.models.text_calls.values import read_arguments

_MARK = r"(?:｜+DSML｜+\s?)?"
TAG = re.compile(r"<(?![\s=<>])(?P<inside>[^<>\n]{1,300})>")
UNFINISHED_TAG = re.compile(r"<(?:(?![\s=<>])[^<>\n]{0,300})?\Z")
ATTRIBUTES = re.compile(r"<function\s+name=[\"'](?P<name>[^\"'<>\n]{1,100})[\"']\s+arguments=[\"'](?=\s*\{)")

_EQUALS = re.compile(r"function=[\"']?(?P<name>[^\"'\s]+)[\"']?")
_NAMED = re.compile(
    _MARK + r"(?P<tag>function|invoke|tool|tool_call|tool_use|call)\s+(?:name|tool)=[\"'](?P<name>[^\"']+)[\"'].*"
)
_FUNCTION_END = re.compile(r"</function>")
_PARAMETER = re.compile(
    rf"<{_MARK}(?:parameter|param|arg|argument)(?:=|\s+name=)[\"']?(?P<key>[^\"'>\s]+)[\"']?[^>\n]*>(?P<value>.*?)"
    rf"(?:</{_MARK}(?:parameter|param|arg|argument)>|(?=<{_MARK}(?:parameter|param|arg|argument)(?:=|\s))|\Z)",
    re.DOTALL,
)
_NAME_ELEMENT = re.compile(r"\s*<(?P<tag>name|tool_name|function_name)>\s*(?P<name>[\w.:-]+)\s*</(?P=tag)>")
_ARGUMENTS_ELEMENT = re.compile(
    r"\s*<(?P<tag>arguments|parameters|args|input|params)>(?P<inside>.*?)</(?P=tag)>", re.DOTALL
)
_CHILD = re.compile(r"\s*<(?P<key>\w+)>(?P<value>.*?)</(?P=key)>", re.DOTALL)
_PAIR = re.compile(r"\s*<arg_key>\s*(?P<key>.*?)\s*</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>", re.DOTALL)
_ATTRIBUTES_END = re.compile(r"\s*[\"']\s*(?:/>|>(?:(?:(?!<function\b).)*?</function>)?)", re.DOTALL)


def read_attributes(source: Source, opener: re.Match[str]) -> Reading:
    """``<function name="…" arguments='{…}'/>``; what stands inside is the model's own invention."""
    found = read_arguments(source, opener.end(), opener["name"])
    if isinstance(found, Verdict):
        return found
    closing = _ATTRIBUTES_END.match(source.text, found.end)
    if closing is None:
        return source.unfinished()
    if not closing[0].endswith("/>") and not closing[0].endswith("</function>") and not source.final:
        return Verdict.MORE
    return Found(found.calls, closing.end())


def read_element(source: Source, tag: re.Match[str]) -> Reading:
    """An element that is a call by itself, from its opening tag on; ``NEVER`` for all other tags."""
    inside = tag["inside"]
    if equals := _EQUALS.fullmatch(inside):
        return _read_body(source, tag.end(), equals["name"], "function")
    if named := _NAMED.fullmatch(inside):
        return _read_body(source, tag.end(), named["name"], named["tag"])
    name = inside.rstrip("/ ")
    if name in source.parameters:
        if inside.endswith("/"):
            call = source.call(name, {})
            return Found([call], tag.end()) if call else Verdict.NEVER
        return _read_tool(source, tag.end(), name)
    return Verdict.NEVER


def read_named_child(source: Source, position: int) -> Reading:
    """``<name>…</name>`` and what comes after it as the arguments, inside a wrapper."""
    name = _NAME_ELEMENT.match(source.text, position)
    if name is None:
        return source.unfinished() if _begins(source, position, "<name>", "<tool_name>") else Verdict.NEVER
    if source.known(name["name"]) is None:
        source.call(name["name"], {})
        return Verdict.NEVER
    wrapped = _ARGUMENTS_ELEMENT.match(source.text, name.end())
    if wrapped:
        call = source.call(name["name"], _values(source, name["name"], wrapped["inside"]))
        return Found([call], wrapped.end()) if call else Verdict.NEVER
    start = source.skip(name.end())
    if _begins(source, start, "<arguments>", "<parameters>", "<args>", "<input>", "<params>"):
        return source.unfinished()
    if not source.text.startswith(("<arg_key>", "</", "<parameter"), start):
        return source.unfinished() if _begins(source, start, "<arg_key>", "</", "<parameter") else Verdict.NEVER
    return read_pairs(source, name.end(), name["name"])


def read_pairs(source: Source, position: int, name: str) -> Reading:
    """``<arg_key>…</arg_key><arg_value>…</arg_value>`` as often as it comes."""
    values: dict[str, str] = {}
    end = position
    while pair := _PAIR.match(source.text, end):
        values[pair["key"]] = _trimmed(pair["value"])
        end = pair.end()
    if _begins(source, source.skip(end), "<arg_key>"):
        return source.unfinished()
    call = source.call(name, values)
    return Found([call], end) if call else Verdict.NEVER


def _read_body(source: Source, position: int, name: str, tag: str) -> Reading:
    """What stands between an opening tag with the tool's name in it and its end."""
    if source.known(name) is None:
        source.call(name, {})
        return Verdict.NEVER
    closing = re.compile(rf"</{_MARK}{tag}>").search(source.text, position)
    if closing is None:
        return source.unfinished()
    call = source.call(name, _values(source, name, source.text[position : closing.start()]))
    return Found([call], closing.end()) if call else Verdict.NEVER


def _read_tool(source: Source, position: int, name: str) -> Reading:
    """``<tool>``: arguments as elements, as JSON, or the one text that the tool needs."""
    end = f"</{name}>"
    at = source.text.find(end, position)
    if at < 0:
        if source.final and not source.text[position:].strip():
            call = source.call(name, {})
            return Found([call], len(source.text)) if call else Verdict.NEVER
        return source.unfinished()
    inside = source.text[position:at]
    values: Any = _values(source, name, inside)
    if isinstance(values, str) and values and not values.startswith(("{", "<")):
        call = source.call_with(name, values)
    else:
        call = source.call(name, values)
    return Found([call], at + len(end)) if call else Verdict.NEVER


def _values(source: Source, name: str, inside: str) -> dict[str, Any] | str:
    """The arguments in an element: of parameters, or of elements called like them; else the text itself."""
    values: dict[str, Any] = {found["key"]: _trimmed(found["value"]) for found in _PARAMETER.finditer(inside)}
    if values:
        return values
    own = source.parameters.get(source.known(name) or "", {}).get("properties") or {}
    end = 0
    while child := _CHILD.match(inside, end):
        if child["key"] not in own and not values:
            break
        values[child["key"]] = _trimmed(child["value"])
        end = child.end()
    if values:
        return values
    text = inside.strip()
    if text.startswith("{"):
        try:
            read = loads(text)
        except ValueError:
            return text
        return read if isinstance(read, dict) else text
    return text


def _begins(source: Source, position: int, *tags: str) -> bool:
    """Whether the text from ``position`` on is the beginning of one of ``tags``, or begins with it."""
    rest = source.text[position : position + 20]
    return any(rest.startswith(tag) or tag.startswith(rest) for tag in tags)


def _trimmed(value: str) -> str:
    return value.removeprefix("\n").removesuffix("\n")
