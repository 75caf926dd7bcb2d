"""The application: one session on one screen, its themes and keys, and the way out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import constants, events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import Theme

from pygent.tui.app_themes import AppThemes
from pygent.tui.bridge import Bridge
from pygent.tui.lifeline import Lifeline
from pygent.tui.line_filter import safe_after
from pygent.tui.room import Room
from pygent.tui.screens.main import MainScreen
from pygent.tui.session_life import SessionFactory, SessionLife
from pygent.tui.typed_ahead import TypedAhead
from pygent.tui.way_out import WayOut

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.session import Session
    from pygent.tui.attention import Attention


def _commands() -> type[Provider]:
    from pygent.tui.palette import PygentCommands  # noqa: PLC0415 - when the palette is first opened

    return PygentCommands


UNGUARDED = (
    "Nothing guards this page: whoever reaches its address, also a page of another site in this browser, can use the "
    "agent and run commands. `pygent serve` asks who comes."
)


class PygentApp(App[int]):
    """Pygent on the whole terminal.

    ``session`` is opened once the first frame is on the screen and closed on the way out. Where its settings name no
    model server the set-up screen opens; ``session_factory`` then makes the session that is worked with.
    """

    TITLE = "Pygent"
    CSS_PATH = Path(__file__).parent / "screens" / "main.tcss"  # a screen that is there from the start brings none
    ESCAPE_TO_MINIMIZE = False
    DEFAULT_MODE = "session"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", id="app.help", priority=True),
        Binding("ctrl+p", "command_palette", "Command palette", id="app.palette", priority=True),
        Binding("f8", "settings", "Settings", id="app.settings", priority=True),
        Binding("ctrl+q", "leave", "Quit", id="app.quit", priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend to the shell; fg comes back", id="app.suspend", priority=True),
        Binding("ctrl+c", "copy_or_quit", "Copy what is selected; twice: quit", id="app.copy_or_quit", priority=True),
    ]

    def __init__(
        self,
        session: Session | None = None,
        *,
        initial_prompt: str | None = None,
        session_factory: SessionFactory | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"  # a scroll that takes its time is a scroll that lags behind its key
        session = _default_session() if session is None else session
        self.life = SessionLife(self, session, session_factory, initial_prompt)
        self._problems: list[str] = []
        self.way_out = WayOut(self)
        self.room = Room(self)
        self.lifeline: Lifeline | None = None
        self.contained: set[str] = set()
        self.attention: Attention | None = None
        self.typed_ahead = TypedAhead()
        self.last_input = 0.0
        self.on_first_frame: Callable[[], object] = lambda: None
        self.themes = AppThemes(self, self._problems.append)
        source = session.settings.source("theme")
        self.themes.choose(session.settings.theme, source, forced=source.startswith(("--", "PYGENT_")))

    @property
    def session(self) -> Session:
        """The session that is worked with."""
        return self.life.session

    @property
    def main(self) -> MainScreen:
        """The screen of the session."""
        return self.life.main

    # The start.

    def get_driver_class(self) -> type[Driver]:
        """As Textual's, save for the way to the shell and back, and for the end of a browser's server."""
        if (constants.DRIVER or "").endswith(":WebDriver"):
            from pygent.tui.web_driver import UnguardedDriver  # noqa: PLC0415 - under `textual serve` only

            return UnguardedDriver
        driver = super().get_driver_class()
        if driver.__name__ == "LinuxDriver":
            from pygent.tui.terminal_driver import TerminalDriver  # noqa: PLC0415 - not on Windows

            return TerminalDriver
        return driver

    def get_default_screen(self) -> Screen[Any]:
        return self.main

    def on_mount(self) -> None:
        self.set_keymap(dict(self.session.settings.keymap))
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.way_out.catch_signals()
        self.call_after_refresh(self._begin)

    def follow_keymap(self) -> None:
        """Use the keymap of the settings, as far as it can be used."""

        def follow() -> None:
            from pygent.tui.keymap import follow  # noqa: PLC0415 - loads all that binds keys

            follow(self)

        self.run_worker(follow, thread=True, exit_on_error=False)

    async def _begin(self) -> None:
        """The first frame is painted: what takes long may start now."""
        self.on_first_frame()
        self.themes.complete()
        await self.main.complete()
        for problem in self._problems:
            self.main.note("settings", problem, level="warning")
        if type(self._driver).__name__ == "UnguardedDriver":
            self.main.note("browser", UNGUARDED, level="warning")
        if self.session.settings.keymap:
            self.follow_keymap()
        self.themes.tell = lambda text: self.main.note("theme", text, level="warning")
        from pygent.tui import forgetting  # noqa: PLC0415 - after the first frame
        from pygent.tui.attention import Attention  # noqa: PLC0415 - after the first frame

        forgetting.begin(self, lambda: self.last_input)
        self.attention = Attention(self)
        self.life.on_events = self.attention.take
        self.life.begin()
        self.room.begin()

    # Room.

    def on_resize(self, event: events.Resize) -> None:
        self.room.resized(event.size)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.room.allows(action) and super().check_action(action, parameters)

    # Events.

    def on_bridge_ready(self, message: Bridge.Ready) -> None:
        message.bridge.ready()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.last_input = time.monotonic()
        if not self.typed_ahead.keep(event):
            await super().on_event(event)
        for kept in self.typed_ahead.take():
            await super().on_event(kept)

    def refresh_css(self, animate: bool = True) -> None:
        """As Textual's; before there is a screen there is nothing to style anew, only colours for what comes."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    # What every text goes through.

    def get_line_filters(self) -> list[LineFilter]:
        return [safe_after(*super().get_line_filters(), colours=self.console.color_system)]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """As Textual's, but a message is text: nothing in it is markup unless that is said."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def copy_to_clipboard(self, text: str) -> None:
        from pygent.tui.clipboard import copy  # noqa: PLC0415 - when something is copied

        copy(self, text, super().copy_to_clipboard)

    def _theme_changed(self, _theme: Theme) -> None:
        self.main.conversation.set_palette()

    # Keys.

    def action_help(self) -> None:
        from pygent.tui.screens.help import HelpScreen  # noqa: PLC0415 - when it is first asked for

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_settings(self) -> None:
        from pygent.tui.screens.settings import SettingsScreen  # noqa: PLC0415 - when it is asked for

        if not isinstance(self.screen, SettingsScreen):
            self.push_screen(SettingsScreen())

    def action_command_palette(self) -> None:
        from pygent.tui.palette import Palette  # noqa: PLC0415 - when it is first opened

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_copy_or_quit(self) -> None:
        text = self.screen.get_selected_text() or getattr(self.focused, "selected_text", "")
        if text:
            self.copy_to_clipboard(text)
            self.screen.clear_selection()
            self.notify("Copied.", timeout=2)
            return
        self.way_out.ask()

    def action_suspend_process(self) -> None:
        """Stop the process as a shell does; everything in it stands still, time limits too."""
        stop = getattr(self._driver, "stop_process", None)
        if stop is None:
            self.notify("There is no shell to go back to here.", severity="warning")
        else:
            self.app_suspend_signal.publish(self)
            stop()

    # The way out.

    def action_leave(self) -> None:
        self.leave()

    async def action_quit(self) -> None:
        """Textual's own way out is ours."""
        self.leave()

    def leave(self, code: int = 0) -> None:
        """Close the session beside the screen, then go. Asked for again, it goes at once."""
        self.way_out.leave(code)

    def _handle_exception(self, error: Exception) -> None:
        """As Textual's, but its traceback, whose variables hold prompts and keys, is not shown."""
        if self.way_out.failed(error):
            self._exception = error
            self._exception_event.set()
            self._return_code = 1
        self._close_messages_no_wait()

    def on_unmount(self) -> None:
        self.life.end()
        if self.attention is not None:
            self.attention.end()
        self.way_out.release_signals()


def run_tui(
    session: Session,
    initial_prompt: str | None = None,
    *,
    session_factory: SessionFactory | None = None,
    on_first_frame: Callable[[], object] | None = None,
    choose_session: bool = False,
    fork: bool = False,
) -> int:
    """Show ``session`` on the terminal until the person leaves; the answer is an exit code.

    The session is closed in any case. ``session_factory`` makes the session that the set-up screen asks for; without
    one it is made from the settings of ``session``. ``on_first_frame`` is called once that is painted. With
    ``choose_session`` a stored one is chosen first; with ``fork`` it is a copy of it that is gone on with.
    """
    factory = session_factory or (lambda changes: _changed_session(session, changes))
    app = PygentApp(session, initial_prompt=initial_prompt, session_factory=factory)
    app.life.choose_first, app.life.fork_chosen = choose_session, fork
    if on_first_frame is not None:
        app.on_first_frame = on_first_frame
    return run_app(app)


def run_agent(agent: Agent) -> int:
    """Show an existing agent on the terminal; it stays usable afterwards.

    Raises ``SystemExit`` where a signal or the loss of the terminal ended it.
    """
    app = agent_app(agent)
    code = run_app(app)
    if app.lifeline is not None and app.lifeline.exit_code is not None:
        raise SystemExit(app.lifeline.exit_code)
    return code


def run_app(app: PygentApp) -> int:
    """Run to the end of the application, or to the end of its terminal; the answer is an exit code.

    The session is closed afterwards. A failure of the application itself is told on standard error.
    """

    def close() -> None:  # whichever session it works with then
        app.session.close()

    with contextlib.suppress(AttributeError, ValueError):  # Windows, or not in the main thread
        lifeline = Lifeline(close, lambda code: app.call_later(app.leave, code))
        lifeline.start()
        app.lifeline = lifeline
    result = None
    try:
        result = app.run()
    except Exception as error:  # not from the screen, which keeps its own: the terminal's driver
        app.way_out.failed(error)
        if app.lifeline is not None:
            app.lifeline.restore()
    finally:
        app.session.close()
        if app.lifeline is not None:
            app.lifeline.stop()
    if app.way_out.failure is not None:
        app.way_out.tell()
        return 1
    return result if isinstance(result, int) else int(app.return_code or 0)


def agent_app(agent: Agent) -> PygentApp:
    """The application on an existing agent."""
    from pygent.session import Session  # noqa: PLC0415 - the core is there already
    from pygent.settings import from_environment  # noqa: PLC0415

    return PygentApp(Session(from_environment(), agent=agent))


def _default_session() -> Session:
    """For ``textual run pygent.tui.app:PygentApp``: the settings as they are found."""
    from pygent.session import Session  # noqa: PLC0415
    from pygent.settings import load  # noqa: PLC0415

    return Session(load(forgiving=True))


def _changed_session(session: Session, changes: Mapping[str, Any]) -> Session:
    values = {key: value for key, value in changes.items() if key != "demo"}
    return session.changed(values, demo=bool(changes.get("demo")))
