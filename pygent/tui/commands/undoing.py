"""Commands that take back what was done and said."""

from __future__ import annotations

from pygent.tui.slash import Surface, command


@command("undo", "[STEPS]", "take back what the last step changed in files, shown as a diff first")
def _undo(surface: Surface, argument: str) -> None:
    if argument and not (argument.isdecimal() and int(argument)):
        raise ValueError(f"{argument!r} is no number of steps; `/undo 2` takes back the last two")
    session, steps = surface.session, int(argument or 1)
    surface.take_back("/undo", lambda: session.offer_undo(steps))


@command("redo", "", "take the last /undo or /rewind back")
def _redo(surface: Surface, argument: str) -> None:  # noqa: ARG001 - the table's signature
    surface.take_back("/redo", surface.session.offer_redo)


@command("rewind", "", "go back to any message: files, conversation or both")
def _rewind(surface: Surface, argument: str) -> None:  # noqa: ARG001
    surface.choose_rewind()
