"""Undo, redo and rewind on the main screen: offered, shown, done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from pygent.errors import PygentError

if TYPE_CHECKING:
    from pygent.checkpoints.offered import Offered, Point, RestoreOutcome
    from pygent.tui.screens.main import MainScreen

T = TypeVar("T")


class TakingBack:
    """What ``/undo``, ``/redo`` and ``/rewind`` do. Looking and restoring happen on threads."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen

    def offer(self, title: str, make: Callable[[], Offered]) -> None:
        """Show what would be done, and do it where the person wants that."""
        self._beside(title, make, lambda offered: self._show(title, offered))

    def rewind(self) -> None:
        """Let the person choose where to go back to, and what of it."""
        self._beside("/rewind", self._screen.session.points, self._choose)

    def _choose(self, points: list[Point]) -> None:
        from pygent.tui.screens.choose import ChooseScreen  # noqa: PLC0415 - when it is asked for
        from pygent.tui.screens.rewind import BOTH, FILES, MEANINGS, MESSAGES, RewindScreen  # noqa: PLC0415

        app, session = self._screen.pygent, self._screen.session
        if not points:
            self._screen.note("/rewind", "Nothing was said yet that could be gone back to.", level="warning")
            return

        def chosen(point: Point | None) -> None:
            if point is None:
                return
            to_seq = point.to_seq
            if not point.files:
                self.offer("/rewind", lambda: session.offer_rewind(to_seq, files=False))
                return

            def what(word: str | None) -> None:
                if word is not None:
                    files, conversation = word != MESSAGES, word != FILES
                    self.offer(
                        "/rewind", lambda: session.offer_rewind(to_seq, files=files, conversation=conversation)
                    )

            app.push_screen(ChooseScreen("Rewind what?", [BOTH, FILES, MESSAGES], BOTH, meanings=MEANINGS), what)

        app.push_screen(RewindScreen(points), chosen)

    def _show(self, title: str, offered: Offered) -> None:
        from pygent.tui.screens.undo import UndoScreen  # noqa: PLC0415 - when it is asked for

        session = self._screen.session

        def answered(wanted: bool | None) -> None:
            if wanted:
                self._beside(title, lambda: session.restore(offered), self._done)

        self._screen.pygent.push_screen(UndoScreen(offered, session), answered)

    def _done(self, outcome: RestoreOutcome) -> None:
        if outcome.conversation and outcome.prompt and not self._screen.prompt.text:
            self._screen.to_prompt(outcome.prompt)
        self._screen.state_changed()

    def _beside(self, title: str, work: Callable[[], T], then: Callable[[T], None]) -> None:
        app = self._screen.app

        def run() -> None:
            try:
                found = work()
            except (PygentError, OSError) as error:
                text = str(error)
                app.call_later(lambda: self._screen.note(title, text, level="error"))
            else:
                app.call_later(lambda: then(found))

        self._screen.run_worker(run, thread=True, exit_on_error=False)
