"""All settings: what they are, where they come from, and a way to change each in the person's own file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from pygent.errors import PygentError, SettingsError
from pygent.settings.own_file import own_values, typed_value
from pygent.tui.apply_settings import apply_setting
from pygent.tui.panes.text import visible
from pygent.tui.panes.welcome import MODES
from pygent.tui.remember import remember
from pygent.tui.settings_rows import SettingRow, default_of, setting_rows
from pygent.tui.text import plural
from pygent.tui.widgets.search_input import SearchInput
from pygent.tui.widgets.setting_list import SettingList

if TYPE_CHECKING:
    from pygent.settings.layers import Value
    from pygent.tui.app import PygentApp


class SettingsScreen(ModalScreen[None]):
    """A change is written at once, and followed at once where that can be."""

    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = "#setting-search"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="settings.leave"),
        Binding("ctrl+r", "reset", "Back to the default", id="settings.reset", priority=True),
        Binding("ctrl+e", "edit_file", "Open the file in the editor", id="settings.edit_file", priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._own: Mapping[str, Value] = {}
        self._rows: list[SettingRow] = []

    @property
    def _pygent(self) -> PygentApp:
        return cast("PygentApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(id="settings") as box:
            box.border_title = "Settings"
            yield SearchInput(lambda: self.query_one(SettingList), "Type to find a setting", id="setting-search")
            with Horizontal(id="settings-body"):
                yield SettingList()
                with VerticalScroll(id="setting-about", can_focus=False):
                    yield Static(markup=False, id="about-text")
            with Horizontal(id="setting-buttons"):
                yield Button(Content("Change ⏎"), id="change")
                yield Button(Content("Default ^r"), id="reset")
                yield Button(Content("Open file ^e"), id="edit_file")
                yield Button(Content("Back esc"), id="leave")

    def on_mount(self) -> None:
        self._read()

    def _read(self) -> None:
        """Read the person's own files, on a thread: the parser alone takes its time."""

        def read() -> None:
            try:
                own, problem = own_values(), ""
            except SettingsError as error:
                own, problem = {}, str(error)
            self.app.call_later(self._have, own, problem)

        self.run_worker(read, thread=True, exit_on_error=False)

    def _have(self, own: Mapping[str, Value], problem: str) -> None:
        if not self.is_attached:
            return
        self._own = own
        self._rows = setting_rows(self._pygent.session, own)
        self._filter()
        if problem:
            self._tell(problem, "error")

    @on(Input.Changed)
    def _filter(self) -> None:
        words = self.query_one(SearchInput).value.casefold().split()
        found = [row for row in self._rows if row.matches(words)]
        self.query_one(SettingList).show(found)
        self.query_one("#settings").border_subtitle = plural(len(found), "setting")

    @on(SettingList.Changed)
    def _moved(self) -> None:
        row = self.query_one(SettingList).chosen
        self.query_one("#about-text", Static).update(_about(row) if row is not None else "")

    # Changing.

    @on(Input.Submitted)
    @on(SettingList.Accepted)
    def action_change(self) -> None:
        row = self.query_one(SettingList).chosen
        if row is None:
            return
        if row.key == "theme":
            self._choose_theme()
        elif row.words is not None:
            self._choose(row)
        elif row.editable:
            self._ask(row)
        else:
            self._tell("This is described in the file: Ctrl+E opens it.")

    def _choose_theme(self) -> None:
        from pygent.tui.screens.themes import ThemeScreen  # noqa: PLC0415 - when it is asked for

        app = self._pygent
        app.push_screen(
            ThemeScreen(app.themes.entries(), app.theme), lambda name: self._save("theme", name) if name else None
        )

    def _choose(self, row: SettingRow) -> None:
        from pygent.tui.screens.choose import ChooseScreen  # noqa: PLC0415 - when it is asked for

        words = row.words or ()
        current = row.text or ("auto" if "auto" in words else "")
        meanings = MODES if row.key == "permission_mode" else {}
        self.app.push_screen(
            ChooseScreen(row.key, words, current, about=row.field.about, meanings=meanings),
            lambda word: None if word is None else self._save(row.key, _of_word(row, word)),
        )

    def _ask(self, row: SettingRow) -> None:
        from pygent.tui.screens.ask import AskScreen  # noqa: PLC0415 - when it is asked for

        about = f"{row.field.about}.\nAccepted: {row.field.kind.accepted}. Empty: the default."

        def taken(text: str | None) -> None:
            if text is not None:
                self._save(row.key, typed_value(row.key, text) if text.strip() else None)

        self.app.push_screen(
            AskScreen(
                row.key,
                row.own_text,
                about=about,
                password=row.field.secret,
                problem=lambda text: _problem(row.key, text) if text.strip() else "",
            ),
            taken,
        )

    def action_reset(self) -> None:
        row = self.query_one(SettingList).chosen
        if row is not None and row.own is None:
            self._tell(f"{row.key} is not set in your file.")
        elif row is not None:
            self._save(row.key, None)

    def _save(self, key: str, value: Any) -> None:
        """Write one setting; None takes it out of the file."""
        row = next(row for row in self._rows if row.key == key)

        def told(answer: Path | PygentError) -> None:
            if isinstance(answer, PygentError):
                self._tell(str(answer), "error")
                return
            if row.over:
                what = f"saved, but {row.over} decides as long as it says otherwise"
            elif problem := apply_setting(self._pygent, key, value):
                self._tell(problem, "error")
                what = "saved"
            else:
                what = f"{'the default again' if value is None else 'saved'}; it counts {row.counts}"
            self._tell(f"{key}: {what}.")
            self._read()

        remember(self._pygent, {key: value}, told)

    def _tell(self, text: str, severity: str = "information") -> None:
        self.notify(visible(text), severity="error" if severity == "error" else "information", timeout=5)

    # The rest.

    def action_edit_file(self) -> None:
        """The file in the person's editor; it is kept only where it can be read."""
        from pygent.settings.own_file import keep_own_text, own_text  # noqa: PLC0415 - rarely asked for
        from pygent.tui.editor import edit  # noqa: PLC0415

        try:
            before = own_text()
            text = edit(self.app, before, "config.yaml")
            if text is None:
                self._tell("The editor could not be used; set $EDITOR.", "error")
            elif text.strip() != before.strip():
                path = keep_own_text(text + "\n")
                self._tell(f"{path} was written; what it sets counts at the next start.")
                self._read()
        except SettingsError as error:
            self._tell(f"Nothing was written: {error}", "error")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        getattr(self, f"action_{event.button.id}")()

    def action_leave(self) -> None:
        search = self.query_one(SearchInput)
        if search.value:
            search.value = ""
        else:
            self.dismiss(None)


def _problem(key: str, text: str) -> str:
    try:
        typed_value(key, text)
    except SettingsError as error:
        return str(error)
    return ""


def _of_word(row: SettingRow, word: str) -> object:
    """What is written for a word; ``auto`` is the default of a flag, which has no other way to say it."""
    if word in {"true", "false"}:
        return word == "true"
    return None if word == "auto" and default_of(row.key) is None else word


def _about(row: SettingRow) -> Content:
    facts = [("value", row.text or "unset"), ("from", row.source)]
    if row.over and row.own is not None:
        facts.append(("your file", row.own_text or "••••"))
    facts += [("default", row.default_text or "unset"), ("accepted", row.field.kind.accepted)]
    if row.field.variable:
        facts.append(("variable", row.field.variable))
    if row.field.options:
        facts.append(("option", ", ".join(row.field.options)))
    facts.append(("counts", row.counts))
    parts: list[Content | tuple[str, str]] = [
        (row.key, "bold"),
        ("\n\n", ""),
        (f"{row.field.about}.", ""),
        ("\n\n", ""),
    ]
    if row.over:
        parts.append((f"! {row.over} decides, whatever your file says.\n\n", "$text-warning"))
    for name, text in facts:
        parts += [(f"{name:<10}", "$text-muted"), (f"{visible(text)}\n", "")]
    if row.field.secret:
        parts.append(("\nKept in credentials.yaml, which only you can read.", "$text-muted"))
    return Content.assemble(*parts)
