"""A line to search with, over a list that can be moved in meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from pygent.tui.panes.rows import RowsView


class SearchInput(Input):
    """Up, down and the page keys move in the list while one types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", id="search.up", show=False),
        Binding("down", "move(1)", "Down", id="search.down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="search.page_up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="search.page_down", show=False),
    ]

    def __init__(self, rows: Callable[[], RowsView], placeholder: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(placeholder=placeholder, id=id)
        self._rows = rows

    def action_move(self, step: int) -> None:
        self._rows().action_cursor(step)

    def action_page(self, step: int) -> None:
        self._rows().action_page(step)
