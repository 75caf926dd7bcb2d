"""The first start: where is the model, and with which key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Checkbox, Input, Static

from pygent.errors import PygentError
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.text import one_line
from pygent.tui.screens.setup_choices import (
    DEMO,
    OPENAI_URL,
    PROVIDERS,
    Choice,
    LocalServer,
    key_problem,
    local_choice,
    model_problem,
    url_problem,
)

if TYPE_CHECKING:
    from pygent.settings import Settings

Discover = Callable[[], Sequence[LocalServer]]
ListModels = Callable[[str, str | None], Sequence[str]]
Save = Callable[[Mapping[str, object]], Path]

_INTRO = "Pygent works with a language model. Choose where yours is; all of this can be changed later."
_LOOKING = "Looking for a model server on this machine …"
_NOBODY = "No Ollama, llama.cpp, LM Studio or vLLM answers on this machine."


class ChoiceList(RowsView):
    """The places to choose from; the one under the cursor is the chosen one."""

    marks_cursor_blurred = True

    class Changed(Message):
        """Another place is chosen."""

    class Accepted(Message):
        """Enter or a second click on a place."""

    def __init__(self) -> None:
        super().__init__(id="setup-choices")
        self.choices: list[Choice] = list(PROVIDERS)

    def on_mount(self) -> None:
        self.rows_changed(keep_cursor=True)
        self.cursor = 0

    @property
    def chosen(self) -> Choice:
        return self.choices[max(0, self.cursor)]

    @property
    def following(self) -> bool:
        return False

    def add_local(self, found: Sequence[Choice], *, take: bool) -> None:
        """Put servers of this machine first; ``take`` moves the choice to the first of them."""
        key = self.chosen.key
        self.choices = [*found, *self.choices]
        self.styles.height = len(self.choices)
        self.rows_changed()
        keys = [choice.key for choice in self.choices]
        self.set_reactive(RowsView.cursor, 0 if take else keys.index(key))
        self.post_message(self.Changed())
        self.refresh()

    def count(self) -> int:
        return len(self.choices)

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        choice = self.choices[index]
        sign = "◉ " if index == self.cursor else "○ "
        title = f"{one_line(choice.title, 40):<16} "
        return ((f" {sign}", "primary"), (title, "strong"), (one_line(choice.about, 80), "muted")), ()

    def cursor_moved(self) -> None:
        self.post_message(self.Changed())

    def open_row(self, index: int) -> None:
        self.post_message(self.Accepted())

    def get_content_height(self, *_: object) -> int:
        return len(self.choices)


class ModelInput(Input):
    """A model's name; up and down go through the known ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "known(-1)", "Model above", show=False, id="setup.model_above"),
        Binding("down", "known(1)", "Model below", show=False, id="setup.model_below"),
    ]
    known: Sequence[str] = ()

    def action_known(self, step: int) -> None:
        if self.known:
            at = self.known.index(self.value) if self.value in self.known else (-1 if step > 0 else 0)
            self.value = self.known[(at + step) % len(self.known)]
            self.cursor_position = len(self.value)


class Remember(Checkbox):
    """A box with a tick in it."""

    BUTTON_INNER = "✓"


class SetupScreen(ModalScreen["dict[str, str | None] | str | None"]):
    """Answers ``{"base_url", "model", "api_key"}``, ``"demo"``, or None where the person leaves.

    ``base_url`` None is OpenAI's own, ``api_key`` None is none. What is remembered is written by ``save``.
    ``discover`` finds servers on this machine, ``list_models(base_url, key)`` asks a server for its models and so
    tells whether URL and key are right; both are called in threads, and either may be left out.
    """

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = "#setup-choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="setup.leave"),
        Binding("ctrl+d", "demo", "Try the demo", priority=True, id="setup.demo"),
        Binding("ctrl+s", "start", "Start", priority=True, id="setup.start"),
    ]

    def __init__(
        self,
        settings: Settings,
        *,
        discover: Discover | None = None,
        list_models: ListModels | None = None,
        save: Save | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._discover = discover
        self._list_models = list_models
        self._save = save
        self._touched = False
        self._unchecked: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="setup", can_focus=False) as box:
            box.border_title = "Welcome to Pygent"
            yield Static(_INTRO, markup=False, id="setup-intro")
            yield ChoiceList()
            yield Static(_LOOKING if self._discover else "", markup=False, id="setup-search")
            with Vertical(id="setup-fields"):
                yield from self._fields()
            yield Static(markup=False, id="setup-problem")
            with Horizontal(id="setup-buttons"):
                yield Button(Content("Leave (esc)"), id="leave")
                yield Button(Content("Demo (ctrl+d)"), id="demo")
                yield Button(Content("Start (ctrl+s)"), id="start", variant="primary")

    def _fields(self) -> ComposeResult:
        with Horizontal(classes="setup-row", id="setup-url-row"):
            yield Static("URL", markup=False, classes="setup-label")
            yield Input(placeholder="https://models.example.org/v1", id="setup-url")
        with Horizontal(classes="setup-row", id="setup-key-row"):
            yield Static("Key", markup=False, classes="setup-label")
            with Vertical(classes="setup-field"):
                yield Input(password=True, id="setup-key")
                yield Static(markup=False, classes="setup-hint", id="setup-key-hint")
        with Horizontal(classes="setup-row", id="setup-model-row"):
            yield Static("Model", markup=False, classes="setup-label")
            with Vertical(classes="setup-field"):
                yield ModelInput(id="setup-model")
                yield Static(markup=False, classes="setup-hint", id="setup-model-hint")
        with Vertical(id="setup-remember-row"):
            yield Remember(Content("Remember this"), value=True, id="setup-remember")
            yield Static("in your settings folder, readable only by you", markup=False, classes="setup-hint")

    def on_mount(self) -> None:
        self.query_one("#setup-search").display = self._discover is not None
        self._choice_changed()
        if self._discover is not None:
            self.run_worker(self._look(self._discover), exit_on_error=False)

    async def _look(self, discover: Discover) -> None:
        try:
            found = await asyncio.to_thread(discover)
        except Exception as error:  # whatever a probe runs into, the other choices are still good
            found = []
            self.log(error)
        search = self.query_one("#setup-search", Static)
        if not found:
            search.update(_NOBODY)
            return
        search.display = False
        self.query_one(ChoiceList).add_local([local_choice(server) for server in found], take=not self._touched)

    # The form follows the choice.

    @on(ChoiceList.Changed)
    def _choice_changed(self) -> None:
        choice = self.query_one(ChoiceList).chosen
        is_demo = choice is DEMO
        self.query_one("#setup-url-row").display = choice.asks_url
        for row in ("#setup-key-row", "#setup-model-row", "#setup-remember-row"):
            self.query_one(row).display = not is_demo
        self._tell("")
        key_from = f"from {choice.key_from}; sent to {choice.title} only" if choice.key_from else ""
        self.query_one("#setup-key", Input).placeholder = self._key_placeholder(choice)
        self.query_one("#setup-key-hint", Static).update(key_from)
        self.query_one("#setup-key-hint").display = bool(key_from)
        model = self.query_one(ModelInput)
        model.known = choice.models
        model.value = choice.model
        model.placeholder = "the model's name, as the server calls it"
        model.suggester = SuggestFromList(choice.models) if choice.models else None
        names = ", ".join(choice.models[:4])
        more = f" and {len(choice.models) - 4} more" if len(choice.models) > 4 else ""
        hint = f"↑ ↓ go through {one_line(names)}{more}" if len(choice.models) > 1 else ""
        self.query_one("#setup-model-hint", Static).update(hint)
        self.query_one("#setup-model-hint").display = bool(hint)

    def _key_placeholder(self, choice: Choice) -> str:
        if choice.needs_key:
            return "paste it here" if not self._settings.api_key else "empty: the one that is set already"
        return "only if the server asks for one"

    def on_key(self, event: events.Key) -> None:  # any key is a sign of life
        self._touched = True

    @on(ChoiceList.Accepted)
    def _choice_accepted(self) -> None:
        choice = self.query_one(ChoiceList).chosen
        if choice is DEMO:
            self.action_demo()
        elif choice.asks_url:
            self.query_one("#setup-url").focus()
        else:
            self.query_one("#setup-key" if choice.needs_key else "#setup-model").focus()

    @on(Input.Submitted)
    def _field_accepted(self, event: Input.Submitted) -> None:
        """Enter goes to the next field, and starts from the last."""
        if event.input.id == "setup-model":
            self.action_start()
        else:
            self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        {"leave": self.action_leave, "demo": self.action_demo, "start": self.action_start}[
            event.button.id or "leave"
        ]()

    # The answers.

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_demo(self) -> None:
        self.dismiss("demo")

    def action_start(self) -> None:
        """Check what was typed, ask the server, remember, and go."""
        choice = self.query_one(ChoiceList).chosen
        if choice is DEMO:
            self.action_demo()
            return
        url = self.query_one("#setup-url", Input).value.strip() if choice.asks_url else choice.base_url
        typed = self.query_one("#setup-key", Input).value.strip()
        key = typed or self._settings.api_key or ""
        model = self.query_one(ModelInput).value.strip()
        for field, problem in (
            ("#setup-url", url_problem(url or "", with_key=bool(key)) if choice.asks_url else ""),
            ("#setup-key", key_problem(key, choice)),
            ("#setup-model", model_problem(model)),
        ):
            if problem:
                self._tell(problem)
                self.query_one(field).focus()
                return
        answer: dict[str, str | None] = {"base_url": url or None, "model": model, "api_key": key or None}
        if self._list_models is None or self._unchecked == tuple(answer.values()):
            self._finish(answer, typed)
        else:
            self.run_worker(self._check(answer, typed, self._list_models), exclusive=True, exit_on_error=False)

    async def _check(self, answer: dict[str, str | None], typed: str, list_models: ListModels) -> None:
        url = answer["base_url"] or OPENAI_URL
        self._tell(f"Asking {url} …", checking=True)
        try:
            models = await asyncio.to_thread(list_models, url, answer["api_key"])
        except PygentError as error:
            problem = str(error)
        else:
            wanted = str(answer["model"])
            if not models or wanted in models:
                self._finish(answer, typed)
                return
            self.query_one(ModelInput).known = models
            problem = f"The server has no model {wanted}. ↑ ↓ in the field go through its {len(models)}."
        self._unchecked = tuple(answer.values())
        self._tell(f"{problem}\nCtrl+S once more starts with it all the same.")

    def _finish(self, answer: dict[str, str | None], typed: str) -> None:
        if self.query_one(Checkbox).value:
            updates: dict[str, object] = {"base_url": answer["base_url"], "model": answer["model"]}
            if typed:
                updates["api_key"] = typed
            try:
                (self._save or _save)(updates)
            except PygentError as error:
                self._tell(f"{error}\nUncheck “Remember this” to go on without saving.")
                return
        self.dismiss(answer)

    def _tell(self, problem: str, *, checking: bool = False) -> None:
        line = self.query_one("#setup-problem", Static)
        line.update(f"{'●' if checking else '✗'} {problem}" if problem else "")
        line.set_class(bool(problem) and not checking, "-shown")
        line.set_class(checking, "-checking")
        if problem:
            line.scroll_visible(animate=False)


def _save(updates: Mapping[str, object]) -> Path:
    from pygent.settings import save_user_settings  # noqa: PLC0415 - brings the YAML parser

    return save_user_settings(updates)
