"""The list of blocks with all that a reader does to it: select text, choose, fold, open and copy a block."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from pygent.tui.panes.blocks import Block
from pygent.tui.widgets.block_list import BlockList


class TranscriptView(BlockList):
    """Messages say what is asked for; the screen does it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up", "select_block(-1)", "Block above", id="conversation.above"),
        Binding("shift+down", "select_block(1)", "Block below", id="conversation.below"),
        Binding("enter,space", "toggle_block", "Fold or unfold the block", id="conversation.fold"),
        Binding("o", "open_block", "Open the tool call", id="conversation.open"),
        Binding("c", "copy_block", "Copy the block", id="conversation.copy"),
        Binding("end,G", "scroll_end", "To the end", show=False, id="conversation.end"),
    ]

    class BlockOpened(Message):
        """A block's whole content is asked for."""

        def __init__(self, block: Block) -> None:
            self.block = block
            super().__init__()

    class BlockCopied(Message):
        """A block's text is asked for."""

        def __init__(self, block: Block) -> None:
            self.block = block
            super().__init__()

    @property
    def selected(self) -> Block | None:
        """The block that keys act on."""
        return self.blocks[self._selected] if self._selected is not None else None

    def on_click(self, event: events.Click) -> None:
        row = self.scroll_offset.y + event.y
        if not 0 <= row < self._rows.total or self.screen.get_selected_text():
            return
        index, offset = self._rows.find(row)
        self._select(index)
        block = self.blocks[index]
        if event.chain == 2:
            self.post_message(self.BlockOpened(block))
        elif block.foldable and offset == 0:
            self._toggle(index)

    def action_select_block(self, step: int) -> None:
        if not self.blocks:
            return
        if self._selected is None:
            bottom = min(self._rows.total - 1, self.scroll_offset.y + self.scrollable_content_region.height - 1)
            index = self._rows.find(bottom)[0]
        else:
            index = max(0, min(len(self.blocks) - 1, self._selected + step))
        self._select(index)
        start, height = self._rows.start(index), self.scrollable_content_region.height
        if start < self.scroll_offset.y:
            self.scroll_to(y=start, animate=False)
        elif start + self._rows[index] > self.scroll_offset.y + height:
            self.scroll_to(y=min(start, start + self._rows[index] - height), animate=False)

    def action_toggle_block(self) -> None:
        if self._selected is not None and self.blocks[self._selected].foldable:
            self._toggle(self._selected)

    def action_open_block(self) -> None:
        if self.selected is not None:
            self.post_message(self.BlockOpened(self.selected))

    def action_copy_block(self) -> None:
        if self.selected is not None:
            self.post_message(self.BlockCopied(self.selected))

    def _select(self, index: int) -> None:
        self._selected = index
        self.refresh()

    def _toggle(self, index: int) -> None:
        self._set_following(False)
        self.blocks[index].toggle()
        self._settle()
        self._set_following(self.scroll_y >= self.max_scroll_y)
