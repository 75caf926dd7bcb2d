"""The hunks of one changed file, one of which is the current one; each says whether it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from pygent.changes import FileChange
from pygent.tui import diff_draw
from pygent.tui.colours import Palette
from pygent.tui.diffs import FileDiff, Hunk, as_text
from pygent.tui.hunk_lines import HunkLines, Part
from pygent.tui.panes.blocks.base import Block
from pygent.tui.panes.text import visible
from pygent.tui.widgets.diff_view import PART, DiffView
from pygent.tui.wrap import Aside, Line, cells, cut, wrap

BAR = "▌"

PORTION, PAUSE = 400, 0.01
"""Blocks that are made at once, and seconds until the next ones."""

MOST_COPIED = 20_000
"""Changed lines up to which a file's difference is copied."""


class HunkHead(Block):
    """The line before a hunk: whether it is chosen, where it is, how much it changes."""

    def __init__(self, hunk: HunkLines, number: int, view: HunkView) -> None:
        super().__init__()
        self.hunk = hunk
        self.number = number
        self._view = view

    def estimate(self, width: int) -> int:
        return 1 if self.number == 0 else 2

    def lines(self, width: int, palette: Palette) -> list[Line]:
        ground = palette.raised
        current, chosen = self._view.current == self.number, self._view.chosen(self.number)
        left: Line = [Aside(" "), Segment("["), Segment("✓" if chosen else " ", palette.success), Segment("] ")]
        if not self._view.choosable:
            left[1:] = [Segment(""), Segment(""), Segment("")]
        left[1], left[3] = (
            Segment(part.text, palette.text if current else palette.muted) for part in (left[1], left[3])
        )
        place = self.hunk.place
        left.append(Segment(place, palette.accent if current else palette.accent + Style(dim=True)))
        if ends := self.hunk.only_line_ends:
            left.append(Segment(f"  line ends: {ends}", palette.warning))
        raw = self.hunk.hunk
        right: Line = [Segment("chosen  " if chosen else "", palette.success)]
        right += [Segment(f"+{len(raw.added)}", palette.success), Segment(f" −{len(raw.removed)}", palette.error)]
        total = self._view.hunk_count
        if total > 1:
            right.append(Segment(f"  {self.number + 1}/{total}", palette.muted))
        right.append(Segment(" "))
        gap = width - cells(left) - cells(right)
        if gap < 1:
            left, right, gap = [*left[:4], Segment(cut(place, max(1, width - 6)), palette.accent)], [], 0
            gap = max(0, width - cells(left))
        line = [type(part)(part.text, ground + (part.style or Style())) for part in [*left, Aside(" " * gap), *right]]
        return [line] if self.number == 0 else [[], line]

    def plain(self) -> str:
        return self.hunk.place


class HunkPart(Block):
    """A hunk's lines, or the next part of a large one's."""

    def __init__(self, hunk: HunkLines, number: int, part: Part, *, split: bool, language: str) -> None:
        super().__init__()
        self.hunk = hunk
        self.number = number
        self.part = part
        self.split = split
        self._language = language

    def estimate(self, width: int) -> int:
        return self.hunk.rows(self.part, split=self.split)

    def lines(self, width: int, palette: Palette) -> list[Line]:
        draw = diff_draw.side_by_side if self.split else diff_draw.unified
        return draw(self.hunk.lines(self.part), self.hunk.digits, self._language, width, palette)

    def column(self, x: int, width: int) -> tuple[int, int]:
        if not self.split:
            return super().column(x, width)
        middle = diff_draw.left_width(self.hunk.digits, width)
        return (0, middle) if x <= middle else (middle + 1, width)

    def plain(self) -> str:
        return "\n".join(f"{line.kind}{line.text}" for line in self.hunk.lines(self.part))


class WordsBlock(Block):
    """What there is to say in place of lines."""

    def __init__(self, texts: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._texts = texts

    def estimate(self, width: int) -> int:
        return sum(1 + len(text) // max(20, width - 4) for text, _ in self._texts)

    def lines(self, width: int, palette: Palette) -> list[Line]:
        styles = {"strong": palette.strong, "warning": palette.warning, "": palette.text}
        return [
            [Aside("  "), *line]
            for text, role in self._texts
            for line in wrap([(text, styles.get(role, palette.muted))], max(10, width - 4))
        ]

    def plain(self) -> str:
        return "\n".join(text for text, _ in self._texts)


class HunkView(DiffView):
    """Shows one file. Going past its last or first hunk, or from file to file, is asked of the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "Choose the hunk, or not", id="hunk.choose"),
        Binding("left,h", "list", "To the files", show=False, id="hunk.files"),
    ]

    class Asked(Message):
        """Another file is wanted: ``step`` files on; with ``hunk``, its nearest hunk."""

        def __init__(self, step: int, *, hunk: bool) -> None:
            super().__init__()
            self.step = step
            self.hunk = hunk

    class Toggled(Message):
        """A hunk is to be chosen, or not."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    class ListAsked(Message):
        """The reader goes back to the files."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.current = -1
        self.chosen: Callable[[int], bool] = lambda _: False
        """Whether a hunk is chosen."""
        self.choosable = True
        """Whether hunks can be chosen, else they are only shown."""
        self._change: FileChange | None = None
        self._hunks: Sequence[HunkLines] = ()
        self._words: Sequence[tuple[str, str]] = ()
        self._heads: list[int] = []  # where the first line of each hunk is, as far as they were made
        self._waiting: Iterator[Block] = iter(())

    @property
    def hunk_count(self) -> int:
        """How many hunks the file has."""
        return len(self._hunks)

    def show_change(
        self,
        change: FileChange | None,
        hunks: Sequence[HunkLines] = (),
        words: Sequence[tuple[str, str]] = (),
        *,
        at: int = 0,
    ) -> None:
        """Show a file from the hunk ``at`` on; −1 is its last one. ``words`` are texts and their roles, before it."""
        again = change is not None and self._change is not None and change.path == self._change.path
        y = self.scroll_offset.y if again and at == 0 else 0
        self._change, self._hunks, self._words = change, hunks, words
        last = len(hunks) - 1
        self.current = min(self.current, last) if again and at == 0 else last if at < 0 else min(at, last)
        self.following = False
        self._fill()
        self.scroll_to(y=y, animate=False, force=True)
        if self.current > 0 and not y:
            self._to_current()

    def choice_changed(self) -> None:
        """What is chosen is other than it was. Only what was drawn has to be drawn again."""
        drawn = [index for index in self._strips if isinstance(self.blocks[index], HunkHead)]
        if drawn:
            self.touch(drawn)

    # Keys and the mouse.

    def action_hunk(self, step: int) -> None:
        at = self.current + step
        if 0 <= at < len(self._hunks):
            self.go_to(at)
        else:
            self.post_message(self.Asked(step, hunk=True))

    def action_file(self, step: int) -> None:
        self.post_message(self.Asked(step, hunk=False))

    def action_choose(self) -> None:
        if self.current >= 0 and self.choosable:
            self.post_message(self.Toggled(self.current))

    def action_list(self) -> None:
        self.post_message(self.ListAsked())

    def action_copy_diff(self) -> None:
        change = self._change
        if change is None or not self._hunks:
            return
        if sum(change.lines) > MOST_COPIED:
            self.app.notify(f"Only up to {MOST_COPIED:,} changed lines are copied.", severity="warning", markup=False)
            return
        kind = "changed" if change.kind == "changed" else change.kind
        diff = FileDiff(visible(change.path), visible(change.old_path or change.path), kind)
        diff.hunks = [
            Hunk(
                hunk.hunk.old_start + 1 - len(hunk.before),
                hunk.hunk.new_start + 1 - len(hunk.before),
                hunk.all_lines(),
            )
            for hunk in self._hunks
        ]
        self.app.copy_to_clipboard(as_text([diff]))
        self.app.notify("Copied the diff.", markup=False)

    def go_to(self, hunk: int) -> None:
        """Make a hunk the current one and bring it into sight."""
        self.current = hunk
        self.choice_changed()
        self._to_current()

    def _to_current(self) -> None:
        while self.current >= len(self._heads) and self._add(self._waiting):
            pass
        if 0 <= self.current < len(self._heads):
            index = self._heads[self.current]
            top = self._rows.start(index) + len(self.drawn(index)) - 1
            self.scroll_to(y=max(0, top - 1 if index else 0), animate=False, force=True)
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A hunk's first line chooses it; any other line of it makes it the current one."""
        offset = event.get_content_offset(self)
        row = self.scroll_offset.y + offset.y if offset is not None else -1
        if not 0 <= row < self.row_total or self.text_selection is not None:
            return
        index = self._rows.find(row)[0]
        block = self.blocks[index]
        if isinstance(block, HunkHead | HunkPart) and block.number != self.current:
            self.current = block.number
            self.choice_changed()
        if isinstance(block, HunkHead) and self.line_at(row) and self.choosable:
            self.post_message(self.Toggled(block.number))

    # Drawing.

    def decorated(self, strip: Strip, index: int, offset: int, row: int) -> Strip:
        strip = super().decorated(strip, index, offset, row)
        block = self.blocks[index]
        if isinstance(block, HunkHead | HunkPart) and block.number == self.current and self.line_at(row):
            style = self.palette.accent if self.has_focus else self.palette.faint
            first = strip.crop(0, 1)
            ground = next((segment.style.bgcolor for segment in first if segment.style), None)
            strip = Strip.join([Strip([Segment(BAR, style + Style(bgcolor=ground))], 1), strip.crop(1)])
        return strip

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _fill(self) -> None:
        """Make the blocks anew; those of a very large file come by and by."""
        self._split = self._wanted()
        top = self.top_block() if self.blocks else 0
        self.clear()
        self._heads = []
        self._waiting = self._blocks()
        if self._add(self._waiting) and self.is_attached:
            self.call_later(self._go_on, self._waiting)
        if top < len(self.blocks):
            self.scroll_to(y=self._rows.start(top), animate=False, force=True)

    def _go_on(self, blocks: Iterator[Block]) -> None:
        if blocks is self._waiting and self._add(blocks):
            self.set_timer(PAUSE, partial(self._go_on, blocks))

    def _add(self, blocks: Iterator[Block]) -> bool:
        """Add some more. Answers whether there may be others."""
        some = list(islice(blocks, PORTION))
        first = len(self.blocks)
        self._heads += [first + at for at, block in enumerate(some) if isinstance(block, HunkHead)]
        self.extend(some)
        return len(some) == PORTION

    def _blocks(self) -> Iterator[Block]:
        if self._words:
            yield WordsBlock(self._words)
        change = self._change
        if change is None:
            return
        language = diff_draw.language_of(change.path)
        split = self._split and change.kind not in {"added", "deleted"}  # which have one side only
        for number, hunk in enumerate(self._hunks):
            yield HunkHead(hunk, number, self)
            for part in hunk.parts(PART, split=split):
                yield HunkPart(hunk, number, part, split=split, language=language)
