"""One line at the foot of a screen that asks for a text, there only while it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static


class AskLine(Horizontal):
    """Enter gives the text to whoever asked, Esc takes the question back; the focus returns either way."""

    DEFAULT_CSS = """
    AskLine {
        display: none;
        height: 1;
        & > Static { width: auto; color: $text-accent; text-style: bold; margin-right: 1; }
        & > Input { width: 1fr; background: $boost; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Take the question back", id="ask.cancel")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._answered: Callable[[str], object] = lambda _: None
        self._back: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Static(markup=False)
        yield Input(compact=True)

    def ask(self, label: str, answered: Callable[[str], object], *, value: str = "", hint: str = "") -> None:
        """Ask for a text; ``hint`` says what is accepted."""
        if not self.display:
            self._back = self.screen.focused
        self._answered = answered
        self.query_one(Static).update(label)
        field = self.query_one(Input)
        field.placeholder, field.value = hint, value
        field.cursor_position = len(value)
        self.display = True
        field.focus()

    def action_cancel(self) -> None:
        self._close()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close()
        self._answered(event.value)

    def _close(self) -> None:
        self.display = False
        if self._back is not None and self._back.is_attached:
            self._back.focus()
