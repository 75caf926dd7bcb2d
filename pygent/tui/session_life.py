"""Which session the application works with: opened once the first frame is there, exchanged for another, closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pygent.errors import PygentError, SessionInUse
from pygent.events import Event
from pygent.settings.model import is_file
from pygent.settings.provider import server_of
from pygent.tui.bridge import Bridge
from pygent.tui.screens.main import MainScreen

if TYPE_CHECKING:
    from pygent.session import Session
    from pygent.store import StoredSession
    from pygent.tui.app import PygentApp

SessionFactory: TypeAlias = Callable[[Mapping[str, Any]], "Session"]
"""Makes another session from changed settings; the key ``demo`` asks for the demo."""


class SessionLife:
    """Carries a session's events to ``main``, the screen of that session.

    Where the settings name no model server the set-up screen comes first; ``factory`` makes the session it asks for.
    """

    def __init__(
        self, app: PygentApp, session: Session, factory: SessionFactory | None, initial_prompt: str | None
    ) -> None:
        self._app = app
        self._factory = factory
        self._initial_prompt = initial_prompt
        self._unsubscribe: Callable[[], None] | None = None
        self._before: Session | None = None
        self._modes = 0
        self.choose_first = False
        self.fork_chosen = False
        self.session = session
        self.main = _screen_of(session)
        self._bridge = self._bridge_to(self.main)
        self.on_events: Callable[[list[Event]], object] = lambda _: None

    def begin(self) -> None:
        """Open the session, or ask for what it lacks, or which one it is to be."""
        settings = self.session.settings
        bare = settings.api_key is None and settings.base_url is None and not self.session.status().demo
        bare = bare and not self.session.read_only
        bare = bare and not server_of(settings).provider and not is_file(settings.model)
        if self.choose_first:
            self._choose()
        elif bare and self._factory is not None:
            self._set_up()
        else:
            self._open()

    def _choose(self) -> None:
        from pygent.tui.screens.sessions import SessionsScreen  # noqa: PLC0415 - where it is asked for

        self._app.push_screen(SessionsScreen(self.session, first=True), self._chosen)

    def _chosen(self, answer: StoredSession | Literal["new"] | None) -> None:
        if answer is not None and not isinstance(answer, str):
            try:
                session = self.session
                self.session = session.forked(answer.id) if self.fork_chosen else session.resumed(answer)
            except SessionInUse as error:
                self._open()
                self._in_use(error)
                return
            except PygentError as error:
                self.main.note("resume", f"Another session begins: {error}", level="error")
            else:
                self.main.use(self.session)
        self._open()

    def exchange(self, make: Callable[[], Session], *, prompt: str = "") -> None:
        """Work with the session that ``make`` answers instead of the one at hand, which is closed.

        ``prompt`` stands in its prompt then, where nothing else does.

        Nothing happens while the agent is at work; that, and an error of ``make``'s, is told.
        """

        def prepare() -> None:
            try:
                session = make()
            except SessionInUse as error:
                self._app.call_later(self._in_use, error)
            except PygentError as error:
                self._app.call_later(self._refused, str(error))
            else:
                self._app.call_later(self._take, session, prompt)

        if busy := self.session.busy_with:
            self._refused(busy)
        else:
            self.main.desk.sender.leaving = True
            self._app.run_worker(prepare, thread=True, exit_on_error=False)

    def _in_use(self, error: SessionInUse) -> None:
        from pygent.tui.screens.in_use import ask_what_then  # noqa: PLC0415 - where it is so

        self._stay()
        ask_what_then(self._app, self.session, error)

    def _refused(self, why: str) -> None:
        self._stay()
        self.main.note("/resume", f"This session stays: {why}.", level="warning")

    def _stay(self) -> None:
        sender = self.main.desk.sender
        if sender.leaving:
            sender.leaving = False
            sender.opened()  # what was sent meanwhile is for this session after all

    async def _take(self, session: Session, prompt: str = "") -> None:
        if busy := self.session.busy_with:
            self._refused(busy)
            return
        self.end()
        self.main.panes.ended()
        unsent, left = self.main.desk.leave(), self.main.desk
        self._before, self.session = self.session, session
        self.main = _screen_of(session)
        self._bridge = self._bridge_to(self.main)
        await self._show(self.main)
        await self.main.complete()
        self.main.desk.arrive((left.typed(), *unsent[1:]))  # with the last keys that were still on their way
        if prompt and not self.main.prompt.text:
            self.main.to_prompt(prompt)
        self.on_events([])
        self._open()

    async def _show(self, main: MainScreen) -> None:
        """Put ``main`` in the place of the screen before, which goes with all that is open over it."""
        app = self._app
        old = app.current_mode
        self._modes += 1
        if self._modes == 1:  # the first has no name for Textual that could be taken away
            app.add_mode(old, MainScreen)  # type: ignore[arg-type]
        new = f"session-{self._modes}"
        app.add_mode(new, lambda: main)
        await app.switch_mode(new)
        await app.remove_mode(old)

    def _bridge_to(self, main: MainScreen) -> Bridge:
        return Bridge(self._app, partial(self._deliver, main))

    def _set_up(self) -> None:
        from pygent.tui.first_start import setup_screen  # noqa: PLC0415 - once in a lifetime

        self._app.push_screen(setup_screen(self.session.settings), self._set_up_done)

    def _set_up_done(self, answer: Mapping[str, Any] | str | None) -> None:
        if answer is not None and self._factory is not None:
            changes = {"demo": True} if isinstance(answer, str) else answer
            try:
                self.session = self._factory(changes)
            except PygentError as error:
                self.main.note("set-up", str(error), level="error")
            else:
                self.main.use(self.session)
        elif answer is None:
            self.main.note(
                "No model server is set up",
                "Set OPENAI_API_KEY or OPENAI_BASE_URL, or start again to choose one. `pygent --demo` needs none.",
                level="warning",
            )
        self._open()

    def _open(self) -> None:
        self._unsubscribe = self.session.subscribe(self._bridge.sink)
        self._app.run_worker(self._open_session, thread=True, exit_on_error=False)

    def _open_session(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            before.close()
        try:
            self.session.open()
        except SessionInUse as error:
            self._app.call_later(self.main.opening_failed, str(error))
            self._app.call_later(self._in_use, error)
        except Exception as error:
            said = str(error) if isinstance(error, PygentError) else f"{type(error).__name__}: {error}"
            self._app.call_later(self.main.opening_failed, said)
        else:
            self._app.call_later(self._opened)

    def _opened(self) -> None:
        self.main.session_opened()
        if self._initial_prompt:
            prompt, self._initial_prompt = self._initial_prompt, None
            self.main.submit(prompt)

    def _deliver(self, main: MainScreen, batch: list[Event]) -> None:
        if main is self.main and main.is_attached and main.is_running:  # not while the screens are taken down
            main.take(batch)
            self.on_events(batch)

    def end(self) -> None:
        """Nothing more is to be heard of the session."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None


def _screen_of(session: Session) -> MainScreen:
    if not session.read_only:
        return MainScreen(session)
    from pygent.session_view import SessionView  # noqa: PLC0415 - where a session is only looked at
    from pygent.tui.screens.replay import ReplayScreen  # noqa: PLC0415

    assert isinstance(session, SessionView)
    return ReplayScreen(session)
