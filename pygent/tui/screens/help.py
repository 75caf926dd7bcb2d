"""F1: every key and every slash command, read from where they are bound. Typing narrows it down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from pygent.tui import slash
from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.lines import Line, LinesView
from pygent.tui.panes.rows import wrap_words
from pygent.tui.places import places

COLUMN = 26
WORDS = 42
WITH_IDS = 96
"""Cells of the box from which the ids have room."""

Row: TypeAlias = tuple[str, str, str]
"""Keys or command, what they do, and the id for the keymap or ""."""

PROMPT: tuple[Row, ...] = (
    ("@ in the prompt", "files of the workspace; images go with the prompt", ""),
    ("/ first in the prompt", "slash commands", ""),
    ("! first in the prompt", "run a command in the sandbox", ""),
    ("↑ ↓ in an empty prompt", "what is queued, then what was sent before", ""),
)
MOUSE: tuple[Row, ...] = (
    ("1 to 5, y s a n t", "answer an approval, half a second after it opened", ""),
    ("↑ ↓ PgUp PgDn Home End", "scroll what has the focus", ""),
    ("Tab in a pane", "the next pane", ""),
    ("Mouse", "click, scroll, select text; Ctrl+C copies it", ""),
)


class HelpScreen(ModalScreen[None]):
    """The keys of the screen it was opened on, the focused pane's first; Esc closes it."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#help-filter"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Clear what was typed, then close", priority=True, id="help.back"),
        Binding("f1", "dismiss", "Close", priority=True, id="help.close"),
        Binding("up", "scroll_lines(-1)", "Up", priority=True, id="help.up"),
        Binding("down", "scroll_lines(1)", "Down", priority=True, id="help.down"),
        Binding("pageup", "scroll_pages(-1)", "Page up", priority=True, id="help.page_up"),
        Binding("pagedown", "scroll_pages(1)", "Page down", priority=True, id="help.page_down"),
        Binding("home", "scroll_pages(-99)", "To the top", priority=True, id="help.top"),
        Binding("end", "scroll_pages(99)", "To the end", priority=True, id="help.end"),
    ]

    def __init__(self, over: Screen[Any]) -> None:
        super().__init__()
        self._over = over
        self._sections: list[tuple[str, list[Row]]] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="help") as box:
            box.border_title = "Help"
            yield Input(placeholder="Type to search", compact=True, id="help-filter")
            yield LinesView(id="help-lines")
            yield KeyLine(("esc", "Close", "dismiss"), ("ctrl+p", "Command palette", "palette"))

    def on_mount(self) -> None:
        self.query_one(LinesView).can_focus = False
        self._sections = list(_sections(self._over))
        self._fill("")

    def on_resize(self) -> None:
        self._fill(self.query_one(Input).value)

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, words: str) -> None:
        view = self.query_one(LinesView)
        view.set_lines(list(_lines(self._sections, words.lower().split(), view.size.width - 2)))
        view.scroll_home(animate=False)

    def action_back(self) -> None:
        field = self.query_one(Input)
        if field.value:
            field.value = ""
        else:
            self.dismiss()

    def action_scroll_lines(self, lines: int) -> None:
        self.query_one(LinesView).scroll_relative(y=lines, animate=False)

    def action_scroll_pages(self, pages: int) -> None:
        view = self.query_one(LinesView)
        view.scroll_relative(y=pages * max(1, view.size.height - 1), animate=False)

    def action_palette(self) -> None:
        self.dismiss()
        self.app.call_later(self.app.action_command_palette)


def _sections(screen: Screen[Any]) -> Iterator[tuple[str, list[Row]]]:
    for place in places(screen):
        rows = [(action.keys, action.words, action.id) for action in place.actions]
        if place.title == "Prompt":
            rows += PROMPT
        yield place.title, rows
    yield "Otherwise", list(MOUSE)
    yield "Slash commands", [(f"/{item.name} {item.usage}".strip(), item.about, "") for item in slash.commands()]


def _lines(sections: list[tuple[str, list[Row]]], words: list[str], width: int) -> Iterator[Line]:
    found = False
    for title, rows in sections:
        wanted = [row for row in rows if _has(words, title, row)]
        if wanted:
            found = True
            yield Line(title, "strong")
            for row in wanted:
                yield from _row(row, width)
            yield Line("")
    if not found:
        yield Line("Nothing here has these words.", "muted")
    elif not words:
        yield Line("Keys can be changed in the settings, by the ids at the right: keymap: {pane.tasks: f9}", "muted")


def _has(words: list[str], title: str, row: Row) -> bool:
    text = " ".join((title, *row)).lower()
    return all(word in text for word in words)


def _row(row: Row, width: int) -> Iterator[Line]:
    """A row in as many lines as it needs, its id at the right where there is room."""
    keys, words, name = row
    before = f"  {keys}{' ' * max(2, COLUMN - len(keys))}"
    with_id = bool(name) and width >= WITH_IDS - 2
    first, *more = wrap_words(words, max(12, (COLUMN + WORDS if with_id else width) - len(before)))
    text = before + first
    spans = [(0, 2 + len(keys), "primary")]
    if with_id:
        text = f"{text:<{COLUMN + WORDS}}  "
        spans.append((len(text), len(text) + len(name), "muted"))
        text += name
    yield Line(text, "", tuple(spans))
    for line in more:
        yield Line(f"{' ' * (COLUMN + 2)}{line}")
