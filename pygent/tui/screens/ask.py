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
from textual.widgets.input import Selection

from pygent.tui.panes.text import visible


class AskScreen(ModalScreen[str | None]):
    """Answers the text, or None where the person left.

    ``problem`` says why a text cannot be taken, "" where it can; ``live`` asks it at every key. ``selected`` are the
    characters, from and to, that typing replaces. ``yes`` names what Enter does.
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
        live: bool = False,
        selected: tuple[int, int] | None = None,
        yes: str = "Keep",
    ) -> None:
        super().__init__()
        self._live, self._selected, self._yes = live, selected, yes
        self._title, self._text, self._about, self._password, self._problem = title, text, about, password, problem

    def compose(self) -> ComposeResult:
        with Vertical(id="ask") as box:
            box.border_title = Content(self._title)
            yield Static(self._about, markup=False, id="ask-about")
            yield Input(self._text, password=self._password, select_on_focus=False, id="ask-text")
            yield Static(markup=False, id="ask-problem")
            with Horizontal(id="ask-buttons"):
                yield Button(Content("Leave (esc)"), id="leave")
                yield Button(Content(f"{self._yes} (enter)"), id="keep")

    def on_mount(self) -> None:
        self.query_one("#ask-about").display = bool(self._about)
        if self._selected is not None:
            self.query_one(Input).selection = Selection(*self._selected)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        if self._live:
            self._tell(self._problem(event.value) if event.value not in {"", self._text} else "")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        text = self.query_one(Input).value
        problem = self._problem(text)
        if problem:
            self._tell(problem)
        else:
            self.dismiss(text)

    def _tell(self, problem: str) -> None:
        line = self.query_one("#ask-problem", Static)
        line.update(Content(visible(f"✗ {problem}")))
        line.set_class(bool(problem), "-shown")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "keep":
            self._submitted()
        else:
            self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)
