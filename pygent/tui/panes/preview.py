"""A file's content made ready to look at: bounded, decoded, coloured by its language. Made for a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from pygent.errors import PygentError
from pygent.tui.panes.lines import Line
from pygent.tui.panes.text import size_of, visible
from pygent.tui.text import plural

MOST_BYTES = 512 * 1024
"""Of a larger file only this much is shown."""

COLOURED = 128 * 1024
"""Characters; a longer text is shown without colours, since finding them takes seconds."""

_TAB = 4

Read: TypeAlias = Callable[[str, int], tuple[bytes, int]]
"""Answers so many bytes of a file at most, from its beginning, and its size."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Lines to show, and one line about them. ``numbered`` where they are the file's own."""

    lines: list[Line]
    about: str
    numbered: bool = True


def load_preview(read: Read, path: str, *, most: int = MOST_BYTES) -> Preview:
    """The preview of ``path``. Problems become the preview's text."""
    try:
        data, size = read(path, most)
    except (OSError, PygentError) as error:
        return _message("Cannot be shown", str(error), "error")
    about = size_of(size)
    text = decoded(data, whole=size <= most)
    if text is None:
        return _message("Binary file", "Its bytes are not text, so there is nothing to read here.", "", about)
    if not data:
        return _message("Empty file", "There is nothing in it.", "", about)
    lines = list(_lines(path, text))
    if size > most:
        lines.append(Line(f"… the first {size_of(most)} of {about} are shown", "warning"))
    else:
        about = f"{plural(len(lines), 'line')} · {about}"
    return Preview(lines, about)


def _message(title: str, text: str, role: str, about: str = "") -> Preview:
    body = [Line(visible(line), "muted") for line in text.splitlines()]
    return Preview([Line(title, role or "strong"), *body], about or title.lower(), numbered=False)


def decoded(data: bytes, *, whole: bool = True) -> str | None:
    """The text of ``data``, None where it is none. A character cut at the end is left out."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not whole and error.start >= len(data) - 3:
            return data[: error.start].decode("utf-8-sig")
        text = data.decode("utf-8", "replace")
        return text if text.count("\ufffd") * 10 < len(text) else None


def _lines(path: str, text: str) -> Iterator[Line]:
    raw = text.replace("\r\n", "\n").expandtabs(_TAB)
    lines = [visible(line) for line in raw.removesuffix("\n").split("\n")]
    spans = _spans(path, "\n".join(lines)) if len(raw) <= COLOURED else None
    for number, line in enumerate(lines):
        yield Line(line, "", tuple(spans.get(number, ())) if spans else ())


def _spans(path: str, text: str) -> dict[int, list[tuple[int, int, str]]] | None:
    """For each line the parts that have a role, None where no language is known."""
    from pygments.lexers import (  # type: ignore[import-untyped]  # noqa: PLC0415 - only once a file is looked at
        get_lexer_for_filename,
    )
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        lexer = get_lexer_for_filename(path.rpartition("/")[2], stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    out: dict[int, list[tuple[int, int, str]]] = {}
    line = at = 0
    for kind, value in lexer.get_tokens(text):
        role = _role(kind)
        for index, piece in enumerate(value.split("\n")):
            if index:
                line, at = line + 1, 0
            if role and piece.strip():
                out.setdefault(line, []).append((at, at + len(piece), role))
            at += len(piece)
    return out


def _role(kind: Any) -> str:  # a pygments token type is a tuple that knows its parents
    from pygments.token import Token  # type: ignore[import-untyped]  # noqa: PLC0415

    names = {
        Token.Comment: "muted",
        Token.Keyword: "primary",
        Token.Operator.Word: "primary",
        Token.Literal.String: "success",
        Token.Literal.Number: "warning",
        Token.Keyword.Constant: "warning",
        Token.Name.Function: "accent",
        Token.Name.Class: "accent",
        Token.Name.Decorator: "accent",
        Token.Name.Builtin: "secondary",
        Token.Name.Tag: "primary",
        Token.Name.Attribute: "secondary",
        Token.Generic.Heading: "strong",
        Token.Generic.Subheading: "strong",
        Token.Generic.Strong: "strong",
        Token.Generic.Inserted: "success",
        Token.Generic.Deleted: "error",
    }
    while kind is not None:
        if kind in names:
            return names[kind]
        kind = kind.parent
    return ""
