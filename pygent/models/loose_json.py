"""JSON as models write it: where a value ends, and what it means.

Read are, besides JSON itself: raw control characters in strings, trailing commas, Python's and JavaScript's strings
(``'…'``, three quotes, backticks), ``True``, ``False``, ``None``, keys without quotes, and a backslash before a
character that needs none.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

_STRINGS = (
    r'"""(?:[^"\\]|\\.|"(?!""))*"""',
    r"'''(?:[^'\\]|\\.|'(?!''))*'''",
    r'"[^"\\]*(?:\\.[^"\\]*)*"',
    r"'[^'\\]*(?:\\.[^'\\]*)*'",
    r"`[^`\\]*(?:\\.[^`\\]*)*`",
)
_STRING = "|".join(_STRINGS)
_MARK = re.compile(rf"(?:{_STRING})|(?P<close>\n[ \t]*```|</[\w:]+>|<[|｜])|[\[{{(\]}})\"'`]", re.DOTALL)
_MENDED = re.compile(rf"(?P<string>{_STRING})|(?P<word>[A-Za-z_]\w*)(?P<key>\s*:)?|,(?=\s*[}}\]])", re.DOTALL)
_PART = re.compile(rf"(?:{_STRING})|[\[{{(\]}})]|,", re.DOTALL)
_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", **{char: char for char in "\\\"'`"}}
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_PAIRS = {"{": "}", "[": "]", "(": ")"}
_DEEPEST = 100
"""Brackets in brackets; what walks a value, copies or encodes it must not run out of stack, wherever it is called."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a value ends, and the brackets that it lacks there, since something else closes what it stands in."""

    end: int
    missing: str = ""


def extent(text: str, start: int) -> Extent | None:
    """How far the value goes that begins with a bracket at ``start``; None where its end has not come yet."""
    open_brackets: list[str] = []
    for found in _MARK.finditer(text, start):
        mark = found[0]
        if mark in _PAIRS:
            open_brackets.append(_PAIRS[mark])
        elif found["close"]:
            return Extent(found.start(), "".join(reversed(open_brackets)))
        elif len(mark) == 1 and mark in "\"'`":
            return None  # a string that has not ended
        elif mark in {"}", "]", ")"}:
            if open_brackets.pop() != mark:
                return None
            if not open_brackets:
                return Extent(found.end())
    return None


def split(text: str) -> list[str]:
    """What stands between the commas of ``text``, with strings and brackets whole; blanks alone are left out."""
    parts: list[str] = []
    start = depth = 0
    for found in _PART.finditer(text):
        if found[0] in _PAIRS:
            depth += 1
        elif found[0] in {"}", "]", ")"}:
            depth -= 1
        elif found[0] == "," and depth == 0:
            parts.append(text[start : found.start()])
            start = found.end()
    return [part for part in (*parts, text[start:]) if part.strip()]


def loads(text: str) -> Any:
    """Parse JSON as models write it. NaN and its like are not accepted.

    Raises ``ValueError`` where it is not JSON even so, or nested more than a hundred levels deep.
    """
    try:
        value = bounded_json(text, strict=False, parse_constant=_no_constant)
    except json.JSONDecodeError:
        mended = _MENDED.sub(_mend, text)
        if mended == text:
            raise
        value = bounded_json(mended, strict=False, parse_constant=_no_constant)
    # Half of a surrogate pair is legal in JSON, but no such text can be written to a file or sent anywhere.
    return without_surrogates(value) if _ESCAPED_SURROGATE.search(text) else value


def bounded_json(text: str | bytes, **options: Any) -> Any:
    """``json.loads`` for text from outside. Raises ``ValueError`` also where a hundred levels are not enough."""
    try:
        value = json.loads(text, **options)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    marks = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    if sum(map(text.count, marks)) > _DEEPEST and _is_deep(value):  # type: ignore[arg-type]
        raise ValueError("it is nested too deeply")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            below
            for one in level
            if isinstance(one, list | dict)
            for below in (one.values() if isinstance(one, dict) else one)
            if isinstance(below, list | dict)
        ]
        if not level:
            return False
    return True


def without_surrogates(value: Any) -> Any:
    """The value with the halves of surrogate pairs joined or replaced, in all texts of it."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value


def _mend(found: re.Match[str]) -> str:
    if found["string"]:
        return json.dumps(_text_of(found["string"]))
    word, key = found["word"], found["key"]
    if word is None:
        return ""  # a trailing comma
    return json.dumps(word) + key if key else _WORDS.get(word, word)


def _text_of(string: str) -> str:
    """What a string with its quotes means."""
    if string.startswith(('"""', "'''")):
        # A line break after the opening is layout; what stands inside is code more often than not, and meant plain.
        return _plain(string[3:-3].removeprefix("\n"), string[0])
    if string[0] == "`":
        return _plain(string[1:-1], "`")
    if string[0] == '"':
        try:
            return str(json.loads(string, strict=False))
        except ValueError:
            pass
    return _ESCAPE.sub(_unescaped, string[1:-1])


def _plain(text: str, quote: str) -> str:
    return text.replace("\\" + quote, quote).replace("\\\\", "\\")


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, "\\" + code)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
