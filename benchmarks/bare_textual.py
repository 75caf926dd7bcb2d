"""The floor of the first paint: the smallest Textual application in which one can type."""

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class Bare(App[None]):
    """A line of text and a prompt."""

    def compose(self) -> ComposeResult:
        yield Static("ready")
        yield Input()

    def on_mount(self) -> None:
        self.query_one(Input).focus()


if __name__ == "__main__":
    Bare().run()
