"""The line below a list in which its filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class ClearFilter(Static):
    """Clears the filter where it is clicked."""

    class Clicked(Message):
        """It was."""

    def on_click(self) -> None:
        self.post_message(self.Clicked())


class WordFilter(Horizontal):
    """There while something is typed in it; Enter leaves it as it is, Esc or a click on its end clears it.

    A subclass binds the actions ``clear`` and ``leave``, and says in ``HINT`` what can be typed.
    """

    DEFAULT_CSS = """
    WordFilter {
        display: none;
        height: 1;
        & > Static { width: auto; margin-right: 1; color: $text-accent; }
        & > Input { width: 1fr; background: $boost; }
        & > ClearFilter { width: 3; margin: 0; padding: 0 1; color: $text-muted; &:hover { color: $text-primary; } }
    }
    """
    HINT: ClassVar[str] = ""

    class Changed(Message):
        """Another text is typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The keys go back to the rows."""

    def compose(self) -> ComposeResult:
        yield Static("filter", markup=False)
        yield Input(compact=True, placeholder=self.HINT)
        yield ClearFilter("✕", markup=False)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.query_one(Input).value

    def begin(self) -> None:
        """Show the line and give it the keys."""
        self.display = True
        self.query_one(Input).focus()

    def set_text(self, text: str) -> None:
        """Filter by ``text``, and show that."""
        self.query_one(Input).value = text
        self.display = bool(text)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()

    def on_clear_filter_clicked(self, event: ClearFilter.Clicked) -> None:
        event.stop()
        self.action_clear()

    def action_leave(self) -> None:
        self.display = bool(self.text)
        self.post_message(self.Left())

    def action_clear(self) -> None:
        self.query_one(Input).value = ""
        self.action_leave()
