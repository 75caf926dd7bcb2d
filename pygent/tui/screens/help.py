"""F1: every key and every slash command, read from where they are bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from pygent.tui import slash
from pygent.tui.keys import bindings_of
from pygent.tui.panes.lines import Line, LinesView

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen

COLUMN = 26

FIRST = (
    ("@ in the prompt", "files of the workspace"),
    ("/ first in the prompt", "slash commands"),
    ("! first in the prompt", "run a command in the sandbox"),
    ("↑ ↓ in an empty prompt", "what was sent before"),
    ("1 to 5, y s a n t", "answer an approval, half a second after it opened"),
    ("Mouse", "click, scroll, select text; Ctrl+C copies it"),
)


class HelpScreen(ModalScreen[None]):
    """A list to scroll; Esc closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1", "dismiss", "Close", priority=True, id="help.close")
    ]

    def __init__(self, main: MainScreen) -> None:
        super().__init__()
        self._main = main

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield LinesView(id="help-lines")

    def on_mount(self) -> None:
        box = self.query_one("#help")
        box.border_title = "Help"
        box.border_subtitle = "Esc closes"
        view = self.query_one(LinesView)
        view.set_lines(list(self._lines()))
        view.focus()

    def _lines(self) -> Iterator[Line]:
        main = self._main
        nodes = (
            ("Everywhere", (main.app, main)),
            ("Prompt", (main.prompt,)),
            ("Conversation", (main.conversation.view,)),
            ("Tool calls", (main.query_one("#tool-log"),)),
            ("Tasks", (main.query_one("#tasks"),)),
            ("Workspace", (main.query_one("#workspace"),)),
        )
        for title, owners in nodes:
            rows = [(keys, binding.description) for owner in owners for keys, binding in bindings_of(owner)]
            if title == "Prompt":
                rows += FIRST
            if rows:
                yield from _section(title, rows)
        yield from _section(
            "Slash commands", [(f"/{item.name} {item.usage}".strip(), item.about) for item in slash.commands()]
        )
        yield Line("Keys can be changed in the settings: keymap: {id: key}. The ids:", "muted")
        from pygent.tui.app import binding_ids  # noqa: PLC0415 - the app imports the screens

        yield Line("  " + "  ".join(binding_ids()), "muted")


def _section(title: str, rows: list[tuple[str, str]]) -> Iterator[Line]:
    yield Line(title, "strong")
    for keys, words in rows:
        gap = " " * max(2, COLUMN - len(keys))
        yield Line(f"  {keys}{gap}{words}", "", ((0, 2 + len(keys), "primary"),))
    yield Line("")
