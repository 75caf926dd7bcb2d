"""What can be done about a session that is open in another Pygent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pygent.errors import SessionInUse
from pygent.tui.text import clean

if TYPE_CHECKING:
    from pygent.session import Session
    from pygent.tui.app import PygentApp

WATCH, FORK, NEW = "watch", "fork", "new"
MEANINGS = {
    FORK: "go on with a copy; the session stays as it is",
    WATCH: "look at it while the other Pygent works in it",
    NEW: "begin a new session",
}


def ask_what_then(app: PygentApp, session: Session, error: SessionInUse) -> None:
    """Tell who has the session open, and do what the person chooses; ``session`` is the one at hand."""
    from pygent.session_view import watch  # noqa: PLC0415 - when it is asked for
    from pygent.tui.screens.choose import ChooseScreen  # noqa: PLC0415

    def chosen(word: str | None) -> None:
        if word == FORK:
            app.life.exchange(lambda: session.forked(error.session_id))
        elif word == WATCH:
            app.life.exchange(partial(watch, session, error.session_id))
        elif word == NEW:
            app.life.exchange(lambda: session.changed({}))
        elif not session.opened:
            app.leave()

    words = [FORK, WATCH] if session.opened else [FORK, WATCH, NEW]
    about = clean(f"It is open in {error.holder}, and can be worked in there only.")
    app.push_screen(
        ChooseScreen("This session is open elsewhere", words, FORK, about=about, meanings=MEANINGS), chosen
    )
