"""Choosing blocks of a conversation by key and by mouse, and what can be done to each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import Block, Shape
from pygent.tui.widgets.block_text import BlockText

ACTIONS = (("copy", "copy_block"), ("fold", "turn_block"), ("open", "open_block"), ("to prompt", "quote_block"))
"""What stands in the first line of the block under the pointer, and the actions of the view."""


class BlockChooser(BlockText):
    """Copies and folds blocks itself; where a tool call or a task is to be opened, a message says so."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up,K", "select_block(-1)", "Block above", id="block.above"),
        Binding("shift+down,J", "select_block(1)", "Block below", id="block.below"),
        Binding("enter,space", "toggle_block", "Fold or unfold the block; open a task", id="block.fold"),
        Binding("left", "fold_block", "Show less of the block", id="block.less", show=False),
        Binding("right", "unfold_block", "Show more of the block", id="block.more", show=False),
        Binding("o", "open_block", "Open the block", id="block.open"),
        Binding("m", "maximise_block", "The block on the whole screen", id="block.maximise"),
        Binding("c", "copy_block", "Copy the block", id="block.copy"),
        Binding("y", "copy_code", "Copy the code of the block", id="block.copy-code"),
        Binding("p", "quote_block", "Quote the block in the prompt", id="block.to-prompt"),
        Binding("plus", "shape_all('full')", "Unfold all", id="view.unfold-all"),
        Binding("minus", "shape_all('folded')", "Fold all", id="view.fold-all"),
        Binding("equals_sign", "shape_all('normal')", "Fold as at first", id="view.fold-none", show=False),
    ]

    class BlockOpened(Message, namespace="transcript_view"):
        """The details of a tool call or a task are asked for."""

        def __init__(self, block: Block) -> None:
            self.block = block
            super().__init__()

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(palette, id=id)
        self._under: int | None = None
        self._code = -1  # which code of the selected block was copied last

    @property
    def selected(self) -> Block | None:
        """The block that keys act on."""
        return self.blocks[self._selected] if self._selected is not None else None

    def clear(self) -> None:
        self._under = None
        super().clear()

    # The mouse.

    def on_mouse_move(self, event: events.MouseMove) -> None:
        row = self.scroll_offset.y + event.y
        under = self._rows.find(row)[0] if 0 <= row < self._rows.total else None
        if under != self._under:
            self._under = under
            self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self._under = None  # the pointer stands still, the blocks do not
        super().watch_scroll_y(old_value, new_value)

    def on_leave(self) -> None:
        self._under = None
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # Textual's own selects everything
        row = self.scroll_offset.y + event.y
        if not 0 <= row < self._rows.total or self.text_selection is not None:
            return
        index, offset = self._rows.find(row)
        meta = event.style.meta
        if event.chain == 2:
            self.select_word(row, event.x)
        elif event.chain > 2:
            self.select_line(row)
        else:
            self._select(index)
            if "code" in meta:
                self._copy_code(int(meta["code"]))
            elif "block" in meta:
                getattr(self, f"action_{meta['block']}")()
            elif self.blocks[index].toggles_at(offset, event.x):
                self.action_toggle_block()

    def decorated(self, strip: Strip, index: int, offset: int, row: int) -> Strip:
        if offset == 0 and index == self._under and strip.cell_length > 40:
            strip = self._with_actions(strip)
        return super().decorated(strip, index, offset, row)

    def _with_actions(self, strip: Strip) -> Strip:
        """The line with what can be done to its block at its right."""
        plain = self.rich_style + self.palette.muted + self.palette.raised
        pieces = [Segment(" ", plain)]
        for words, action in ACTIONS:
            pieces += [Segment(words, plain + Style(underline=True, meta={"block": action})), Segment("  ", plain)]
        row = Strip([*pieces[:-1], Segment(" ", plain)])
        return Strip.join([strip.crop(0, strip.cell_length - row.cell_length), row])

    # Choosing a block, and what is done to it.

    def action_select_block(self, step: int) -> None:
        if not self.blocks:
            return
        if self._selected is None:
            bottom = min(self._rows.total - 1, self.scroll_offset.y + self.scrollable_content_region.height - 1)
            index = self._rows.find(bottom)[0]
        else:
            index = self._selected + step
            while 0 <= index < len(self.blocks) and not len(self.drawn(index)):  # a message without a word
                index += step
        if not 0 <= index < len(self.blocks):
            return
        self._select(index)
        start, height = self._rows.start(index), self.scrollable_content_region.height
        if start < self.scroll_offset.y:
            self.scroll_to(y=start, animate=False)
        elif start + self._rows[index] > self.scroll_offset.y + height:
            self.scroll_to(y=min(start, start + self._rows[index] - height), animate=False)

    def action_toggle_block(self) -> None:
        """Fold or unfold the block; one that leads somewhere is opened."""
        if self.selected is not None and self.selected.leads:
            self.action_open_block()
        else:
            self.action_turn_block()

    def action_turn_block(self) -> None:
        if self._selected is not None:
            self._toggle(self._selected)

    def action_fold_block(self) -> None:
        self._reshape(Block.fold)

    def action_unfold_block(self) -> None:
        self._reshape(Block.unfold)

    def action_shape_all(self, shape: Shape) -> None:
        for block in self.blocks:
            block.set_shape(shape)
        self._rebuild()

    def action_open_block(self) -> None:
        from pygent.tui.widgets.block_actions import open_block  # noqa: PLC0415 - when it is asked for

        if (block := self._chosen()) is not None:
            open_block(self, block)

    def action_maximise_block(self) -> None:
        from pygent.tui.widgets.block_actions import maximise  # noqa: PLC0415

        if (block := self._chosen()) is not None:
            maximise(self, block)

    def action_copy_block(self) -> None:
        from pygent.tui.widgets.block_actions import copy_block  # noqa: PLC0415

        if (block := self._chosen()) is not None:
            copy_block(self, block)

    def action_quote_block(self) -> None:
        from pygent.tui.widgets.block_actions import quote  # noqa: PLC0415

        if (block := self._chosen()) is not None:
            quote(self, block)

    def action_copy_code(self) -> None:
        """The code of the chosen block, or of the nearest one above it; the next one when asked for again."""
        if self._chosen() is None or self._selected is None:
            return
        while self._selected > 0 and not self.blocks[self._selected].codes():
            self._selected -= 1
        self._copy_code(self._code + 1)

    def _copy_code(self, number: int) -> None:
        from pygent.tui.widgets.block_actions import copy_code  # noqa: PLC0415

        if (block := self.selected) is not None:
            self._code = copy_code(self, block, number)
            self.refresh()

    def _chosen(self) -> Block | None:
        """The selected block; where none is, the lowest one on the screen becomes it."""
        if self._selected is None:
            self.action_select_block(-1)
        return self.selected

    def _select(self, index: int) -> None:
        if index != self._selected:
            self._code = -1
        self._selected = index
        self.refresh()

    def _toggle(self, index: int) -> None:
        self._selected = index
        self._reshape(Block.toggle)

    def _reshape(self, how: Callable[[Block], None]) -> None:
        if (block := self._chosen()) is None:
            return
        self._set_following(False)
        how(block)
        self._settle()
        self.look_for_end()
