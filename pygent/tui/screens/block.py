"""One block of the conversation on the whole screen."""

from __future__ import annotations

from copy import copy
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.assistant import AssistantBlock
from pygent.tui.panes.blocks.base import Block
from pygent.tui.panes.blocks.making import block_for
from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.reading import Reading
from pygent.tui.text import plural
from pygent.tui.widgets.transcript_view import TranscriptView


class BlockScreen(ModalScreen[None]):
    """Reads the item anew while it grows."""

    CSS_PATH = "block.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close", "Close", id="block.close")]

    def __init__(self, block: Block) -> None:
        super().__init__()
        item = getattr(block, "item", None)
        self._block = copy(block) if item is None else block_for(item)
        self._block.set_shape("full")

    def compose(self) -> ComposeResult:
        with Reading(id="block"):
            yield TranscriptView(Palette.of(self.app))
            yield KeyLine(
                ("esc", "Close", "close"),
                ("c", "Copy", "view('copy_block')"),
                ("y", "Copy code", "view('copy_code')"),
                ("p", "Quote in the prompt", "view('quote_block')"),
                ("v", "Select text", "view('select')"),
            )

    def on_mount(self) -> None:
        box, view = self.query_one("#block"), self.query_one(TranscriptView)
        box.border_title = self._block.name.capitalize()
        box.border_subtitle = plural(self._block.plain().count("\n") + 1, "line")
        view.following = False
        view.extend([self._block])
        view.focus()
        if isinstance(self._block, AssistantBlock) and not self._block.item.done:
            self._timer = self.set_interval(0.2, self._grown)

    def _grown(self) -> None:
        block = self._block
        self.query_one(TranscriptView).touch([0])
        if isinstance(block, AssistantBlock) and block.item.done:
            self._timer.stop()

    async def action_view(self, action: str) -> None:
        await self.query_one(TranscriptView).run_action(action)

    def action_close(self) -> None:
        self.dismiss()
