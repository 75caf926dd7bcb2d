"""Read-only text of any length in one widget: lines are wrapped and drawn when they are seen.

Text can be selected with the mouse and copied. A very long line is cut at `LONGEST`, a very long text at `MOST`; both
say so, since a viewer that stops answering shows nothing at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from pygent.tui.panes.rows import ROLES

LONGEST = 20_000
"""Characters of one line that are shown."""

MOST = 200_000
"""Lines that are shown."""


class Line(NamedTuple):
    """A line with its role (see `rows.ROLES`, or ""), and the roles of parts of it as (start, end, role)."""

    text: str
    role: str = ""
    spans: tuple[tuple[int, int, str], ...] = ()


class LinesView(ScrollView, can_focus=True):
    """Scrolls over lines. With ``numbers`` each has its number before it."""

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
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{role}" for role in ROLES}

    wrap: reactive[bool] = reactive(True, init=False)

    def __init__(self, *, numbers: bool = False, wrap: bool = True, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.numbers = numbers
        self.set_reactive(LinesView.wrap, wrap)
        self._lines: Sequence[Line] = ()
        self._ends: list[int] = []  # for each line, the row after its last
        self._wrapped_to = 0
        self._styles: dict[str, Style] = {}

    @property
    def allow_select(self) -> bool:
        return True

    def set_lines(self, lines: Sequence[Line], *, follow: bool = False) -> None:
        """Show ``lines``. With ``follow`` the end stays in sight where it was."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        if len(lines) > MOST:
            note = Line(f"… {len(lines) - MOST:,} more lines are not shown", "warning")
            lines = [*lines[:MOST], note]
        self._lines = [_bounded(line) for line in lines]
        self._lay_out()
        if follow and at_end:
            self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)

    def _lay_out(self) -> None:
        width = self._text_width()
        self._wrapped_to = width
        if self.wrap and width > 0:
            self._ends = list(accumulate(_row_count(line.text, width) for line in self._lines))
            self.virtual_size = Size(0, self._ends[-1] if self._ends else 0)
        else:
            self._ends = []
            widest = max((cell_len(line.text) for line in self._lines), default=0)
            self.virtual_size = Size(widest + self._gutter(), len(self._lines))
        self.refresh()

    def _gutter(self) -> int:
        return len(str(len(self._lines))) + 2 if self.numbers else 0

    def _text_width(self) -> int:
        return self.scrollable_content_region.width - self._gutter()

    def on_resize(self) -> None:
        if self._text_width() != self._wrapped_to:
            top, _ = self._place(self.scroll_offset.y)
            self._lay_out()
            if self.wrap and top and top <= len(self._ends):
                self.scroll_to(y=self._ends[top - 1], animate=False, immediate=True, force=True)

    def watch_wrap(self) -> None:
        self._lay_out()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def _place(self, row: int) -> tuple[int, int]:
        """The line that a row shows, and which of its rows it is."""
        if not self._ends:
            return row, 0
        line = bisect_right(self._ends, row)
        return line, row - (self._ends[line - 1] if line else 0)

    def _piece(self, row: int) -> tuple[Line, int, int, int] | None:
        """The line of a row, its number, and from where to where the row shows it."""
        index, part = self._place(row)
        if not 0 <= index < len(self._lines):
            return None
        line = self._lines[index]
        if not self._ends:
            return line, index, 0, len(line.text)
        start, end = _cut(line.text, self._wrapped_to, part)
        return line, index, start, end

    def _style(self, role: str) -> Style:
        style = self._styles.get(role)
        if style is None:
            found = self.get_component_rich_style(f"lines--{role}", partial=True) if role else Style.null()
            style = self._styles[role] = Style(color=found.color, bold=found.bold or None)
        return style

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        scroll_x, scroll_y = self.scroll_offset
        row = y + scroll_y
        piece = self._piece(row)
        if piece is None:
            return Strip.blank(width, base)
        line, index, start, end = piece
        segments = self._segments(line, start, end, base)
        selection = self.text_selection
        text = Strip(segments)
        if selection is not None and (span := selection.get_span(row)) is not None:
            text = self._selected(text, *span)
        gutter = self._gutter()
        if not self._ends:
            text = text.crop(scroll_x, scroll_x + width - gutter)
        text = text.adjust_cell_length(width - gutter, base).apply_offsets(scroll_x, row)
        if not gutter:
            return text
        number = str(index + 1) if start == 0 else ""
        return Strip.join([Strip([Segment(f"{number:>{gutter - 2}}  ", base + self._style("muted"))], gutter), text])

    def _segments(self, line: Line, start: int, end: int, base: Style) -> list[Segment]:
        plain = base + self._style(line.role)
        segments = []
        at = start
        for first, last, role in line.spans:
            if last <= at:
                continue
            if first >= end:
                break
            if first > at:
                segments.append(Segment(line.text[at:first], plain))
            cut = min(last, end)
            segments.append(Segment(line.text[max(at, first) : cut], base + self._style(role)))
            at = cut
        if at < end:
            segments.append(Segment(line.text[at:end], plain))
        return segments

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
        last = selection.end.y if selection.end else self.virtual_size.height - 1
        out: list[str] = []
        for row in range(first, last + 1):
            piece = self._piece(row)
            span = selection.get_span(row)
            if piece is None or span is None:
                continue
            line, _, start, end = piece
            text = line.text[start:end]
            out.append(("\n" if start == 0 and out else "") + text[span[0] : None if span[1] < 0 else span[1]])
        return "".join(out), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def action_wrap(self) -> None:
        self.wrap = not self.wrap


def _bounded(line: Line) -> Line:
    if len(line.text) <= LONGEST:
        return line
    more = len(line.text) - LONGEST
    return Line(f"{line.text[:LONGEST]} … {more:,} more characters", line.role, line.spans)


def _row_count(text: str, width: int) -> int:
    if len(text) <= width and text.isascii():
        return 1
    if text.isascii():
        return -(-len(text) // width)
    return len(_pieces(text, width))


def _cut(text: str, width: int, part: int) -> tuple[int, int]:
    if text.isascii():
        return part * width, min(len(text), (part + 1) * width)
    starts = _pieces(text, width)
    start = starts[part] if part < len(starts) else len(text)
    return start, starts[part + 1] if part + 1 < len(starts) else len(text)


@lru_cache(maxsize=512)
def _pieces(text: str, width: int) -> tuple[int, ...]:
    """Where the rows of a text with wide characters begin."""
    starts, at = [], 0
    for piece in chop_cells(text, max(2, width)):
        starts.append(at)
        at += len(piece)
    return tuple(starts) or (0,)
