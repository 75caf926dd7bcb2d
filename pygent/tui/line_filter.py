"""The last door before the terminal: no control character of any text goes through it.

Textual writes the text of a segment as it is, so a title, a toast or a cell with an escape sequence in it would be
obeyed by the terminal. Every line passes this filter, whatever widget drew it.
"""

from __future__ import annotations

import re
from functools import lru_cache

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


@lru_cache(8)  # the same object for the same filters, since strips remember what a filter made of them
def safe_after(*filters: LineFilter) -> LineFilter:
    """One filter that applies ``filters``, then ``SafeText``."""
    return _Chain((*filters, SafeText()))


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
