"""The conversation: the main agent's items, one below the other, and how much is new below the reader."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from pygent.events import MAIN, Event
from pygent.transcript import Item, Transcript
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks import Block, NoteBlock, block_for
from pygent.tui.panes.welcome import WelcomeBlock
from pygent.tui.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from pygent.session import Session


class NewBelow(Static):
    """Says that something came below what is being read; a click goes there."""

    class Clicked(Message):
        """Show the end."""

    def on_click(self) -> None:
        self.post_message(self.Clicked())


class ConversationPane(Vertical):
    """What was said and done, in order. Knows items and blocks; the view in it knows rows."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BORDER_TITLE = "Conversation"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._places: dict[str, int] = {}
        self._new = 0
        self.welcome = WelcomeBlock()

    def compose(self) -> ComposeResult:
        yield TranscriptView(Palette.of(self.app), id="conversation-view")
        yield NewBelow(id="new-below", markup=False)

    def on_mount(self) -> None:
        self.view.extend([self.welcome])

    @property
    def view(self) -> TranscriptView:
        """The list of blocks."""
        return self.query_one(TranscriptView)

    def focus_view(self) -> None:
        """Give the keys to the list of blocks."""
        self.view.focus()

    # What the main screen calls.

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show what the transcript has already and keep up from there."""
        self.welcome.session = session
        self.view.touch([0])
        self._add([item for item in transcript.main.items if item.key not in self._places])

    def apply_batch(self, batch: Iterable[tuple[Event, Item | None]]) -> None:
        """Take in what events did; on the interface's thread."""
        added: list[Item] = []
        changed: set[int] = set()
        for _, item in batch:
            if item is None or item.agent_id != MAIN:
                continue
            place = self._places.get(item.key)
            if place is None:
                self._places[item.key] = -1
                added.append(item)
            elif place >= 0:
                changed.add(place)
        if changed:
            self.view.touch(sorted(changed))
        if added:
            self._add(added)

    def note(self, title: str, text: str = "", *, level: str = "info") -> None:
        """Show what a command answers. It is no part of the transcript."""
        self._extend([NoteBlock(title, text, level=level)])

    def refresh_welcome(self) -> None:
        """The session's state, as the welcome shows it, changed."""
        self.view.touch([0])

    def clear(self) -> None:
        """Begin anew on the screen."""
        self._places.clear()
        self._new = 0
        self._show_new()
        self.view.clear()
        self.view.extend([self.welcome])
        self.view.follow()

    def set_palette(self) -> None:
        """The theme changed."""
        self.view.set_palette(Palette.of(self.app))

    def last_answer(self) -> str:
        """The text of the newest answer, empty where there is none."""
        from pygent.tui.panes.blocks import AssistantBlock  # noqa: PLC0415

        for block in reversed(self.view.blocks):
            if isinstance(block, AssistantBlock) and block.item.text.strip():
                return block.item.text
        return ""

    def _add(self, items: Iterable[Item]) -> None:
        blocks: list[Block] = []
        start = len(self.view.blocks)
        for item in items:
            self._places[item.key] = start + len(blocks)
            blocks.append(block_for(item))
        self._extend(blocks)

    def _extend(self, blocks: list[Block]) -> None:
        if not blocks:
            return
        if not self.view.following:
            self._new += len(blocks)
            self._show_new()
        self.view.extend(blocks)

    def _show_new(self) -> None:
        bar = self.query_one(NewBelow)
        bar.display = self._new > 0
        if self._new:
            bar.update(f"↓ {self._new} new below · End")

    @on(TranscriptView.FollowChanged)
    def _follow_changed(self, event: TranscriptView.FollowChanged) -> None:
        event.stop()
        if event.following:
            self._new = 0
            self._show_new()

    def on_new_below_clicked(self, event: NewBelow.Clicked) -> None:
        event.stop()
        self.view.follow()
