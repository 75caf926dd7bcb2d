"""Which session the application works with: opened once the first frame is there, exchanged for another, closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pygent.errors import PygentError
from pygent.events import Event
from pygent.tui.bridge import Bridge
from pygent.tui.screens.main import MainScreen

if TYPE_CHECKING:
    from pygent.session import Session
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
        self._bridge = Bridge(app, self._deliver)
        self._unsubscribe: Callable[[], None] | None = None
        self.session = session
        self.main = MainScreen(session)
        self.on_events: Callable[[list[Event]], object] = lambda _: None

    def begin(self) -> None:
        """Open the session, or ask for what it lacks."""
        settings = self.session.settings
        bare = settings.api_key is None and settings.base_url is None and not self.session.status().demo
        if bare and self._factory is not None:
            self._set_up()
        else:
            self._open()

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
        try:
            self.session.open()
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

    def _deliver(self, batch: list[Event]) -> None:
        if self.main.is_attached and self.main.is_running:  # not while the screens are taken down
            self.main.take(batch)
            self.on_events(batch)

    def end(self) -> None:
        """Nothing more is to be heard of the session."""
        if self._unsubscribe is not None:
            self._unsubscribe()
