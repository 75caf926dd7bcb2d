"""Slash commands: a table of names, what they take, what they say they do, and the functions that do it.

A command acts through the session and answers with a note in the conversation. What may take long runs on a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pygent.errors import PygentError
from pygent.transcript import Transcript

if TYPE_CHECKING:
    from pygent.checkpoints.offered import Offered
    from pygent.session import Session


class Surface(Protocol):
    """What commands need of the screen they act on."""

    @property
    def session(self) -> Session: ...
    @property
    def transcript(self) -> Transcript: ...

    def note(self, title: str, text: str = "", *, level: str = "info") -> None: ...
    def work(self, title: str, job: Callable[[], str | None]) -> None:
        """Run ``job`` on a thread; note what it answers, or its error."""

    def quit(self) -> None: ...
    def show_help(self) -> None: ...
    def show_settings(self) -> None: ...
    def show_pane(self, pane: str) -> None: ...
    def show_tasks(self, filter: str) -> None:  # noqa: A002 - what it is
        """Show the pane of the tasks, with this in its filter."""

    def decide_plan(self) -> None: ...
    def use_layout(self, name: str) -> None: ...
    def choose_theme(self) -> None: ...
    def choose_model(self) -> None: ...
    def choose_session(self) -> None: ...
    def resume(self, prefix: str) -> None: ...
    def choose_fork(self) -> None: ...
    def choose_rewind(self) -> None: ...
    def take_back(self, title: str, make: Callable[[], Offered]) -> None:
        """Show what would be taken back, and do it where the person wants that."""

    def set_theme(self, name: str) -> None: ...
    def new_theme(self, name: str) -> Path: ...
    def theme_names(self) -> Sequence[str]: ...
    def set_title(self, title: str) -> None: ...
    def clear_conversation(self) -> None: ...
    def copy(self, text: str) -> None: ...
    def last_answer(self) -> str: ...
    def export(self, path: str) -> Path: ...
    def state_changed(self) -> None: ...


Run = Callable[[Surface, str], None]


class Command(NamedTuple):
    """One slash command. ``values`` answers what its argument may be, for completion."""

    name: str
    usage: str
    about: str
    run: Run
    values: Callable[[Surface], Sequence[str]] | None = None
    needs_open: bool = True


COMMANDS: dict[str, Command] = {}


def command(
    name: str,
    usage: str,
    about: str,
    *,
    values: Callable[[Surface], Sequence[str]] | None = None,
    needs_open: bool = True,
) -> Callable[[Run], Run]:
    """Put a function into the table."""

    def register(run: Run) -> Run:
        COMMANDS[name] = Command(name, usage, about, run, values, needs_open)
        return run

    return register


def is_command(text: str) -> bool:
    """Whether a prompt is meant as a command: a path such as ``/usr/bin/x is broken`` is not."""
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    return word.startswith("/") and word.count("/") == 1


def run_command(surface: Surface, text: str) -> None:
    """Do what a line that begins with a slash says; mistakes and refusals become notes."""
    _load()
    word, _, rest = text.strip().partition(" ")
    found = COMMANDS.get(word[1:])
    if found is None:
        near = _nearest(word[1:])
        hint = f"Did you mean /{near}?" if near else "/help lists all commands."
        surface.note(word, f"There is no such command. {hint}", level="error")
        return
    if found.needs_open and not surface.session.opened:
        surface.note(word, "The session is still opening; try again in a moment.", level="warning")
        return
    try:
        found.run(surface, rest.strip())
    except (PygentError, ValueError, OSError) as error:
        surface.note(word, str(error), level="error")


def commands() -> list[Command]:
    """All commands, in the order they are told."""
    _load()
    return list(COMMANDS.values())


def find(name: str) -> Command | None:
    """A command by its name without the slash."""
    _load()
    return COMMANDS.get(name)


def _load() -> None:
    from pygent.tui import commands as _  # noqa: F401, PLC0415 - fills the table, when it is first needed


def _nearest(name: str) -> str | None:
    import difflib  # noqa: PLC0415 - only for a mistyped name

    return next(iter(difflib.get_close_matches(name, COMMANDS, 1, 0.5)), None)
