"""A question that is answered with a line of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static


class AskScreen(ModalScreen[str | None]):
    """Answers the text, or None where the person left.

    ``problem`` says why a text cannot be taken, "" where it can.
    """

    CSS_PATH = "ask.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave it as it is", id="ask.leave")]

    def __init__(
        self,
        title: str,
        text: str = "",
        *,
        about: str = "",
        password: bool = False,
        problem: Callable[[str], str] = lambda _: "",
    ) -> None:
        super().__init__()
        self._title, self._text, self._about, self._password, self._problem = title, text, about, password, problem

    def compose(self) -> ComposeResult:
        with Vertical(id="ask") as box:
            box.border_title = Content(self._title)
            yield Static(self._about, markup=False, id="ask-about")
            yield Input(self._text, password=self._password, select_on_focus=False, id="ask-text")
            yield Static(markup=False, id="ask-problem")
            with Horizontal(id="ask-buttons"):
                yield Button(Content("Leave (esc)"), id="leave")
                yield Button(Content("Keep (enter)"), id="keep")

    def on_mount(self) -> None:
        self.query_one("#ask-about").display = bool(self._about)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        text = self.query_one(Input).value
        problem = self._problem(text)
        if problem:
            self.query_one("#ask-problem", Static).update(f"✗ {problem}")
            self.query_one("#ask-problem").add_class("-shown")
        else:
            self.dismiss(text)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "keep":
            self._submitted()
        else:
            self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)
