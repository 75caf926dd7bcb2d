"""A scrolling list of drawn blocks in one widget, for any number of them.

Heights are guessed until a block comes near the viewport, then it is drawn and its height is known; what the reader
looks at keeps its place meanwhile. Drawn blocks are kept in a bounded cache, so neither time nor memory grows with
the length of the conversation.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size, Spacing
from textual.message import Message
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pygent.tui.colours import Palette
from pygent.tui.contained import contained
from pygent.tui.panes.blocks.base import Block
from pygent.tui.widgets.drawn import Drawn
from pygent.tui.widgets.row_index import RowIndex
from pygent.tui.wrap import Line

KEPT = 300
"""Drawn blocks that stay in memory."""

NONE = Spacing()


class BlockList(ScrollView, can_focus=True):
    """Blocks one below the other; follows the end while the reader is there."""

    DEFAULT_CSS = """
    BlockList {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $background;
    }
    """
    # The scrollbar is always there, so a new height needs no new layout of the screen.
    virtual_size = Reactive(Size(0, 0), layout=False)

    class FollowChanged(Message):
        """The reader left the end, or came back to it."""

        def __init__(self, following: bool) -> None:
            self.following = following
            super().__init__()

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.palette = palette
        self.blocks: list[Block] = []
        self.following = True
        self._rows = RowIndex()
        self._known: list[tuple[int, int] | None] = []  # (width, version) that a height was measured for
        self._strips: OrderedDict[int, Drawn] = OrderedDict()
        self._width = 0
        self._selected: int | None = None
        self._quiet = False
        self._shown = range(0)

    def set_palette(self, palette: Palette) -> None:
        """Draw with other colours from now on."""
        self.palette = palette
        self._strips.clear()
        self.refresh()

    def extend(self, blocks: Iterable[Block], heights: Sequence[int] | None = None) -> None:
        """Add blocks at the end; ``heights`` are what they estimate for the width, where that is known already."""
        blocks = list(blocks)
        self.blocks += blocks
        self._rows.extend([block.estimate(self._width) for block in blocks] if heights is None else heights)
        self._known += [None] * len(blocks)
        self._settle()

    def touch(self, indices: Iterable[int]) -> None:
        """These blocks changed."""
        for index in indices:
            block = self.blocks[index]
            block.changed()
            if self._known[index] is None:
                self._rows.set(index, block.estimate(self._width))
        self._settle()

    def clear(self) -> None:
        """Take all blocks away."""
        self.blocks.clear()
        self._strips.clear()
        self._selected = None
        self._rebuild()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._set_following(True)
        self._settle()

    # Places and heights.

    def on_resize(self, event: events.Resize) -> None:
        width = self.scrollable_content_region.width
        if width != self._width:
            self._rebuild(width)
        else:
            self._settle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._quiet or not self._width:
            return
        self._set_following(new_value >= self.max_scroll_y)
        self._settle(upward=new_value < old_value)

    def _rebuild(self, width: int | None = None) -> None:
        """Guess all heights anew, for a width; the block at the top of the screen keeps its place."""
        top, offset = self._rows.find(self.scroll_offset.y) if self._rows.total else (0, 0)
        self._width = self._width if width is None else width
        self._rows = RowIndex(block.estimate(self._width) for block in self.blocks)
        self._known = [None] * len(self.blocks)
        self._strips.clear()
        with self._quietly():
            self.virtual_size = Size(self._width, self._rows.total)
            if top < len(self.blocks):
                self.scroll_to(y=self._rows.start(top) + min(offset, self._rows[top]), animate=False)
        self._settle()

    def _settle(self, *, upward: bool = False) -> None:
        """Measure what is on the screen and a page around it, and keep the reader's place."""
        height = self.scrollable_content_region.height
        if not self._width or not height or self._quiet:
            return
        with self._quietly():
            if self.following:
                self._measure_up(len(self.blocks) - 1, height * 2)
                self._resize_rows()
                self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            elif self.blocks:
                row = min(self.scroll_offset.y, max(0, self._rows.total - 1))
                top, offset = self._rows.find(row)
                grown = self._measure(top)
                shift = grown if upward else 0
                shift += self._measure_up(top - 1, height)
                self._measure_down(top + 1, height * 2 - self._rows[top] + offset)
                self._resize_rows()
                if shift:
                    self.scroll_to(y=self.scroll_y + shift, animate=False, force=True)
        self.refresh()

    def _resize_rows(self) -> None:
        self.virtual_size = Size(self._width, self._rows.total)

    def settle(self) -> None:
        """Blocks were folded or changed: measure and draw what is on the screen."""
        self._settle()

    def top_block(self) -> int:
        """The block at the top of the screen."""
        return self._rows.find(min(self.scroll_offset.y, self._rows.total - 1))[0] if self._rows.total > 0 else 0

    def show_row(self, index: int, offset: int = 0, *, at_top: bool = False) -> None:
        """Bring a row of a block into sight, unless it is; what follows the end stops to."""
        height = self.scrollable_content_region.height
        self._set_following(False)
        with self._quietly():
            self._measure_up(index, height)
            self._measure_down(index, height * 2)
            self._resize_rows()
        row = self._rows.start(index) + offset
        if not self.scroll_offset.y <= row < self.scroll_offset.y + height:
            self.scroll_to(y=max(0, row if at_top else row - height // 3), animate=False, force=True)
        self._settle()
        self.look_for_end()

    def look_for_end(self) -> None:
        """Follow the end where the reader is there, and only there."""
        self._set_following(self.scroll_y >= self.max_scroll_y)

    def _measure(self, index: int) -> int:
        """Know the height of one block. Answers by how much the guess was short."""
        block = self.blocks[index]
        key = (self._width, block.version)
        if self._known[index] == key:
            return 0
        self._known[index] = key
        return self._rows.set(index, len(self.drawn(index)))

    def _measure_up(self, index: int, rows: int) -> int:
        grown = 0
        while index >= 0 and rows > 0:
            grown += self._measure(index)
            rows -= self._rows[index]
            index -= 1
        return grown

    def _measure_down(self, index: int, rows: int) -> None:
        while index < len(self.blocks) and rows > 0:
            self._measure(index)
            rows -= self._rows[index]
            index += 1

    def _set_following(self, following: bool) -> None:
        if following != self.following:
            self.following = following
            self.post_message(self.FollowChanged(following))

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Changes of the scroll position in here are not the reader's."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    # Drawing.

    def drawn(self, index: int) -> Drawn:
        """The lines of a block, from memory or drawn now."""
        block = self.blocks[index]
        kept = self._strips.get(index)
        if kept is None or (kept.width, kept.version) != (self._width, block.version):
            kept = self._strips[index] = Drawn(block.version, self._width, self._lines(block), kept)
        self._strips.move_to_end(index)
        while len(self._strips) > KEPT:
            self._strips.popitem(last=False)
        return kept

    def render_lines(self, crop: Region) -> list[Strip]:
        """As Textual's, save that the strips of one frame serve the next one; there is neither border nor padding."""
        if self.styles.gutter != NONE:
            return super().render_lines(crop)
        base, ground, filters = self.rich_style, self.background_colors[1], self.get_line_filters()
        strips = [self._line(y, base) for y in crop.line_range]
        if crop.height >= self.size.height:
            self._drop_unseen()
        for line_filter in filters:
            strips = [strip.apply_filter(line_filter, ground) for strip in strips]
        return [strip.crop_extend(*crop.column_span, base) for strip in strips]

    def _drop_unseen(self) -> None:
        """Keep the strips of what is on the screen only: they weigh far more than their lines."""
        top = self.scroll_offset.y
        first = self._rows.find(max(0, top))[0]
        last = self._rows.find(min(self._rows.total - 1, top + self.size.height))[0] if self._rows.total else first
        shown = range(first, last + 1)
        for index in self._shown:
            if index not in shown and (kept := self._strips.get(index)) is not None:
                kept.strips.clear()
        self._shown = shown

    def _lines(self, block: Block) -> list[Line]:
        try:
            return block.lines(self._width, self.palette)
        except Exception as error:  # one block that fails must not take the others with it
            contained(self.app, "a block of the conversation", error)
            return [[Segment(f" ✗ This cannot be shown ({type(error).__name__}).", self.palette.error)], []]

    def render_line(self, y: int) -> Strip:
        """One line of the viewport, whose segments tell where they stand: asked for where the mouse selects."""
        return self._line(y, self.rich_style).apply_offsets(0, self.scroll_offset.y + y)

    def _line(self, y: int, base: Style) -> Strip:
        width = self.scrollable_content_region.width
        self._width = self._width or width  # the first frame comes before the first resize
        row = self.scroll_offset.y + y
        if row >= self._rows.total or row < 0:
            return _blank(width, base)
        index, offset = self._rows.find(row)
        strip = self.drawn(index).strip(offset, base)
        if index == self._selected and self.has_focus and offset < self._rows[index] - 1:
            strip = Strip.join([Strip([Segment("▌", base + self.palette.accent)], 1), strip.crop(1)])
        return self.decorated(strip, index, offset, row)

    def decorated(self, strip: Strip, index: int, offset: int, row: int) -> Strip:
        """The line of a block with what is marked in it; ``offset`` is its row in the block, ``row`` that of all."""
        return strip


@lru_cache(8)
def _blank(width: int, base: Style) -> Strip:
    """The same strip for all lines below the last block."""
    return Strip.blank(width, base)


def highlighted(strip: Strip, span: tuple[int, int], style: Style) -> Strip:
    """A line with another style between two cells; the second may be -1, for the line's end."""
    start, end = span
    length = strip.cell_length
    end = length if end == -1 else min(end, length)
    if start >= end:
        return strip
    middle = strip.crop(start, end)
    marked = Strip([type(s)(s.text, (s.style or Style()) + style, s.control) for s in middle])
    return Strip.join([strip.crop(0, start), marked, strip.crop(end, length)])
