"""What stands in a wrapper: a fenced block, ``<tool_call>``, ``[TOOL_CALLS]``, the special tokens of some models."""

from __future__ import annotations

import re

from pygent.models.text_calls.elements import (
    ATTRIBUTES,
    TAG,
    UNFINISHED_TAG,
    read_attributes,
    read_element,
    read_named_child,
    read_pairs,
)
from pygent.models.text_calls.source import Found, Reading, Source, Verdict
from pygent.models.text_calls.values import read_arguments, read_json, read_python

WRAPPERS = frozenset(
    (
        *("tool_call", "tool_calls", "tools", "tool", "tool_use", "tool_code", "function_call", "function_calls"),
        *("function", "functions", "function-call", "functioncall", "call", "action", "longcat_tool_call"),
        *("seed:tool_call", "minimax:tool_call", "|tool_call|", "|tool_calls|", "|python_tag|", "|tool_call_start|"),
        *("|tool_call_begin|", "|tool_calls_section_begin|", "|tool_call_section_begin|", "｜DSML｜tool_calls"),
        *("｜DSML｜function_calls", "｜tool▁calls▁begin｜", "｜tool▁call▁begin｜", "|tool▁calls▁begin|"),
        *("｜｜tool▁calls▁begin｜｜", "｜｜tool▁call▁begin｜｜", "|tool▁call▁begin|"),
    )
)
"""The tags that a call may stand in."""

FENCE = re.compile(r"(?m:^)[ \t]{0,40}(?P<marks>`{3,8}|~{3,8})[ \t]{0,8}(?P<info>[\w+-]{0,40})[^\n`]{0,120}\n")
INFOS = frozenset(
    (
        "",
        "json",
        "jsonc",
        "json5",
        "tool_call",
        "tool_calls",
        "tool",
        "tools",
        "tool_code",
        "tool_use",
        "xml",
        "action",
    )
)
"""What a fenced block of calls is called, besides a tool's name."""
PYTHON_INFOS = frozenset(("python", "py"))

_CLOSING = re.compile(r"\s*<[/|｜]+[^<>\n]{0,40}>|\s*\[/\w+\]|\s*\[END_TOOL_REQUEST\]")
_UNFINISHED_CLOSING = re.compile(r"\s*(?:</?|<[/|｜]+[^<>\n]{0,40}|\[(?:/\w*|E[A-Z_]*)?)?\Z")
_STRAY = re.compile(r"\s*[}\])]{1,2}(?=\s*(?:<[/|｜]|```|~~~|\Z))")
_UNFINISHED_STRAY = re.compile(r"\s*[}\])]{1,2}\s*(?:<|`{1,2}|~{1,2})?\Z")
_WORD = re.compile(r"(?:functions?\s*<[|｜]+tool[▁_]sep[|｜]+>\s*)?(?P<name>[\w.:/-]+)")
_BETWEEN = re.compile(
    r"\s*(?:<[|｜]+(?:tool_call_argument_begin|tool[▁_]sep|message)[|｜]+>|<tool_sep>|\[CALL_ID\]\w*|\[ARGS\])?"
    r"\s*(?:\[ARGS\])?\s*(?P<fence>```json\s*)?"
)
_UNFINISHED_BETWEEN = re.compile(r"\s*(?:<[^<>\n]{0,40}|\[[A-Z_]*|`{1,3}\w*\s*)?\Z")
_UNFINISHED_WORD = re.compile(r"functions?\s*<[^<>\n]{0,20}\Z")
_INNER_FENCE = re.compile(r"```\w*\s")
_UNFINISHED_INNER_FENCE = re.compile(r"`{1,3}\w*\Z")
_FENCE_END = re.compile(r"\s*```")
_DEEPEST = 4


def read_wrapped(source: Source, position: int, depth: int = 0) -> Reading:
    """The calls that a wrapper opened before ``position`` holds, up to its end, which may be missing."""
    found = read_payload(source, position, depth)
    if isinstance(found, Verdict):
        return found
    if _UNFINISHED_STRAY.match(source.text, found.end) and not source.final:
        return Verdict.MORE
    calls, end = list(found.calls), found.end
    if stray := _STRAY.match(source.text, end):
        end = stray.end()
    while closing := _CLOSING.match(source.text, end):
        if _opens(closing[0]):
            more = read_payload(source, source.skip(closing.end()), depth + 1)
            if isinstance(more, Verdict):
                return more if more is Verdict.MORE else Found(calls, end)
            calls += more.calls
            end = more.end
        else:
            end = closing.end()
    if _UNFINISHED_CLOSING.match(source.text, end):
        return Found(calls, len(source.text)) if source.final else Verdict.MORE
    at = source.skip(end, " \t")
    return Found(calls, end) if end > found.end or source.text[at] in "\r\n<" else Verdict.NEVER


def read_payload(source: Source, position: int, depth: int = 0) -> Reading:
    """The calls that begin at ``position``, by what stands there first."""
    text = source.text
    start = source.skip(position)
    if start == len(text):
        return source.unfinished()
    if depth > _DEEPEST:
        return Verdict.NEVER
    char = text[start]
    if char == "<":
        return _read_elements(source, start, depth)
    if char == "`":
        return _read_inner_fence(source, start, depth)
    if char == "[":
        inner = source.skip(start, " \t\r\n[")
        if inner == len(text):
            return source.unfinished()
        return read_json(source, start) if text[inner] in "{]" else read_python(source, start)
    return read_json(source, start) if char == "{" else _read_word(source, start, wrapped=depth > 0)


def read_angle(source: Source, start: int, depth: int = 0) -> Reading:
    """What begins with ``<``: a wrapper with its calls, or an element that is a call."""
    if attributes := ATTRIBUTES.match(source.text, start):
        return read_attributes(source, attributes)
    tag = TAG.match(source.text, start)
    if tag is None:
        return source.unfinished() if UNFINISHED_TAG.match(source.text, start) else Verdict.NEVER
    found = read_element(source, tag)
    if found is not Verdict.NEVER:
        return found
    if tag["inside"] not in WRAPPERS:
        return read_named_child(source, start) if depth else Verdict.NEVER
    named = read_named_child(source, tag.end())
    if named is Verdict.NEVER:
        return read_wrapped(source, tag.end(), depth + 1)
    return named if isinstance(named, Verdict) else _closed(source, named, tag["inside"])


def read_fenced(source: Source, opener: re.Match[str]) -> Reading:
    """The calls that a fenced block holds, and nothing else."""
    info = opener["info"]
    if info.lower() in PYTHON_INFOS:
        found = read_python(source, opener.end(), named_only=True)
    elif info.lower() in INFOS:
        found = read_payload(source, opener.end())
    elif info in source.parameters:
        found = read_arguments(source, opener.end(), info)
    else:
        return Verdict.NEVER
    if isinstance(found, Verdict):
        return found
    if _UNFINISHED_STRAY.match(source.text, found.end) and not source.final:
        return Verdict.MORE
    end = found.end
    if stray := _STRAY.match(source.text, end):
        end = stray.end()
    marks = re.escape(opener["marks"])
    closing = re.compile(rf"\s*{marks}[ \t]*(?=\r?\n)").match(source.text, end)
    if closing:
        return Found(found.calls, closing.end())
    rest = source.text[end:].strip()
    if opener["marks"].startswith(rest):
        return Found(found.calls, len(source.text)) if source.final else Verdict.MORE
    return Verdict.NEVER


def _opens(closing: str) -> bool:
    """Whether what was taken for a closing opens the next call: the special tokens look alike."""
    return "begin" in closing or closing.strip(" \t\r\n<>|｜") in {"tool_call", "tool_call_start", "python_tag"}


def _closed(source: Source, found: Found, tag: str) -> Reading:
    """``found`` with the end of the element that it stands in."""
    closing = f"</{tag}>"
    at = source.skip(found.end)
    if source.text.startswith(closing, at):
        return Found(found.calls, at + len(closing))
    if closing.startswith(source.text[at:]):
        return Found(found.calls, len(source.text)) if source.final else Verdict.MORE
    return found


def _read_elements(source: Source, start: int, depth: int) -> Reading:
    """An element, and those that follow it directly as far as they are calls too."""
    found = read_angle(source, start, depth + 1)
    if isinstance(found, Verdict):
        return found
    calls, end = list(found.calls), found.end
    while True:
        start = source.skip(end)
        if start == len(source.text):
            return Found(calls, end) if source.final else Verdict.MORE
        if source.text[start] != "<" or source.text.startswith("</", start):
            return Found(calls, end)
        more = read_angle(source, start, depth + 1)
        if isinstance(more, Verdict):
            return more if more is Verdict.MORE else Found(calls, end)
        calls += more.calls
        end = more.end


def _read_inner_fence(source: Source, start: int, depth: int) -> Reading:
    fence = _INNER_FENCE.match(source.text, start)
    if fence is None:
        return source.unfinished() if _UNFINISHED_INNER_FENCE.match(source.text, start) else Verdict.NEVER
    found = read_payload(source, fence.end(), depth + 1)
    if isinstance(found, Verdict):
        return found
    closing = _FENCE_END.match(source.text, found.end)
    if closing:
        return Found(found.calls, closing.end())
    rest = source.text[found.end :].strip()
    return source.unfinished() if "```".startswith(rest) else Verdict.NEVER


def _read_word(source: Source, start: int, *, wrapped: bool) -> Reading:
    """A tool's name, and its arguments after it in one of several ways."""
    text = source.text
    word = _WORD.match(text, start)
    if word is None:
        return source.unfinished() if _UNFINISHED_WORD.match(text, start) else Verdict.NEVER
    name, at = word["name"], source.skip(word.end())
    if text.startswith("(", word.end()):
        return read_python(source, start)
    if at == len(text) or UNFINISHED_TAG.match(text, at):
        return source.unfinished()
    if source.known(name) is None:
        if wrapped:
            source.call(name, {})
        return Verdict.NEVER
    if text.startswith(("<arg_key>", "</", "<tool_sep>"), at):
        return read_pairs(source, at + len("<tool_sep>") * text.startswith("<tool_sep>", at), name)
    if _UNFINISHED_BETWEEN.match(text, word.end()):
        return source.unfinished()
    return _read_after(source, word.end(), name)


def _read_after(source: Source, position: int, name: str) -> Reading:
    """The arguments after a name and the tokens that stand between them."""
    between = _BETWEEN.match(source.text, position)
    found = read_arguments(source, between.end() if between else position, name)
    if isinstance(found, Verdict) or between is None or not between["fence"]:
        return found
    closing = _FENCE_END.match(source.text, found.end)
    if closing:
        return Found(found.calls, closing.end())
    return source.unfinished() if "```".startswith(source.text[found.end :].strip()) else Verdict.NEVER
