"""The line at the bottom of the conversation in which one says what to look for."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static


class SearchBar(Horizontal):
    """Says each change of the text at once; the pane looks for it."""

    DEFAULT_CSS = """
    SearchBar {
        dock: bottom;
        height: 1;
        background: $surface;

        & > .search-label { width: auto; color: $text-accent; padding: 0 1; }
        & > Input, & > Input:focus { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        & > SearchSteps { width: auto; color: $text-muted; padding: 0 1; link-style: none; link-color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "go(1)", "Next match", id="search.next"),
        Binding("shift+enter,up", "go(-1)", "Match before", id="search.previous"),
        Binding("escape", "close", "End the search", id="search.close"),
    ]

    class Changed(Message):
        """Something else is looked for."""

        def __init__(self, query: str) -> None:
            self.query = query
            super().__init__()

    class Step(Message):
        """The next match is asked for, or with -1 the one before."""

        def __init__(self, step: int) -> None:
            self.step = step
            super().__init__()

    class Closed(Message):
        """The search is over."""

    def compose(self) -> ComposeResult:
        yield Static("/", classes="search-label", markup=False)
        yield Input(placeholder="search; capitals count where there are some", compact=True, id="search-input")
        yield SearchSteps(id="search-steps")

    @property
    def input(self) -> Input:
        """Where the text is."""
        return self.query_one(Input)

    def say(self, count: str) -> None:
        """Show how many matches there are."""
        self.query_one(SearchSteps).say(count)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_go(1)

    def action_go(self, step: int) -> None:
        self.post_message(self.Step(step))

    def action_close(self) -> None:
        self.post_message(self.Closed())


class SearchSteps(Static):
    """The count, and what can be clicked."""

    def on_mount(self) -> None:
        self.say("")

    def say(self, count: str) -> None:
        """Show how many matches there are."""
        parts = [Content(f"{count}  ")]
        for words, action in (("↑", "go(-1)"), ("↓", "go(1)"), ("esc ends", "close")):
            parts += [Content(words).stylize(f"@click={action}"), Content("  ")]
        self.update(Content("").join(parts[:-1]))

    def action_go(self, step: int) -> None:
        self.post_message(SearchBar.Step(step))

    def action_close(self) -> None:
        self.post_message(SearchBar.Closed())
