"""One file as it was when the session began, and as it is now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from pygent.errors import PygentError, WorkspaceError
from pygent.tui.diffs import FileDiff, compare
from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.preview import decoded
from pygent.tui.panes.text import fit_end, visible
from pygent.tui.text import plural
from pygent.tui.widgets.diff_view import DiffView

if TYPE_CHECKING:
    from pygent.baseline import Original
    from pygent.session import Session

MOST = 4 * 1024 * 1024
"""Bytes of a file that is compared."""


class _Found(NamedTuple):
    """A difference, or a ``note`` in its place; ``about`` says what it was compared with."""

    diff: FileDiff | None
    about: str
    note: str = ""


class FileDiffScreen(ModalScreen[None]):
    """Asks the session, in a thread, for what the file was."""

    CSS_PATH = "file_diff.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", id="file-diff.close"),
        Binding("r", "reload", "Compare again", id="file-diff.reload"),
    ]

    def __init__(self, path: str, session: Session) -> None:
        super().__init__()
        self.path = path
        self._session = session

    def compose(self) -> ComposeResult:
        with Vertical(id="file-diff"):
            yield DiffView(id="file-diff-view")
            yield Static("Comparing …", markup=False, id="file-diff-note")
            yield KeyLine(
                ("esc", "Close", "close"),
                ("s", "Side by side", "style"),
                ("n", "Next change", "next"),
                ("c", "Copy", "copy"),
                ("r", "Compare again", "reload"),
            )

    def on_mount(self) -> None:
        self.query_one(DiffView).focus()
        self.action_reload()

    def on_resize(self) -> None:
        self.query_one("#file-diff").border_title = Content(fit_end(visible(self.path), max(8, self.size.width - 12)))

    def action_reload(self) -> None:
        self.run_worker(self._load(), exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        found = await asyncio.to_thread(_compared, self._session, self.path)
        view, note = self.query_one(DiffView), self.query_one("#file-diff-note", Static)
        view.show([found.diff] if found.diff is not None else [])
        view.display = found.diff is not None
        note.display = found.diff is None
        note.update(Content(visible(found.note)))
        if found.diff is not None:
            view.focus()
        self.query_one("#file-diff").border_subtitle = Content(visible(found.about))

    def action_close(self) -> None:
        self.dismiss()

    def action_style(self) -> None:
        self.query_one(DiffView).action_diff_style()

    def action_next(self) -> None:
        self.query_one(DiffView).action_hunk(1)

    def action_copy(self) -> None:
        self.query_one(DiffView).action_copy_diff()


def _compared(session: Session, path: str) -> _Found:
    try:
        original = session.original(path)
        try:
            after: bytes | None = session.read_file(path)
        except WorkspaceError:
            if session.exists(path):
                raise
            after = None
    except (OSError, PygentError) as error:
        return _Found(None, "", f"{path} cannot be compared: {error}")
    before = original.data
    about = _about(original)
    if original.origin == "unknown":
        return _Found(
            None,
            "",
            "Nobody knows what this file was: no tool of the session changed it, and git has not committed it.",
        )
    if before == after:
        return _Found(None, about, f"It is the same as {_words(original)}.")
    if max(len(before or b""), len(after or b"")) > MOST:
        return _Found(None, about, "It is too large to be compared here.")
    old = None if before is None else decoded(before)
    new = None if after is None else decoded(after)
    if (old is None) != (before is None) or (new is None) != (after is None):
        return _Found(None, about, "It changed, and it is no text whose lines could be compared.")
    diff = compare(path, old, new)
    return _Found(diff, f"{about} · {plural(diff.added, 'line')} added, {diff.removed:,} removed")


def _about(original: Original) -> str:
    return f"since {_words(original)}"


def _words(original: Original) -> str:
    if original.origin == "session":
        return "the session began"
    return f"the commit {original.commit[:8]}" if original.commit else "the last commit"
