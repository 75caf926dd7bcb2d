"""Read-only text of any length in one widget: lines are read, wrapped and drawn when they are seen.

Where the text comes from is a `Source`; a list of lines is one. Text can be selected with the mouse and copied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from pygent.tui.panes.line_scroll import LinesScroll
from pygent.tui.panes.line_source import Line, Match, row_cut, shifted
from pygent.tui.panes.rows import ROLES

__all__ = ["Line", "LinesView"]

SELECTED = 4 * 1024 * 1024
"""Characters of a selection at most."""


class Row(NamedTuple):
    """What stands in a row: its line, which of the line's rows it is, how many units into the line it begins."""

    number: int
    part: int
    at: int
    line: Line


class LinesView(LinesScroll):
    """Scrolls over lines and draws them. With ``numbers`` each has its number before it."""

    DEFAULT_CSS = """
    LinesView {
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        & > .lines--muted { color: $text-muted; }
        & > .lines--primary { color: $text-primary; }
        & > .lines--secondary { color: $text-secondary; }
        & > .lines--accent { color: $text-accent; }
        & > .lines--success { color: $text-success; }
        & > .lines--warning { color: $text-warning; }
        & > .lines--error { color: $text-error; }
        & > .lines--strong { text-style: bold; }
        & > .lines--match { background: $warning-muted; color: $text-warning; text-style: bold; }
        & > .lines--found { background: $warning; color: $background; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"lines--{role}" for role in ROLES), "lines--match", "lines--found"}

    def __init__(self, *, numbers: bool = False, wrap: bool = True, id: str | None = None) -> None:  # noqa: A002
        super().__init__(numbers=numbers, wrap=wrap, id=id)
        self._styles: dict[str, Style] = {}
        self._pattern: re.Pattern[str] | None = None
        self._found: Match | None = None

    @property
    def allow_select(self) -> bool:
        return True

    def mark(self, pattern: re.Pattern[str] | None, found: Match | None = None) -> None:
        """Make what ``pattern`` finds stand out, and ``found`` most."""
        self._pattern, self._found = pattern, found
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    # Drawing.

    def row(self, row: int) -> Row | None:
        """What stands in a row, None below the last. Of a long line that is not wrapped, what is in sight."""
        index, part = self._layout.place(row)
        if not 0 <= row < self._layout.total or index >= self.source.count():
            return None
        size = self.source.long(index)
        if not self.wrap:
            if not size:
                return Row(index, 0, 0, self.source.line(index))
            start = self.scroll_offset.x
            return Row(index, 0, start, self.source.piece(index, start, start + self._text_width()))
        if size:
            step = self.source.step(index, self._layout.width)
            return Row(index, part, part * step, self.source.piece(index, part * step, (part + 1) * step))
        line = self.source.line(index)
        start, end = row_cut(line.text, self._layout.width, part)
        if start or end < len(line.text):
            line = Line(line.text[start:end], line.role, shifted(line.spans, start, end))
        return Row(index, part, start, line)

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        x, scroll_y = self.scroll_offset
        row = self.row(y + scroll_y)
        if row is None:
            return Strip.blank(width, base)
        cut = not self.wrap and not self.source.long(row.number)  # else it begins at ``x`` as it is
        text = Strip(self._segments(row, base))
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(y + scroll_y)) is not None:
            text = self._selected(text, *(cell if cell < 0 or cut else max(0, cell - x) for cell in span))
        gutter = self._gutter()
        if cut:
            text = text.crop(x, x + width - gutter)
        text = text.adjust_cell_length(width - gutter, base).apply_offsets(x, y + scroll_y)
        if not gutter:
            return text
        number = str(row.number + 1) if row.part == 0 else ""
        return Strip.join([Strip([Segment(f"{number:>{gutter - 2}}  ", base + self._style("muted"))], gutter), text])

    def _segments(self, row: Row, base: Style) -> list[Segment]:
        text, role, spans = row.line
        plain = base + self._style(role)
        if self._pattern is not None and (marks := list(self._pattern.finditer(text))):
            spans = (*spans, *((mark.start(), mark.end(), self._mark_role(row, mark.start())) for mark in marks))
            return _overlaid(text, spans, plain, {name: base + self._style(name) for _, _, name in spans})
        segments: list[Segment] = []
        at = 0
        for first, last, name in spans:
            if first > at:
                segments.append(Segment(text[at:first], plain))
            segments.append(Segment(text[max(at, first) : last], base + self._style(name)))
            at = max(at, last)
        if at < len(text):
            segments.append(Segment(text[at:], plain))
        return segments

    def _mark_role(self, row: Row, start: int) -> str:
        found = self._found
        if found is None or found.line != row.number:
            return "match"
        return "found" if not self.source.long(row.number) or found.at == row.at + start else "match"

    def _style(self, role: str) -> Style:
        style = self._styles.get(role)
        if style is None:
            found = self.get_component_rich_style(f"lines--{role}", partial=True) if role else Style.null()
            ground = found.bgcolor if role in {"match", "found"} else None
            style = self._styles[role] = Style(color=found.color, bgcolor=ground, bold=found.bold or None)
        return style

    # Selecting.

    def _selected(self, strip: Strip, start: int, end: int) -> Strip:
        marked = self.screen.get_component_rich_style("screen--selection")
        length = strip.cell_length
        end = length if end < 0 else min(end, length)
        if start >= end:
            return strip
        before, inside, after = strip.crop(0, start), strip.crop(start, end), strip.crop(end, length)
        return Strip.join([before, inside.apply_style(Style(bgcolor=marked.bgcolor)), after])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        first = selection.start.y if selection.start else 0
        last = selection.end.y if selection.end else self._layout.total - 1
        out: list[str] = []
        size = 0
        for number in range(first, last + 1):
            self._layout.count_rows(number, number + 1)
            row = self.row(number)
            span = selection.get_span(number)
            if row is None or span is None:
                continue
            text = row.line.text[span[0] : None if span[1] < 0 else span[1]]
            out.append(("\n" if row.part == 0 and out else "") + text)
            size += len(out[-1])
            if size > SELECTED:
                self.app.notify("Only the beginning of the selection is taken.", severity="warning", markup=False)
                break
        return "".join(out), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()


def _overlaid(
    text: str, spans: Sequence[tuple[int, int, str]], plain: Style, styles: dict[str, Style]
) -> list[Segment]:
    """``text`` in pieces, each in the style of the last span that covers it."""
    edges = sorted({0, len(text), *(edge for first, last, _ in spans for edge in (first, last) if edge < len(text))})
    segments = []
    for start, end in pairwise(edges):
        style = plain
        for first, last, name in spans:
            if first <= start and last >= end:
                style = styles[name]
        segments.append(Segment(text[start:end], style))
    return segments
