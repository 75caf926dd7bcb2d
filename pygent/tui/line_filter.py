"""The last door before the terminal: no control character of any text goes through it.

Textual writes the text of a segment as it is, so a title, a toast or a cell with an escape sequence in it would be
obeyed by the terminal. Every line passes this filter, whatever widget drew it.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from pygent.tui.text import UNSEEN

_SURROGATES = re.compile("[\ud800-\udfff]")
"""Undecodable bytes of file names; a terminal's encoder would raise on them."""


class SafeText(LineFilter):
    """Takes controls and reordering characters out of every line. They have no width, so the layout stays."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        for index, (text, style, control) in enumerate(segments):
            if control or (not text.isascii() or not text.isprintable()) or (style is not None and style.link):
                return segments[:index] + [_safe(segment) for segment in segments[index:]]
        return segments


class _Chain(LineFilter):
    """Several filters in one: each filter of Textual's makes a new strip of every line."""

    def __init__(self, filters: tuple[LineFilter, ...]) -> None:
        super().__init__()
        self._filters = filters

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        for one in self._filters:
            segments = one.apply(segments, background)
        return segments


class Spelled(LineFilter):
    """Signs that the terminal's encoding does not have, spelled with those it has; their width stays."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(spelled(segment.text, self._encoding), segment.style)
            for segment in segments
        ]


@lru_cache(4096)
def spelled(text: str, encoding: str) -> str:
    """``text`` in characters of ``encoding``."""
    from pygent.tui.ascii_signs import SIGNS  # noqa: PLC0415 - where a terminal has no UTF-8

    out = []
    for char in text:
        try:
            char.encode(encoding)
            out.append(char)
        except UnicodeEncodeError:
            out.append(SIGNS.get(char) or "?" * cell_len(char))
    return "".join(out)


def foreign_encoding() -> str:
    """The encoding of the terminal where it is not UTF-8, else ""."""
    screen = sys.__stderr__  # where Textual draws
    if screen is None or not screen.isatty():
        return ""
    encoding = screen.encoding or "ascii"
    return "" if "utf" in encoding.lower() else encoding


@lru_cache(8)  # the same object for the same filters, since strips remember what a filter made of them
def safe_after(*filters: LineFilter, colours: str | None = None) -> LineFilter:
    """One filter that applies ``filters``, then ``SafeText``, and what a terminal needs that has no more than it has.

    ``colours`` is the terminal's colour system, as Rich calls it.
    """
    if colours == "256":
        from pygent.tui.colours_256 import Colours256  # noqa: PLC0415 - for those terminals

        filters = (*filters, Colours256())
    encoding = foreign_encoding()
    return _Chain((*filters, SafeText(), *([Spelled(encoding)] if encoding else [])))


def _safe(segment: Segment) -> Segment:
    text, style, control = segment
    if control:
        return Segment("", style)
    if not text.isprintable():
        text = _SURROGATES.sub("�", UNSEEN.sub("", text.replace("\t", " ").replace("\n", "")))
    if style is not None and style.link:
        style = _safe_style(style)
    return Segment(text, style)


@lru_cache(256)
def _safe_style(style: Style) -> Style:
    link = style.link or ""
    if UNSEEN.search(link) or "\n" in link or not link.startswith(("http://", "https://")):
        return style.update_link(None)
    return style
