"""What an undo, a redo or a rewind would do, as a diff, before it is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from pygent.plain_text import clean
from pygent.tui.diffs import FileDiff, compare
from pygent.tui.panes.preview import decoded
from pygent.tui.panes.text import visible
from pygent.tui.text import plural
from pygent.tui.widgets.diff_view import DiffView
from pygent.undo_words import left_alone

if TYPE_CHECKING:
    from pygent.checkpoints.offered import Offered
    from pygent.session import Session

TITLES = {"undo": "Undo", "redo": "Redo", "rewind": "Rewind"}
NO_LINES = "no text whose lines could be compared"
MOST = 4 * 1024 * 1024
"""Bytes of all files whose lines are compared."""


class UndoScreen(ModalScreen[bool]):
    """Answers True where the person wants what is shown."""

    CSS_PATH = "undo.tcss"
    AUTO_FOCUS = "#undo-yes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Do it", id="undo.yes"),
        Binding("n,escape,q", "answer(False)", "Leave it as it is", id="undo.no"),
        Binding("s", "style", "Side by side", id="undo.style"),
        Binding("left", "app.focus_previous", "Other answer", show=False, id="undo.previous"),
        Binding("right", "app.focus_next", "Other answer", show=False, id="undo.next"),
    ]

    def __init__(self, offered: Offered, session: Session) -> None:
        super().__init__()
        self.offered = offered
        self._session = session

    def compose(self) -> ComposeResult:
        title = TITLES[self.offered.action]
        with Vertical(id="undo") as box:
            box.border_title = Content(title)
            with VerticalScroll(id="undo-about-scroll", can_focus=False):
                yield Static(Content(about(self.offered)), id="undo-about")
            view = DiffView(id="undo-view")
            view.display = bool(self.offered.paths)
            yield view
            with Horizontal(id="undo-buttons"):
                yield Button(Content("Leave it as it is (n)"), id="undo-no")
                yield Button(Content(f"{title} (y)"), id="undo-yes")

    def on_mount(self) -> None:
        if self.offered.paths:
            self.run_worker(self._load(), exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        diffs = await asyncio.to_thread(differences, self._session, self.offered)
        self.query_one(DiffView).show(diffs)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_answer(event.button.id == "undo-yes")

    def action_answer(self, answer: bool) -> None:
        if self.is_current:  # a second key may come after the first has closed this
            self.dismiss(answer)

    def action_style(self) -> None:
        self.query_one(DiffView).action_diff_style()


def about(offered: Offered) -> str:
    """What it is about, what is left alone, and how to come back."""
    lines: list[str] = []
    if offered.titles:
        what = {"redo": "Does again what this changed"}.get(offered.action, "Takes back what this changed")
        lines.append(f"{what}: {visible(clean(offered.titles[0]))}")
        if len(offered.titles) > 1:
            lines[-1] += f", and {plural(len(offered.titles) - 1, 'other call')}"
    if offered.conversation and offered.action == "redo":
        lines.append("What was said after the rewind's place counts again.")
    elif offered.conversation:
        lines.append(f"{plural(offered.messages, 'message')} no longer count; they stay in the log.")
    if offered.paths:
        lines.append(f"{plural(len(offered.paths), 'file')} will be as below.")
    elif offered.titles:
        lines.append("No file has to be changed for it.")
    lines += [visible(line) for line in left_alone(offered.left)]
    if offered.action != "redo":
        lines.append("/redo comes back to how it is now.")
    return "\n".join(lines)


def differences(session: Session, offered: Offered) -> list[FileDiff]:
    """Each file as it is against what it would be. May block."""
    found: list[FileDiff] = []
    left = MOST
    for path, kind in offered.paths.items():
        before, after = session.offered_contents(offered, path) if left > 0 else (None, None)
        left -= len(before or b"") + len(after or b"")
        old = None if before is None else decoded(before)
        new = None if after is None else decoded(after)
        if (old is None and kind != "added") or (new is None and kind != "deleted"):
            diff = FileDiff(visible(path), kind=kind, binary=True)
            diff.notes.append(offered.notes.get(path) or NO_LINES)
        else:
            diff = compare(visible(path), old, new)
            if note := offered.notes.get(path):
                diff.notes.append(note)
        found.append(diff)
    return found
