"""Choosing a model: what the configured servers offer, asked while one looks, found by typing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from pygent.errors import PygentError
from pygent.tui.model_rows import ModelRow, ModelRows, Row, ServerRow
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.text import one_line
from pygent.tui.text import plural
from pygent.tui.widgets.search_input import SearchInput

if TYPE_CHECKING:
    from pygent.session import Session


class ModelList(RowsView):
    """Servers as headings, their models below; the cursor stands on models only."""

    marks_cursor_blurred = True

    class Accepted(Message):
        """Enter, or a second click on a model."""

    def __init__(self) -> None:
        super().__init__(id="model-list")
        self._rows: Sequence[Row] = ()

    @property
    def chosen(self) -> str | None:
        """The model under the cursor."""
        row = self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None
        return row.name if isinstance(row, ModelRow) else None

    @property
    def following(self) -> bool:
        return False

    def show(self, rows: Sequence[Row], wanted: str | None) -> None:
        """List ``rows``; the cursor goes to the model ``wanted``, or to the first."""
        self._rows = rows
        names = [row.name if isinstance(row, ModelRow) else None for row in rows]
        first = next((at for at, name in enumerate(names) if name is not None), -1)
        self.set_reactive(RowsView.cursor, names.index(wanted) if wanted in names and wanted else first)
        self.rows_changed(keep_cursor=True)
        self.show_cursor()

    def count(self) -> int:
        return len(self._rows)

    def empty(self) -> Sequence[Part]:
        return (("", ""), ("No server is set up: providers in the settings name some.", "muted"))

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        row = self._rows[index]
        if isinstance(row, ServerRow):
            role = {"asked": "accent", "told": "muted", "silent": "warning"}[row.state]
            return ((f" {row.title} ", "primary"), (f" {one_line(row.address, 80)}", "muted")), (
                (f"{row.said} ", role),
            )
        if isinstance(row, str):
            return ((f"   {one_line(row, 300)}", "warning"),), ()
        if row.typed:
            return (("   ", ""), (one_line(row.name, 100), "strong"), ("  as it is typed", "muted")), ()
        sign = " ● " if row.present else "   "
        return ((sign, "success"), (one_line(row.label, 100), "strong" if row.present else "")), (
            (f"{row.facts} ", "muted"),
        )

    def validate_cursor(self, cursor: int) -> int:
        """On to the next model in the direction of the move; where there is none, the cursor stays."""
        at = super().validate_cursor(cursor)
        ahead = 1 if cursor >= self.cursor else -1
        for step in (ahead, -ahead):  # the other way where this one ends
            here = at
            while 0 <= here < len(self._rows):
                if isinstance(self._rows[here], ModelRow):
                    return here
                here += step
        return at

    def open_row(self, index: int) -> None:
        if isinstance(self._rows[index], ModelRow):
            self.post_message(self.Accepted())


class ModelsScreen(ModalScreen[str | None]):
    """Answers the name of a model, or None where the person left. Each server is asked on a thread of its own."""

    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "#model-search"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave it as it is", id="models.leave"),
        Binding("ctrl+r", "ask_again", "Ask the servers again", id="models.ask_again", priority=True),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._models = ModelRows(session.settings, session.status().model, session.servers())
        self._round = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="models") as box:
            box.border_title = "Model"
            yield SearchInput(
                lambda: self.query_one(ModelList), "Type to find a model, or its name", id="model-search"
            )
            yield ModelList()
            with Horizontal(id="model-buttons"):
                yield Button(Content("Use ⏎"), id="use", classes="-first")
                yield Button(Content("Ask again ^r"), id="ask_again")
                yield Button(Content("Back esc"), id="leave")

    def on_mount(self) -> None:
        self._show(self._models.present)
        self._ask()

    def _ask(self) -> None:
        self._round += 1
        for server in self._models.servers:
            work = partial(self._ask_one, server.provider, self._round)
            self.run_worker(work, thread=True, exit_on_error=False)

    def _ask_one(self, provider: str, asked: int) -> None:
        try:
            found, why = self._session.models_of(provider), ""
        except PygentError as error:
            found, why = [], str(error)
        self.app.call_later(self._told, provider, found, why, asked)

    def _told(self, provider: str, found: list[str], why: str, asked: int) -> None:
        if asked == self._round and self.is_attached:
            self._models.told(provider, found, why)
            rows = self.query_one(ModelList)
            self._show(rows.chosen)

    def _show(self, wanted: str | None) -> None:
        rows = self._models.rows(self.query_one(SearchInput).value.strip())
        self.query_one(ModelList).show(rows, wanted)
        found = sum(isinstance(row, ModelRow) for row in rows)
        asked = self._models.asked
        still = f" · {plural(asked, 'server')} still asked" if asked else ""
        self.query_one("#models").border_subtitle = f"{plural(found, 'model')}{still}"

    @on(Input.Changed)
    def _typed(self) -> None:
        self._show(self.query_one(ModelList).chosen)

    @on(Input.Submitted)
    @on(ModelList.Accepted)
    def action_use(self) -> None:
        chosen = self.query_one(ModelList).chosen
        if chosen is not None and self.is_current:  # a second Enter may come after the first has closed this
            self.dismiss(chosen)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        getattr(self, f"action_{event.button.id}")()

    def action_ask_again(self) -> None:
        self._models.again()
        self._show(self.query_one(ModelList).chosen)
        self._ask()

    def action_leave(self) -> None:
        search = self.query_one(SearchInput)
        if search.value:
            search.value = ""
        else:
            self.dismiss(None)
