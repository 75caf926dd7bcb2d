"""What slash commands act on: the main screen, as far as they may see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual.content import Content

from pygent.errors import PygentError
from pygent.tui import slash
from pygent.tui.panes.conversation import ConversationPane
from pygent.tui.text import clean_line

if TYPE_CHECKING:
    from pygent.checkpoints.offered import Offered
    from pygent.forks import ForkPoint
    from pygent.session import Session
    from pygent.store import StoredSession
    from pygent.transcript import Transcript
    from pygent.tui.screens.main import MainScreen


class ScreenSurface:
    """`pygent.tui.slash.Surface` on the main screen."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen

    @property
    def session(self) -> Session:
        return self._screen.session

    @property
    def transcript(self) -> Transcript:
        return self._screen.transcript

    def note(self, title: str, text: str = "", *, level: str = "info") -> None:
        self._screen.note(title, text, level=level)

    def work(self, title: str, job: Callable[[], str | None]) -> None:
        """Run ``job`` on a thread; note what it answers, or its error."""
        app = self._screen.app

        def run() -> None:
            try:
                answer, level = job(), "info"
            except (PygentError, ValueError, OSError) as error:
                answer, level = str(error), "error"
            if answer is not None:
                app.call_later(lambda: self.note(title, answer, level=level))
            app.call_later(self.state_changed)

        self._screen.run_worker(run, thread=True, exit_on_error=False)

    def state_changed(self) -> None:
        self._screen.state_changed()

    def quit(self) -> None:
        self._screen.pygent.leave()

    def show_help(self) -> None:
        self._screen.pygent.action_help()

    def show_settings(self) -> None:
        self._screen.pygent.action_settings()

    def show_pane(self, pane: str) -> None:
        self._screen.panes.show(pane)

    def show_tasks(self, filter: str) -> None:  # noqa: A002 - what it is
        beside = self._screen.panes.beside
        if len(beside) > 1:
            beside[1].set_filter(filter)
        self._screen.panes.show("tasks")

    def choose_session(self) -> None:
        from pygent.tui.screens.sessions import SessionsScreen  # noqa: PLC0415 - when it is asked for

        app, session = self._screen.pygent, self.session

        def chosen(answer: StoredSession | Literal["new"] | None) -> None:
            if answer == "new":
                slash.run_command(self, "/new")
            elif answer is not None and not isinstance(answer, str):
                app.life.exchange(lambda: session.resumed(answer))

        app.push_screen(SessionsScreen(session), chosen)

    def resume(self, prefix: str) -> None:
        session = self.session

        self._screen.pygent.life.exchange(lambda: session.resumed(session.find_stored(prefix)))

    def choose_fork(self) -> None:
        from pygent.tui.screens.fork import ForkScreen  # noqa: PLC0415 - when it is asked for

        app, session = self._screen.pygent, self.session

        def chosen(answer: ForkPoint | str | None) -> None:
            if isinstance(answer, str):
                app.life.exchange(session.forked)
            elif answer is not None:
                point = answer
                app.life.exchange(lambda: session.forked(to_seq=point.to_seq), prompt=point.text)

        def read() -> None:
            try:
                points = session.fork_points()
            except PygentError as error:
                app.call_later(self.note, "/fork", str(error), level="error")
            else:
                app.call_later(app.push_screen, ForkScreen(points), chosen)

        self._screen.run_worker(read, thread=True, exit_on_error=False)

    def choose_rewind(self) -> None:
        from pygent.tui.screens.taking_back import TakingBack  # noqa: PLC0415 - when it is asked for

        TakingBack(self._screen).rewind()

    def take_back(self, title: str, make: Callable[[], Offered]) -> None:
        from pygent.tui.screens.taking_back import TakingBack  # noqa: PLC0415 - when it is asked for

        TakingBack(self._screen).offer(title, make)

    def decide_plan(self) -> None:
        self._screen.plans.decide()

    def use_layout(self, name: str) -> None:
        from pygent.tui.screens.arrangement import LAYOUTS  # noqa: PLC0415 - rarely asked for

        self._screen.panes.use(LAYOUTS[name]())

    def choose_theme(self) -> None:
        from pygent.tui.remember import choose_theme  # noqa: PLC0415 - when it is asked for
        from pygent.tui.screens.themes import ThemeScreen  # noqa: PLC0415

        app = self._screen.pygent
        app.push_screen(
            ThemeScreen(app.themes.entries(), app.theme), lambda name: choose_theme(app, name) if name else None
        )

    def choose_model(self) -> None:
        from pygent.tui.screens.models import ModelsScreen  # noqa: PLC0415 - when it is asked for

        def chosen(name: str | None) -> None:
            if name is not None:
                slash.run_command(self, f"/model {name}")

        self._screen.pygent.push_screen(ModelsScreen(self.session), chosen)

    def set_theme(self, name: str) -> None:
        from pygent.tui.remember import choose_theme  # noqa: PLC0415 - when it is asked for

        app = self._screen.pygent
        if name not in app.available_themes:
            raise ValueError(f"there is no theme {name!r}; there are: {', '.join(self.theme_names())}")
        choose_theme(app, name)

    def new_theme(self, name: str) -> Path:
        from pygent.tui.remember import choose_theme  # noqa: PLC0415 - rarely asked for

        path = self._screen.pygent.themes.new(name)
        choose_theme(self._screen.pygent, name)
        return path

    def theme_names(self) -> Sequence[str]:
        return self._screen.pygent.themes.names()

    def set_title(self, title: str) -> None:
        self._screen.conversation.border_title = Content(clean_line(title) or ConversationPane.BORDER_TITLE)
        session = self.session
        if session.opened and session.is_stored:
            self.work("/title", lambda: session.rename_stored(session.id, title))

    def clear_conversation(self) -> None:
        self._screen.conversation.clear()

    def copy(self, text: str) -> None:
        self._screen.app.copy_to_clipboard(text)
        self._screen.notify("Copied.", timeout=2, markup=False)

    def last_answer(self) -> str:
        return self._screen.conversation.last_answer()

    def export(self, path: str) -> Path:
        """Write the session to a new file, as its ending says; keys are hidden. Raises ``OSError``."""
        from pygent.export import export, format_of, write_new  # noqa: PLC0415 - rarely asked for
        from pygent.settings.secrets import secrets_of  # noqa: PLC0415

        target = Path(path).expanduser()
        if not target.is_absolute():
            target = self.session.workspace / target
        title = self.session.title
        text = export(
            self.session.events(), format_of(target.name), title=title, secrets=secrets_of(self.session.settings)
        )
        write_new(target, text)
        return target
