"""The way to make a tool call again: the reason where that cannot be, else a question that shows all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from pygent.errors import PygentError
from pygent.transcript import ToolItem
from pygent.tui.panes.call_text import call_text
from pygent.tui.panes.text import visible
from pygent.tui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from pygent.session import Session


def ask_to_run_again(app: App[object], session: Session, item: ToolItem) -> None:
    """Ask whether to make ``item``'s call again, in the user's name, and do it."""
    if reason := session.why_not_again(item.tool, item.agent_id):
        app.notify(f"It cannot be run again. {reason}", severity="warning", markup=False)
        return

    def answered(yes: bool | None) -> None:
        if not yes:
            return
        try:
            session.run_again(item.tool, item.arguments, item.agent_id)
        except PygentError as error:
            app.notify(str(error), severity="error", markup=False)
        else:
            app.notify("It runs again, as a new tool call.", markup=False)

    where = session.status().sandbox
    text = f"{call_text(item)}\n\nAs a call of your own · {visible(where)}. The model does not see what comes of it."
    app.push_screen(
        ConfirmScreen(f"Run this {visible(item.tool)} call again?", text, yes="Run it", no="No"), answered
    )
