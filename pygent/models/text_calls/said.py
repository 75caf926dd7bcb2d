"""Calls between words: ReAct's ``Action:`` lines, a call that is a line or the whole reply, Harmony's channels."""

from __future__ import annotations

import re

from pygent.models.text_calls.payload import read_payload
from pygent.models.text_calls.source import Found, Reading, Source, Verdict
from pygent.models.text_calls.values import could_be_call, read_arguments, read_json, read_python

ACTION = re.compile(r"(?m:^)[ \t]{0,40}\*{0,2}Action:\*{0,2}\s{0,40}(?=\S)")
CHANNEL = re.compile(r"<\|channel\|>[^<\n]{0,100}?\bto=(?P<to>[\w.-]{1,100})[^<\n]{0,40}(?=<)")
LINE = re.compile(r"(?m:^)[ \t]{0,40}`?(?=[\[{]|(?P<called>[\w.]{1,80})\()")

_ACTION_NAME = re.compile(r"`?(?P<name>[\w.-]+)`?(?P<alone>[^\S\n]*(?:\n|\Z))?")
_INPUT = re.compile(r"\s*\**Action[ _]Input:\**[ \t]*")
_FENCE = re.compile(r"```\w*\s*")
_FENCE_END = re.compile(r"\s*```")
_MESSAGE = re.compile(r"(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>")
_BEGUN_MESSAGE = re.compile(r"(?:<[^<>\n]{0,20}(?:>\s*\w*\s*)?)*\Z")
_CHANNEL_END = re.compile(r"\s*<\|(?:call|end|return)\|>")
_LINE_END = re.compile(r"[ \t]*`?[ \t]*(?:\r?\n|\Z)")


def read_action(source: Source, opener: re.Match[str]) -> Reading:
    """``Action: name`` with ``Action Input:`` on a line below, JSON or the one text that the tool needs."""
    text = source.text
    name = _ACTION_NAME.match(text, opener.end())
    if name is not None and name.end() == len(text) and not source.final:
        return Verdict.MORE
    if name is None or name["alone"] is None:  # Action: {"name": …}, or a fenced block of that
        return read_payload(source, opener.end())
    if source.known(name["name"]) is None:
        source.call(name["name"], {})
        return Verdict.NEVER
    given = _INPUT.match(text, name.end())
    if given is not None:
        return _read_input(source, given.end(), name["name"])
    if "Action Input:".startswith(text[name.end() :].strip(" \t\r\n*").replace("_", " ")) and not source.final:
        return Verdict.MORE
    call = source.call(name["name"], {})
    return Found([call], name.end()) if call else Verdict.NEVER


def _read_input(source: Source, position: int, name: str) -> Reading:
    text = source.text
    start = source.skip(position)
    fence = _FENCE.match(text, start)
    found = read_arguments(source, fence.end() if fence else start, name)
    if isinstance(found, Found) and fence:
        closing = _FENCE_END.match(text, found.end)
        return Found(found.calls, closing.end()) if closing else source.unfinished()
    if found is not Verdict.NEVER or text[start : start + 1] in {"{", "`"}:
        return found
    end = text.find("\n", start)
    if end < 0 and not source.final:
        return Verdict.MORE
    end = len(text) if end < 0 else end
    call = source.call_with(name, text[start:end].strip())
    return Found([call], end) if call else Verdict.NEVER


def read_channel(source: Source, opener: re.Match[str]) -> Reading:
    """``<|channel|>commentary to=functions.name <|constrain|>json<|message|>{…}<|call|>``."""
    message = _MESSAGE.match(source.text, opener.end())
    if message is None:
        return source.unfinished() if _BEGUN_MESSAGE.match(source.text, opener.end()) else Verdict.NEVER
    found = read_arguments(source, message.end(), opener["to"])
    if isinstance(found, Verdict):
        return found
    closing = _CHANNEL_END.match(source.text, found.end)
    if closing:
        return Found(found.calls, closing.end())
    rest = source.text[found.end :].strip()
    if not rest or "<|call|>".startswith(rest) or "<|return|>".startswith(rest) or "<|end|>".startswith(rest):
        return Found(found.calls, len(source.text)) if source.final else Verdict.MORE
    return Found(found.calls, found.end)


def read_line(source: Source, opener: re.Match[str]) -> Reading:
    """A call that stands on lines of its own, as JSON or as Python writes it.

    A call without a named argument may be a sentence, such as ``stop()``: it has to be the last thing that is said.
    """
    text, start = source.text, opener.end()
    if opener["called"] and source.known(opener["called"].removesuffix(".call")) is None:
        return Verdict.NEVER
    weak = False
    if text[start] == "{" or (text[start] == "[" and _is_json(source, start)):
        if not could_be_call(source, start):
            return Verdict.NEVER
        found = read_json(source, start)
    else:
        found = read_python(source, start, named_only=True)
        if found is Verdict.NEVER:
            weak = True
            found = read_python(source, start)
    if isinstance(found, Verdict):
        return found
    if found.end == len(text) and not source.final:
        return Verdict.MORE
    if weak:
        rest = text[found.end :].strip(" \t\r\n`")
        return Verdict.NEVER if rest else Found(found.calls, len(text)) if source.final else Verdict.MORE
    ended = _LINE_END.match(text, found.end)
    if ended is None or (not ended[0].endswith("\n") and not source.final):
        begun = text[found.end :].strip(" \t`\r")
        return Verdict.MORE if not begun and not source.final else Verdict.NEVER
    return Found(found.calls, found.end + len(ended[0].rstrip("\r\n")))


def _is_json(source: Source, start: int) -> bool:
    inner = source.skip(start, " \t\r\n[")
    return inner == len(source.text) or source.text[inner] in "{]\"'0123456789"
