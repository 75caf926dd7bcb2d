"""Commands about the session as a whole, and about the stored ones."""

from __future__ import annotations

from pygent.errors import PygentError
from pygent.tui.slash import Surface, command


@command("new", "", "begin a new conversation in the same workspace")
def _new(surface: Surface, argument: str) -> None:  # noqa: ARG001 - the table's signature
    surface.session.new()
    surface.clear_conversation()


@command("resume", "[ID]", "choose a stored session and go on with it")
def _resume(surface: Surface, argument: str) -> None:
    if busy := surface.session.busy_with:
        raise PygentError(f"This session stays: {busy}.")
    if argument:
        surface.resume(argument)
    else:
        surface.choose_session()


@command("title", "[TEXT]", "name this conversation; empty: what was asked first", needs_open=False)
def _title(surface: Surface, argument: str) -> None:
    surface.set_title(argument)
    surface.note("/title", f"This conversation is called “{argument}” now." if argument else "The name was removed.")


@command("fork", "", "go on with a copy, from here or from one of your messages")
def _fork(surface: Surface, argument: str) -> None:
    if argument:
        raise ValueError("/fork takes nothing: it asks from where")
    if busy := surface.session.busy_with:
        raise PygentError(f"This session stays: {busy}.")
    if not surface.session.is_stored:
        raise PygentError("this session is not stored, so it cannot be copied")
    surface.choose_fork()


@command("export", "[FILE]", "write the conversation to FILE: .md, .html or .jsonl")
def _export(surface: Surface, argument: str) -> None:
    path = argument or "conversation.md"
    surface.work("/export", lambda: f"Written to {surface.export(path)}")
