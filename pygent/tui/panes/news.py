"""What came below the part of a conversation that is being read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygent.tui.panes.blocks.assistant import AssistantBlock
    from pygent.tui.panes.blocks.base import Block
    from pygent.tui.widgets.transcript_view import TranscriptView


class NewsBelow:
    """Counts messages, not blocks: a tool call or the end of a run is none, nor is an answer without a word."""

    def __init__(self) -> None:
        self._messages = 0
        self._more = False
        self._silent: list[AssistantBlock] = []  # answers that have no text yet

    def come(self, blocks: Iterable[Block], view: TranscriptView) -> None:
        """These blocks are added at the end of ``view``."""
        if view.following:
            return
        from pygent.tui.panes.blocks.assistant import AssistantBlock  # noqa: PLC0415 - there already, with the block
        from pygent.tui.panes.blocks.notices import NoteBlock, NoticeBlock  # noqa: PLC0415
        from pygent.tui.panes.blocks.user import UserBlock  # noqa: PLC0415

        for block in blocks:
            self._more = True
            if isinstance(block, AssistantBlock):
                self._silent.append(block)
            elif isinstance(block, NoteBlock | NoticeBlock) or (
                isinstance(block, UserBlock) and not (block.item.reminder or block.item.report)
            ):
                self._messages += 1
        self._count()

    def grew(self, places: Iterable[int], view: TranscriptView) -> None:
        """These blocks of ``view`` changed."""
        if not view.following and (self._more or max(places) == len(view.blocks) - 1):
            self._more = True
            self._count()

    def seen(self) -> None:
        """The reader is at the end."""
        self._messages, self._more = 0, False
        self._silent.clear()

    def said(self) -> str:
        """What to tell; empty where nothing is new."""
        if self._messages:
            return f"↓ {self._messages} new below"
        return "↓ more below" if self._more else ""

    def _count(self) -> None:
        silent = [block for block in self._silent if not block.item.text.strip()]
        self._messages += len(self._silent) - len(silent)
        self._silent = silent
