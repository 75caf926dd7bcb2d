"""A widget that scrolls over lines of any number and length; how they are drawn is a subclass's.

Rows that nobody has seen yet are guessed and counted in small portions while nothing else is to do, so that neither a
million lines nor a line of 50 MB keeps a key waiting.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.timer import Timer

from pygent.tui.panes.line_layout import Layout
from pygent.tui.panes.line_source import Line, ListSource, Source, row_cut

AHEAD = 0.004
"""Seconds that rows are counted ahead at once, ``PAUSE`` seconds apart; every ``APPLIED``th time the view follows."""

PAUSE = 0.03
APPLIED = 8


class LinesScroll(ScrollView, can_focus=True):
    """Knows which lines are in sight. With ``numbers`` there is room for each one's number before it."""

    wrap: reactive[bool] = reactive(True, init=False)

    def __init__(self, *, numbers: bool = False, wrap: bool = True, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.numbers = numbers
        self.set_reactive(LinesScroll.wrap, wrap)
        self.source: Source = ListSource(())
        self._layout = Layout(self.source, 1, wrap=wrap)
        self._counting: Timer | None = None
        self._portions = 0
        self._settling = False

    # What is shown.

    def set_lines(self, lines: Sequence[Line], *, follow: bool = False) -> None:
        """Show ``lines``. With ``follow`` the end stays in sight where it was."""
        self.set_source(ListSource(lines), follow=follow)

    def set_source(self, source: Source, *, follow: bool = False) -> None:
        """Show the lines of ``source``."""
        at_end = self.at_end
        self.source = source
        self._lay_out()
        if follow and at_end:
            self.go_to_end()

    def grew(self, line: int, *, follow: bool = False) -> None:
        """The source has more; ``line`` and what follows may have changed. ``follow`` as in ``set_lines``."""
        at_end = self.at_end
        self._layout.grew(line)
        self._resize_text()
        self._settle()
        self._count_ahead()
        self.refresh()
        if follow and at_end:
            self.go_to_end()

    @property
    def at_end(self) -> bool:
        """Whether the last row is in sight."""
        return self.scroll_offset.y >= self.max_scroll_y

    @property
    def top(self) -> int:
        """The first line that is in sight."""
        return self._layout.place(self.scroll_offset.y)[0]

    def go_to_line(self, line: int, at: int = 0) -> None:
        """Bring a line into sight, or the row of it that has its unit ``at``, with a few rows above."""
        self._layout.count_lines(line, line)
        self._resize_text()
        row = self._layout.row_of(line, self._part_of(line, at) if self.wrap and at else 0)
        inside = self.scroll_offset.y <= row < self.scroll_offset.y + self.size.height - 1
        self._go(self.scroll_offset.y if inside and at else max(0, row - self.size.height // 3 if at else row))
        if not self.wrap:
            x = self.scroll_offset.x
            if not x <= at < x + self._text_width():
                self.scroll_to(x=max(0, at - self._text_width() // 2), animate=False, immediate=True, force=True)

    def go_to_share(self, share: float) -> None:
        """Go to a part of the whole, 0 the beginning and 1 the end."""
        self._go(round(self.max_scroll_y * max(0.0, min(1.0, share))))

    def go_to_end(self) -> None:
        """Show the last row."""
        for _ in range(4):  # what comes into sight is counted, and the end may be further then
            self._go(self.max_scroll_y)
            if self.at_end:
                break

    def _go(self, y: float) -> None:
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def _part_of(self, line: int, at: int) -> int:
        width = self._layout.width
        if self.source.long(line):
            return at // self.source.step(line, width)
        text = self.source.line(line).text
        return next((part for part in range(len(text) + 1) if row_cut(text, width, part)[1] > at), 0)

    # Laying out.

    def _lay_out(self) -> None:
        self._layout = Layout(self.source, self._text_width(), wrap=self.wrap)
        self._resize_text()
        self._settle()
        self._count_ahead()
        self.refresh()

    def _resize_text(self) -> None:
        width = 0 if self.wrap else self._layout.widest + self._gutter()
        size = Size(width, self._layout.total)
        if size != self.virtual_size:
            self.virtual_size = size

    def _settle(self, came_from: float | None = None) -> None:
        """Count the rows in sight. Where the reader came up a little, what was in sight stays where it was."""
        if self._settling:
            return
        self._settling = True
        try:
            y, height = self.scroll_offset.y, max(1, self.size.height)
            bottom = self._layout.place(y + height - 1)[0]
            before = self._layout.total
            if self._layout.count_rows(y, y + height):
                above = came_from is not None and 0 < came_from - y <= 2 * height
                self._resize_text()
                if above and bottom >= 0 and self._layout.total != before:
                    self._go(y + self._layout.total - before)
                    self._layout.count_rows(self.scroll_offset.y, self.scroll_offset.y + height)
                    self._resize_text()
        finally:
            self._settling = False

    def _count_ahead(self) -> None:
        if self._counting is None and self.is_attached:
            self._counting = self.set_interval(PAUSE, self._portion)

    def _portion(self) -> None:
        more = self._layout.count_ahead(AHEAD)
        self._portions += 1
        if more and self._portions % APPLIED:
            return
        at_end, (line, part) = self.at_end, self._layout.place(self.scroll_offset.y)
        if self._layout.apply():
            self._resize_text()
            if at_end:
                self.go_to_end()
            elif (row := self._layout.row_of(line, part)) != self.scroll_offset.y:
                self._go(row)
        if not more and self._counting is not None:
            self._counting.stop()
            self._counting = None

    def _gutter(self) -> int:
        return len(str(self.source.count())) + 2 if self.numbers else 0

    def _text_width(self) -> int:
        return max(1, self.scrollable_content_region.width - self._gutter())

    def on_resize(self) -> None:
        self._fit()

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        if shown:  # it is not told where the view is while it is hidden
            self.vertical_scrollbar.position = self.scroll_y
        self._fit()

    def _fit(self) -> None:
        """The room for text may be another."""
        if self._text_width() != self._layout.width:
            top, at_end = self.top, self.at_end
            self._lay_out()
            if at_end:
                self.go_to_end()
            elif self.wrap and top:
                self.go_to_line(top)
        self._settle()

    def watch_wrap(self) -> None:
        top = self.top
        self._lay_out()
        self.go_to_line(top)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._settle(old_value)

    # Keys. The view jumps at once: an animated way through a million rows helps nobody.

    def action_wrap(self) -> None:
        self.wrap = not self.wrap

    def action_scroll_up(self) -> None:
        self._go(self.scroll_offset.y - 1)

    def action_scroll_down(self) -> None:
        self._go(self.scroll_offset.y + 1)

    def action_page_up(self) -> None:
        self._go(self.scroll_offset.y - max(1, self.size.height - 1))

    def action_page_down(self) -> None:
        self._go(self.scroll_offset.y + max(1, self.size.height - 1))

    def action_scroll_home(self) -> None:
        self._go(0)

    def action_scroll_end(self) -> None:
        self.go_to_end()
