"""One of a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from pygent.tui.panes.rows import Part, RowsView


class WordList(RowsView):
    """The words, each with what it means where that is known."""

    marks_cursor_blurred = True

    class Accepted(Message):
        """Enter, or a second click on a word."""

    def __init__(self, words: Sequence[str], current: str, meanings: Mapping[str, str]) -> None:
        super().__init__(id="choose-list")
        self.words, self._current, self._meanings = words, current, meanings
        self._column = max((cell_len(word) for word in words), default=0) + 2

    def on_mount(self) -> None:
        self.rows_changed(keep_cursor=True)
        self.cursor = self.words.index(self._current) if self._current in self.words else 0

    @property
    def following(self) -> bool:
        return False

    def count(self) -> int:
        return len(self.words)

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        word = self.words[index]
        sign = " ◉ " if word == self._current else " ○ "
        return (
            (sign, "primary"),
            (set_cell_size(word, self._column), "strong"),
            (self._meanings.get(word, ""), "muted"),
        ), ()

    def open_row(self, index: int) -> None:
        self.post_message(self.Accepted())


class ChooseScreen(ModalScreen[str | None]):
    """Answers a word, or None where the person left."""

    CSS_PATH = "choose.tcss"
    AUTO_FOCUS = "#choose-list"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Leave it as it is", id="choose.leave")]

    def __init__(
        self,
        title: str,
        words: Sequence[str],
        current: str,
        *,
        about: str = "",
        meanings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._about = title, about
        self._list = WordList(words, current, meanings or {})

    def compose(self) -> ComposeResult:
        with Vertical(id="choose") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "Enter chooses · Esc leaves"
            yield Static(self._about, markup=False, id="choose-about")
            yield self._list

    def on_mount(self) -> None:
        self._list.styles.height = len(self._list.words)

    @on(WordList.Accepted)
    def _accepted(self) -> None:
        self.dismiss(self._list.words[self._list.cursor])

    def action_leave(self) -> None:
        self.dismiss(None)
