"""The conversation: the main agent's items, one below the other, and how much is new below the reader."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from pygent.events import MAIN, ConversationRestored, ConversationRewound, Event
from pygent.transcript import Item, Transcript
from pygent.tui.colours import Palette
from pygent.tui.panes.news import NewsBelow
from pygent.tui.panes.reading import Reading
from pygent.tui.panes.welcome import WelcomeBlock
from pygent.tui.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from pygent.session import Session
    from pygent.tui.panes.blocks.base import Block

HINTS = (
    ("block.fold", "enter", "fold", "toggle_block"),
    ("block.copy", "c", "copy", "copy_block"),
    ("block.copy-code", "y", "code", "copy_code"),
    ("view.search", "slash", "search", "search"),
    ("view.select", "v", "select", "select"),
    ("view.unfold-all", "plus", "unfold all", "shape_all('full')"),
    ("view.fold-all", "minus", "fold all", "shape_all('folded')"),
)
"""Keys that are told while the conversation has them: id, default, words, and the view's action for a click."""


class NewBelow(Static):
    """Says that something came below what is being read; a click goes there."""

    said = ""

    class Clicked(Message):
        """Show the end."""

    def on_click(self) -> None:
        self.post_message(self.Clicked())


class ConversationPane(Reading):
    """What was said and done, in order. Knows items and blocks; the view in it knows rows."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BORDER_TITLE = "Conversation"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._places: dict[str, int] = {}
        self._items: list[Item] = []
        self.news = NewsBelow()
        self.welcome = WelcomeBlock()
        self._prepared: dict[str, tuple[Block, int]] = {}

    def compose(self) -> ComposeResult:
        yield TranscriptView(Palette.of(self.app), id="conversation-view")
        yield NewBelow(id="new-below", markup=False)

    def on_mount(self) -> None:
        self.view.extend([self.welcome])

    def focus_view(self) -> None:
        """Give the keys to the list of blocks."""
        self.view.focus()

    def on_descendant_focus(self) -> None:
        from pygent.tui.keys import key_of  # noqa: PLC0415 - not before the first frame

        parts: list[Content] = []
        for binding_id, default, words, action in HINTS:
            key = Content.styled(key_of(self.app, binding_id, default), "bold")
            parts.append(Content.assemble(key, f" {words}").stylize(f"@click=view({action!r})"))
        self.border_subtitle = Content(" · ").join(parts)

    def on_descendant_blur(self) -> None:
        self.border_subtitle = ""

    async def action_view(self, action: str) -> None:
        self.view.focus()
        await self.view.run_action(action)

    # What the main screen calls.

    def prepare(self, transcript: Transcript) -> None:
        """Make the blocks that ``attach`` will ask for; on any thread."""
        from pygent.tui.panes.blocks.making import block_for  # noqa: PLC0415 - a first frame has no items

        blocks = {item.key: block_for(item) for item in list(transcript.main.items)}
        view, rows = self.view, 2 * self.size.height
        self._prepared = {key: (block, block.estimate(view.width)) for key, block in blocks.items()}
        for block in reversed(blocks.values()):  # what shows first needs what draws Markdown and code
            with contextlib.suppress(Exception):  # the view tells of it
                rows -= len(block.lines(view.width, view.palette))
            if rows <= 0:
                break

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show what the transcript has already and keep up from there."""
        self.welcome.session = session
        self._items = transcript.main.items
        self.view.touch([0])
        if self._prepared and not self._places:
            prepared, self._prepared = self._prepared, {}
            first = len(self.view.blocks)
            self._places = dict(zip(prepared, range(first, first + len(prepared)), strict=True))
            self._extend([block for block, _ in prepared.values()], [height for _, height in prepared.values()])
        self._add([item for item in transcript.main.items if item.key not in self._places])

    def apply_batch(self, batch: Iterable[tuple[Event, Item | None]]) -> None:
        """Take in what events did; on the interface's thread."""
        added: list[Item] = []
        changed: set[int] = set()
        batch = list(batch)
        if any(
            event.agent_id == MAIN and isinstance(event, ConversationRewound | ConversationRestored)
            for event, _ in batch
        ):
            self._begin_again()
            return
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
            self.news.grew(changed, self.view)
        if added:
            self._add(added)
        elif changed:
            self._show_new()

    def _begin_again(self) -> None:
        """What shows is no longer what counts: a part was taken away, or is there again."""
        self.forget()
        self._add(self._items)

    def note(self, title: str, text: str = "", *, level: str = "info") -> None:
        """Show what a command answers. It is no part of the transcript."""
        from pygent.tui.panes.blocks.notices import NoteBlock  # noqa: PLC0415 - a first frame has none

        self._extend([NoteBlock(title, text, level=level)])

    def refresh_welcome(self) -> None:
        """The session's state, as the welcome shows it, changed."""
        self.view.touch([0])

    def forget(self) -> None:
        """Let go of what shows; what was prepared stays for ``attach``."""
        self._places.clear()
        self.news.seen()
        self.view.clear()
        self.view.extend([self.welcome])
        self.view.follow()

    def clear(self) -> None:
        """Begin anew on the screen."""
        self.end_search()
        self.forget()
        self._show_new()

    def set_palette(self) -> None:
        """The theme changed."""
        self.view.set_palette(Palette.of(self.app))

    def show_beginning(self, key: str) -> None:
        """Bring the first line of an item into sight for a reader who is at the end, where that hides it."""
        place = self._places.get(key, -1)
        if place >= 0 and self.view.following and not self.view.shows_from(place):
            self.view.show_row(place, at_top=True)

    def last_answer(self) -> str:
        """The text of the newest answer, empty where there is none."""
        from pygent.tui.panes.blocks.assistant import AssistantBlock  # noqa: PLC0415 - there already, with any answer

        for block in reversed(self.view.blocks):
            if isinstance(block, AssistantBlock) and block.item.text.strip():
                return block.item.text
        return ""

    def _add(self, items: Iterable[Item]) -> None:
        from pygent.tui.panes.blocks.making import block_for  # noqa: PLC0415 - a first frame has no items

        blocks: list[Block] = []
        start = len(self.view.blocks)
        for item in items:
            self._places[item.key] = start + len(blocks)
            blocks.append(block_for(item))
        self._extend(blocks)

    def _extend(self, blocks: list[Block], heights: Sequence[int] | None = None) -> None:
        if not blocks:
            return
        self.news.come(blocks, self.view)
        self.view.extend(blocks, heights)
        self._show_new()

    def _show_new(self) -> None:
        from pygent.tui.keys import key_of  # noqa: PLC0415 - not before the first frame

        said = self.news.said()
        bar = self.query_one(NewBelow)
        if bar.display != bool(said) or bar.said != said:
            bar.said = said
            bar.display = bool(said)
            bar.update(f"{said} · {key_of(self.app, 'view.end', 'end')}")

    @on(TranscriptView.FollowChanged)
    def _follow_changed(self, event: TranscriptView.FollowChanged) -> None:
        event.stop()
        if event.following:
            self.news.seen()
        self._show_new()

    def on_new_below_clicked(self, event: NewBelow.Clicked) -> None:
        event.stop()
        self.view.follow()
