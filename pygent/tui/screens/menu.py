"""What can be done with something, as a list to choose from with the keys or the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from pygent.tui.panes.text import fit_end, visible

WIDEST = 60


class MenuItem(NamedTuple):
    """A line of a menu: what it says, its key as people write it, and the answer it stands for.

    ``press`` is the key that chooses it, by the name that Textual gives it. An item without an ``answer`` is a line
    between groups.
    """

    text: str
    key: str = ""
    answer: str = ""
    press: str = ""


BETWEEN = MenuItem("")


class MenuScreen(ModalScreen[str | None]):
    """Answers what was chosen; None for Esc and a click beside it. Stands at ``place``, or in the middle."""

    CSS_PATH = "menu.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Close", id="menu.leave")]

    def __init__(self, title: str, items: Sequence[MenuItem], place: Offset | None = None) -> None:
        super().__init__()
        self._title, self._items, self._place = title, items, place
        self._width = WIDEST

    def compose(self) -> ComposeResult:
        room = max((cell_len(item.text) for item in self._items), default=0) + 2
        widest = max((cell_len(item.key) for item in self._items), default=0)
        options: list[Option | None] = []
        for item in self._items:
            if not item.answer:
                options.append(None)
                continue
            text = item.text + " " * (room - cell_len(item.text))
            options.append(Option(Content.assemble(text, (f"{item.key:>{widest}}", "$text-muted")), id=item.answer))
        menu = OptionList(*options, id="menu", markup=False)
        self._width = min(WIDEST, room + widest + 6)
        menu.styles.width = self._width
        menu.border_title = Content(fit_end(visible(self._title), self._width - 6))
        yield menu

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0
        if self._place is not None:
            self.add_class("-placed")

    def on_resize(self, event: events.Resize) -> None:
        """Put the menu where it was asked for, all of it on the screen."""
        if self._place is not None:
            height = min(len(self._items) + 2, event.size.height * 9 // 10)
            x = max(0, min(self._place.x, event.size.width - self._width))
            y = max(0, min(self._place.y, event.size.height - height))
            self.query_one(OptionList).styles.offset = (x, y)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def on_key(self, event: events.Key) -> None:
        """A key of an item chooses it."""
        for item in self._items:
            if item.answer and event.key in item.press.split(","):
                event.stop()
                event.prevent_default()
                self.dismiss(item.answer)
                return

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)
