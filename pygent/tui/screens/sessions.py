"""The stored sessions: found by what was said in them, looked into, gone on with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Input, Static

from pygent.errors import PygentError
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.text import one_line
from pygent.tui.panes.welcome import short_path
from pygent.tui.text import clean, plural
from pygent.tui.widgets.search_input import SearchInput

if TYPE_CHECKING:
    from pathlib import Path

    from pygent.session import Session
    from pygent.store import Glimpse, StoredSession

Answer: TypeAlias = "StoredSession | Literal['new'] | None"

MOST = 500
"""Sessions that are listed; a search finds all."""

SETTLED = 0.15
"""Seconds without a key until what was typed is searched for, and the row under the cursor is looked into."""


class SessionList(RowsView):
    """Two lines a session: its title and age, and where and with what it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "screen.new", "Begin a new session", id="sessions.list_new", show=False),
        Binding("r", "screen.rename", "Give it a title", id="sessions.list_rename", show=False),
        Binding("d,delete", "screen.delete", "Delete it", id="sessions.list_delete", show=False),
        Binding("a", "screen.everywhere", "All workspaces, or this one", id="sessions.list_everywhere", show=False),
    ]
    marks_cursor_blurred = True
    row_height = 2

    class Changed(Message):
        """The cursor is on another session."""

    class Accepted(Message):
        """Enter, or a second click on a session."""

    def __init__(self, here: str) -> None:
        super().__init__(id="session-list")
        self.sessions: Sequence[StoredSession] = ()
        self.places = False
        self.nothing = "Looking …"
        self._here = here

    @property
    def chosen(self) -> StoredSession | None:
        return self.sessions[self.cursor] if 0 <= self.cursor < len(self.sessions) else None

    @property
    def following(self) -> bool:
        return False

    def show(self, sessions: Sequence[StoredSession], nothing: str) -> None:
        """List these, or say ``nothing``."""
        self.sessions, self.nothing = sessions, nothing
        self.set_reactive(RowsView.cursor, 0 if sessions else -1)
        self.rows_changed(keep_cursor=True)
        self.show_cursor()
        self.post_message(self.Changed())

    def count(self) -> int:
        return len(self.sessions)

    def empty(self) -> Sequence[Part]:
        return (("", ""), (self.nothing, "muted"))

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        one = self.sessions[index]
        if line == 0:
            sign = "● " if one.id == self._here else "  "
            return ((f" {sign}", "success"), (one_line(one.title, 80), "strong")), ((f"{one.age} ", "muted"),)
        here = "this session · " if one.id == self._here else ""
        place = f" · {one_line(_short(one.workspace), 60)}" if self.places else ""
        return ((f"   {here}{one_line(one.model, 40)} · {one.id[:8]}{place}", "muted"),), ()

    def cursor_moved(self) -> None:
        self.post_message(self.Changed())

    def open_row(self, index: int) -> None:
        self.post_message(self.Accepted())


class SessionsScreen(ModalScreen[Answer]):
    """Answers the session to go on with, ``"new"``, or None. What reads the store does so on threads."""

    CSS_PATH = "sessions.tcss"
    AUTO_FOCUS = "#session-search"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="sessions.leave"),
        Binding("ctrl+n", "new", "Begin a new session", id="sessions.new", priority=True),
        Binding("ctrl+r", "rename", "Give it a title", id="sessions.rename", priority=True),
        Binding("ctrl+d", "delete", "Delete it", id="sessions.delete", priority=True),
        Binding("ctrl+o", "everywhere", "All workspaces, or this one", id="sessions.everywhere", priority=True),
    ]

    def __init__(self, session: Session, *, first: bool = False) -> None:
        super().__init__()
        self._session = session
        self._first = first
        self._everywhere = False
        self._asked = 0
        self._waits: dict[str, Timer] = {}

    def compose(self) -> ComposeResult:
        with Vertical(id="sessions") as box:
            box.border_title = "Sessions"
            yield SearchInput(lambda: self.query_one(SessionList), "Type to find what was said", id="session-search")
            with Horizontal(id="sessions-body"):
                yield SessionList("" if self._first else self._session.id)
                with Vertical(id="session-glimpse"):
                    yield Static(markup=False, id="glimpse-head")
                    yield Static(markup=False, id="glimpse-text")
            with Horizontal(id="session-buttons"):
                yield Button(Content("Go on ⏎"), id="go-on", classes="-first")
                yield Button(Content("New ^n"), id="new")
                yield Button(Content("Title ^r"), id="rename")
                yield Button(Content("Delete ^d"), id="delete")
                yield Button(Content("All ^o"), id="everywhere")
                yield Button(Content("Back esc"), id="leave")

    def on_mount(self) -> None:
        self._load()

    # Reading the store.

    def _load(self) -> None:
        self._asked += 1
        asked, everywhere = self._asked, self._everywhere
        text = self.query_one(SearchInput).value.strip()
        where = "" if everywhere else f" for {short_path(self._session.workspace)}"

        def read() -> None:
            try:
                found = self._read(text, everywhere)
                nothing = f"No session{where} has “{text}” in it." if text else f"No session is stored{where}."
            except PygentError as error:
                found, nothing = [], str(error)
            self.app.call_later(self._loaded, asked, found, nothing)

        self.run_worker(read, thread=True, exit_on_error=False)

    def _read(self, text: str, everywhere: bool) -> list[StoredSession]:
        stored = self._session.stored(MOST, everywhere=everywhere)
        if not text:
            return stored
        titled = [one for one in stored if text.casefold() in one.title.casefold() or one.id.startswith(text)]
        ids = {one.id for one in titled}
        said = self._session.search_stored(text, everywhere=everywhere)
        return titled + [one for one in said if one.id not in ids]

    def _loaded(self, asked: int, found: list[StoredSession], nothing: str) -> None:
        if asked != self._asked or not self.is_attached:
            return
        rows = self.query_one(SessionList)
        rows.places = self._everywhere
        rows.show(found, nothing)
        self.query_one("#sessions").border_subtitle = plural(len(found), "session") if found else ""

    @on(Input.Changed)
    def _typed(self) -> None:
        self._soon("search", self._load)

    def _soon(self, what: str, do: Callable[[], None]) -> None:
        if what in self._waits:
            self._waits[what].stop()
        self._waits[what] = self.set_timer(SETTLED, do)

    @on(SessionList.Changed)
    def _moved(self) -> None:
        chosen = self.query_one(SessionList).chosen
        self.query_one("#glimpse-head", Static).update(one_line(chosen.title, 200) if chosen else "")
        self.query_one("#glimpse-text", Static).update("")
        if chosen is not None:
            self._soon("glimpse", self._look)

    def _look(self) -> None:
        chosen = self.query_one(SessionList).chosen
        if chosen is None:
            return
        one = chosen

        def read() -> None:
            try:
                seen = self._session.glimpse(one.id)
            except PygentError:
                return
            if seen is not None:
                self.app.call_later(self._seen, one, seen)

        self.run_worker(read, thread=True, exit_on_error=False)

    def _seen(self, one: StoredSession, seen: Glimpse) -> None:
        if self.is_attached and self.query_one(SessionList).chosen is one:
            elsewhere = one.workspace != str(self._session.workspace)
            place = f"in another workspace: {_short(one.workspace)}" if elsewhere else "in this workspace"
            facts = f"{plural(seen.messages, 'message')} · {one.age} · {one.model}\n{place}"
            parts = [("", facts), ("You", seen.asked), ("Pygent", seen.answered)]
            text = Content("\n\n").join(
                Content.assemble(
                    (f"{who}\n" if who else "", "bold"), (clean(words)[:1500], "$text-muted" if not who else "")
                )
                for who, words in parts
                if words
            )
            self.query_one("#glimpse-text", Static).update(text)

    # What can be done.

    @on(Input.Submitted)
    @on(SessionList.Accepted)
    def _go_on(self) -> None:
        chosen = self.query_one(SessionList).chosen
        if chosen is not None and self.is_current:  # a second Enter may come after the first has closed this
            self.dismiss(None if chosen.id == self._session.id else chosen)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "go-on":
            self._go_on()
        else:
            getattr(self, f"action_{event.button.id}")()

    def action_leave(self) -> None:
        search = self.query_one(SearchInput)
        if search.value:
            search.value = ""
        else:
            self.dismiss(None)

    def action_new(self) -> None:
        self.dismiss("new")

    def action_everywhere(self) -> None:
        self._everywhere = not self._everywhere
        label = "Here ^o" if self._everywhere else "All ^o"
        self.query_one("#everywhere", Button).label = Content(label)
        self._load()

    def action_rename(self) -> None:
        from pygent.tui.screens.ask import AskScreen  # noqa: PLC0415 - when it is asked for

        chosen = self.query_one(SessionList).chosen
        if chosen is not None:
            one = chosen
            about = "Empty: what was asked first."
            self.app.push_screen(
                AskScreen("Title of the session", one.title, about=about),
                lambda title: (
                    None if title is None else self._change(lambda: self._session.rename_stored(one.id, title))
                ),
            )

    def action_delete(self) -> None:
        from pygent.tui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - when it is asked for

        chosen = self.query_one(SessionList).chosen
        if chosen is None:
            return
        one = chosen
        if one.id == self._session.id and not self._first:
            self.notify("This session is open; begin or choose another one first.", severity="warning")
            return
        text = f"“{one_line(one.title, 80)}”, {one.age}. What was said in it cannot be read again."
        self.app.push_screen(
            ConfirmScreen("Delete this session?", text, yes="Delete", no="Keep"),
            lambda yes: self._change(lambda: self._session.delete_stored(one.id)) if yes else None,
        )

    def _change(self, change: Callable[[], None]) -> None:
        def work() -> None:
            try:
                change()
            except PygentError as error:
                self.app.call_later(self.notify, str(error), severity="error")
            self.app.call_later(self._load)

        self.run_worker(work, thread=True, exit_on_error=False)


def _short(workspace: str | Path) -> str:
    from pathlib import Path  # noqa: PLC0415 - only a name above

    return short_path(Path(workspace))
