"""The line for letters to filter by."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from pygent.tui.panes.file_views import FilterDone, FilterLeft, FilterTyped


class FilterLine(Input):
    """There only while it is used. Tells what is typed; Enter and Down hand the keys to the list, Esc ends it."""

    DEFAULT_CSS = """
    FilterLine { display: none; height: 1; padding: 0 1; border: none; background: $background; color: $text-accent; }
    FilterLine:focus { border: none; }
    FilterLine.-on { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "No filter", show=False, id="files.filter-close"),
        Binding("down", "to_list", "To the files found", show=False, id="files.filter-list"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(placeholder="letters of a file's name or path", id=id, compact=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(FilterTyped(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(FilterDone())

    def action_leave(self) -> None:
        self.post_message(FilterLeft())

    def action_to_list(self) -> None:
        self.post_message(FilterDone())
