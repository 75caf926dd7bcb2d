"""The text of a list of blocks as it is on the screen: scrolled by key, selected with the mouse or by key."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from pygent.tui.widgets.block_list import BlockList, highlighted
from pygent.tui.wrap import Aside, Joint, Line, cells

if TYPE_CHECKING:
    from pygent.tui.widgets.select_mode import SelectMode

_WORD = re.compile(r"[\w./~@#%:+-]+|\S")
_CURSOR = Style(reverse=True)


class BlockText(BlockList):
    """Knows what each row says, and which part of it is selected. Margins and numbers are no text."""

    select_mode: SelectMode | None = None
    """Where text is selected by key just now."""

    @property
    def row_total(self) -> int:
        """How many rows there are."""
        return self._rows.total

    def line_at(self, row: int) -> Line:
        """What is drawn at a row, without any marks."""
        index, offset = self._rows.find(row)
        return self.drawn(index).line(offset)

    # Scrolling by key: at once, since a place that is measured on the way cannot be reached by degrees.

    def action_scroll_home(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_scroll_end(self) -> None:
        self.follow()

    def action_scroll_up(self) -> None:
        self.scroll_by(-1)

    def action_scroll_down(self) -> None:
        self.scroll_by(1)

    def action_page_up(self) -> None:
        self.page(-1)

    def action_page_down(self) -> None:
        self.page(1)

    def page(self, pages: int) -> None:
        """Go up or down by whole pages, one line of which stays in sight."""
        self.scroll_by(pages * max(1, self.scrollable_content_region.height - 1))

    def scroll_by(self, rows: int) -> None:
        """Go up or down, at once."""
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False)

    # What is selected.

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text. What was only broken to fit is one line again."""
        if not self._rows.total:
            return None
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else self._rows.total - 1
        rows = range(max(0, first), min(last, self._rows.total - 1) + 1)
        out: list[str] = []
        for row in rows:
            line = self.line_at(row)
            joint = next((segment.BETWEEN for segment in line if isinstance(segment, Joint)), "\n")
            out += [joint if out else "", text_between(line, *(self._span(selection, row) or (0, 0)))]
        return "".join(out), "\n"

    def _span(self, selection: Selection, row: int) -> tuple[int, int] | None:
        """The selected cells of a row: only those in the column in which the selection began."""
        span = selection.get_span(row)
        if span is None:
            return None
        block = self.blocks[self._rows.find(row)[0]]
        first, last = block.column(selection.start.x if selection.start is not None else 0, self._width)
        return max(span[0], first), last if span[1] == -1 else min(span[1], last)

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def select_text(self, start: Offset, end: Offset) -> None:
        """Select from one place to before another, both in cells and rows of the whole list."""
        self.screen.selections = {self: Selection(start, end)}

    def select_word(self, row: int, x: int) -> None:
        """Select the word at a place."""
        text = "".join(segment.text for segment in self.line_at(row))
        for match in _WORD.finditer(text):
            start, end = cell_len(text[: match.start()]), cell_len(text[: match.end()])
            if start <= x < end:
                self.select_text(Offset(start, row), Offset(end, row))

    def select_line(self, row: int) -> None:
        """Select what a row says."""
        self.select_text(Offset(0, row), Offset(cells(self.line_at(row)), row))

    def decorated(self, strip: Strip, index: int, offset: int, row: int) -> Strip:
        strip = super().decorated(strip, index, offset, row)
        selection = self.text_selection
        if selection is not None and (span := self._span(selection, row)) is not None:
            for part in _text_spans(self.line_at(row), *span):
                strip = highlighted(strip, part, self.palette.selection)
        if self.select_mode is not None and (x := self.select_mode.cursor_in(row)) is not None:
            strip = highlighted(strip, (x, x + 1), _CURSOR)
        return strip


def text_between(line: Line, start: int, end: int) -> str:
    """The text of a line between two cells, without what stands beside it; ``end`` may be -1, for the line's."""
    out: list[str] = []
    at = 0
    end = sys.maxsize if end == -1 else end
    for segment in line:
        size = segment.cell_length
        if not isinstance(segment, Aside) and at < end and at + size > start:
            whole = at >= start and at + size <= end
            out.append(segment.text if whole else Strip([segment]).crop(max(0, start - at), end - at).text)
        at += size
    return "".join(out).rstrip()


def _text_spans(line: Line, start: int, end: int) -> list[tuple[int, int]]:
    """The cells between two of a line that are text."""
    out: list[tuple[int, int]] = []
    at = 0
    end = sys.maxsize if end == -1 else end
    for segment in line:
        first, last = max(start, at), min(end, at + segment.cell_length)
        if not isinstance(segment, Aside) and first < last:
            joins = bool(out) and out[-1][1] == first
            out[-1:] = [(out[-1][0], last)] if joins else [*out[-1:], (first, last)]
        at += segment.cell_length
    return out


def characters(line: Line) -> list[tuple[str, int]]:
    """The characters of a line's text, each with the cell where it begins."""
    out: list[tuple[str, int]] = []
    at = 0
    for segment in line:
        if isinstance(segment, Aside):
            at += segment.cell_length
            continue
        for char in segment.text:
            out.append((char, at))
            at += 1 if char.isascii() else cell_len(char)
    while out and out[-1][0] == " ":
        out.pop()
    return out
