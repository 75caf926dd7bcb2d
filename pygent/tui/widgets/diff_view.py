"""Differences of files to scroll through: in one column, or old beside new where there is room for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size

from pygent.tui import diff_draw
from pygent.tui.colours import Palette
from pygent.tui.diffs import DiffLine, FileDiff, Hunk, as_text
from pygent.tui.panes.blocks.base import Block
from pygent.tui.widgets.block_text import BlockText
from pygent.tui.wrap import Line

SPLIT_WIDTH = 120
"""Cells from which old and new stand side by side by themselves."""

PART = 60
"""Lines of a hunk that are drawn at once."""


class HeadingBlock(Block):
    """The name of a file and what happened to it."""

    def __init__(self, diff: FileDiff, *, first: bool) -> None:
        super().__init__()
        self.diff = diff
        self.first = first

    def estimate(self, width: int) -> int:
        return len(self.lines(max(20, width), _PLAIN))

    def lines(self, width: int, palette: Palette) -> list[Line]:
        return [*([] if self.first else [[]]), *diff_draw.heading(self.diff, width, palette)]

    def plain(self) -> str:
        return self.diff.path


class PartBlock(Block):
    """A hunk, or the next part of a large one."""

    def __init__(
        self, diff: FileDiff, hunk: Hunk, part: Sequence[DiffLine], *, first: bool, split: bool, language: str
    ) -> None:
        super().__init__()
        self.diff = diff
        self.hunk = hunk
        self.first = first
        self.split = split
        self._part = part
        self._language = language

    def estimate(self, width: int) -> int:
        digits = diff_draw.digits_of(self.hunk)
        return self.first + diff_draw.row_count(self._part, digits, width, split=self.split)

    def lines(self, width: int, palette: Palette) -> list[Line]:
        draw = diff_draw.side_by_side if self.split else diff_draw.unified
        digits = diff_draw.digits_of(self.hunk)
        body = draw(self._part, digits, self._language, width, palette)
        return [*(diff_draw.hunk_heading(self.hunk, width, palette) if self.first else []), *body]

    def column(self, x: int, width: int) -> tuple[int, int]:
        if not self.split:
            return super().column(x, width)
        middle = diff_draw.left_width(diff_draw.digits_of(self.hunk), width)
        return (0, middle) if x <= middle else (middle + 1, width)

    def plain(self) -> str:
        return "\n".join([self.hunk.header, *(f"{line.kind}{line.text}" for line in self.hunk.lines)])


class DiffView(BlockText):
    """Shows what ``show`` is given. Keys go from change to change; one copies the diff, as text, as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "diff_style", "One column, or side by side", id="diff.style"),
        Binding("n", "hunk(1)", "Next change", id="diff.next"),
        Binding("N,p", "hunk(-1)", "Change before", id="diff.previous"),
        Binding("right_square_bracket", "file(1)", "Next file", id="diff.next-file"),
        Binding("left_square_bracket", "file(-1)", "File before", id="diff.previous-file"),
        Binding("c", "copy_diff", "Copy the diff", id="diff.copy"),
        Binding("j", "scroll_down", "Down", show=False, id="diff.down"),
        Binding("k", "scroll_up", "Up", show=False, id="diff.up"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(_PLAIN, id=id)
        self.following = False
        self._diffs: Sequence[FileDiff] = ()
        self._style: str | None = None  # what the person chose here
        self._split = False

    @property
    def split(self) -> bool:
        """Whether old and new stand side by side."""
        return self._split

    def show(self, diffs: Iterable[FileDiff]) -> None:
        """Show these files from their beginning."""
        self._diffs = tuple(diffs)
        self.following = False
        self._fill()
        self.scroll_to(y=0, animate=False, force=True)

    def on_mount(self) -> None:
        self.set_palette(Palette.of(self.app))
        self.app.theme_changed_signal.subscribe(self, lambda _: self.set_palette(Palette.of(self.app)))

    def on_resize(self, event: events.Resize) -> None:
        if self._wanted() != self._split:
            self._fill()
        super().on_resize(event)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """What a height of ``auto`` means: all of it, as far as that can be told without drawing it."""
        return sum(block.estimate(width) for block in self.blocks)

    def action_diff_style(self) -> None:
        self._style = "unified" if self._split else "split"
        self._fill()

    def action_hunk(self, step: int) -> None:
        places = [index for index, block in enumerate(self.blocks) if isinstance(block, PartBlock) and block.first]
        self._go(places, step)

    def action_file(self, step: int) -> None:
        self._go([index for index, block in enumerate(self.blocks) if isinstance(block, HeadingBlock)], step)

    def action_copy_diff(self) -> None:
        if self._diffs:
            self.app.copy_to_clipboard(as_text(self._diffs))
            self.app.notify("Copied the diff.", markup=False)

    def _go(self, places: list[int], step: int) -> None:
        here = self._selected if self._selected is not None else self.top_block() - (step > 0)
        ahead = [index for index in places if (index - here) * step > 0]
        if ahead:
            self._selected = ahead[0] if step > 0 else ahead[-1]
            self.scroll_to(y=self._rows.start(self._selected), animate=False)
            self.refresh()

    def _wanted(self) -> bool:
        settings: Any = getattr(getattr(self.app, "session", None), "settings", None)
        style = self._style or getattr(settings, "diff_style", "auto")
        return style == "split" or (style == "auto" and self.size.width >= SPLIT_WIDTH)

    def _fill(self) -> None:
        """Make the blocks anew; the hunk at the top stays there."""
        top = self.blocks[self.top_block()] if self.blocks else None
        self._split = self._wanted()
        self.clear()
        blocks: list[Block] = []
        place = 0
        for number, diff in enumerate(self._diffs):
            language = diff_draw.language_of(diff.path)
            place = len(blocks) if isinstance(top, HeadingBlock) and top.diff is diff else place
            blocks.append(HeadingBlock(diff, first=number == 0))
            split = self._split and diff.kind not in {"added", "deleted"}  # which have one side only
            for hunk in diff.hunks:
                place = len(blocks) if isinstance(top, PartBlock) and top.hunk is hunk else place
                for part, lines in enumerate(diff_draw.parts(hunk.lines, PART, split=split)):
                    blocks.append(PartBlock(diff, hunk, lines, first=part == 0, split=split, language=language))
        self.extend(blocks)
        if self.styles.is_auto_height:
            self.refresh(layout=True)
        if place:
            self.scroll_to(y=self._rows.start(place), animate=False, force=True)


_PLAIN = Palette.from_variables({}, dark=True)
