"""What a review shows: the files, the lines of one of them, the task's state, and what became of what was done."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from pygent.changes import ChangeSet, FileChange
from pygent.tui.contained import contained
from pygent.tui.keys import key_of
from pygent.tui.panes.change_list import ChangeList
from pygent.tui.panes.filter_line import FilterLine
from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.text import one_line
from pygent.tui.review_state import ReviewState
from pygent.tui.reviewing import Reviewer
from pygent.tui.screens.review_words import empty_words, foot_line, state_line, title_line
from pygent.tui.widgets.change_head import ChangeHead
from pygent.tui.widgets.hunk_view import HunkView

if TYPE_CHECKING:
    from pygent.transcript import TaskItem, Transcript
    from pygent.tui.reviewing import Reviewed

NARROW = 100
"""Cells below which the files stand above the lines."""

WAIT = 0.03
"""Seconds that the cursor rests on a file before its content is asked for."""


class ReviewView(ModalScreen[None]):
    """Files at the left, the lines of one at the right. It looks at the transcript for the task's end by itself."""

    CSS_PATH = "review.tcss"

    def __init__(self, task_id: str, session: Reviewed, transcript: Transcript) -> None:
        super().__init__()
        self.task_id = task_id
        self._transcript = transcript
        self._reviewer = Reviewer(session, task_id)
        self.state = ReviewState(self._reviewer, self._changed, self._failed)
        self._changes = ChangeSet()
        self._shown: FileChange | None = None
        self._beside = False  # whether the lines are those between the person's version and the task's
        self._filter = ""
        self._seen: tuple[object, ...] = ()
        self._told: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        with Vertical(id="review"):
            yield Static(markup=False, id="review-state")
            with Container(id="review-body"):
                with Vertical(id="review-files"):
                    yield FilterLine(id="review-filter")
                    yield ChangeList()
                with Vertical(id="review-lines"):
                    yield ChangeHead()
                    yield HunkView()
            yield Static(markup=False, id="review-said")
            yield KeyLine(
                ("space", "Choose", "choose"),
                ("enter", "Apply chosen", "apply_chosen"),
                ("a", "Apply all", "apply_all"),
                ("u", "Undo", "undo"),
                ("x", "Discard", "discard"),
                ("esc", "Close", "close"),
                ("n", "Next hunk", "hunk(1)"),
                ("*", "All or none", "choose_all"),
                ("r", "Refresh", "compare"),
                ("v", "View", "view"),
                ("/", "Filter", "filter"),
                ("s", "Side by side", "style"),
            )

    def on_mount(self) -> None:
        self.rows.name_of = self._name_of
        self.state.key = partial(key_of, self.app)
        self.rows.focus()
        self._seen = self._now()
        self._changed()
        self.set_interval(0.5, self._look)
        self.action_compare()

    @property
    def stands(self) -> bool:
        """Whether there is something to show it in: work that began on the screen may end after it was closed."""
        return self.is_mounted and bool(self.query(ChangeList)) and bool(self.query(HunkView))

    @property
    def rows(self) -> ChangeList:
        """The files."""
        return self.query_one(ChangeList)

    @property
    def lines(self) -> HunkView:
        """The hunks of one of them."""
        return self.query_one(HunkView)

    @property
    def item(self) -> TaskItem | None:
        """The task, None where it is not of this session."""
        return self._transcript.tasks.get(self.task_id)

    def _name_of(self, task_id: str) -> str:
        task = self._transcript.tasks.get(task_id)
        return one_line((task.persona if task is not None else "") or task_id, 40)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < NARROW, "-narrow")
        self._fit_files()
        self._head()

    def _fit_files(self) -> None:
        """Above the lines, few files take few rows."""
        rows = max(2, len(self.rows.files)) + self.query_one(FilterLine).has_class("-on")
        narrow = self.has_class("-narrow") and not self.has_class("-files") and not self.has_class("-empty")
        self.query_one("#review-files").styles.max_height = rows if narrow else None

    # Keeping up.

    def _now(self) -> tuple[object, ...]:
        task = self.item
        return () if task is None else (task.ended_at, task.review, tuple(task.conflicts))

    def _look(self) -> None:
        """The task may have ended, or somebody else taken its changes over."""
        if (now := self._now()) != self._seen:
            self._seen = now
            self.run_worker(self.state.compare(quiet=True), group="compare", exclusive=True)
        self._tell()

    def _changed(self) -> None:
        """Show the state as it is."""
        if not self.stands:
            return
        state, rows = self.state, self.rows
        rows.selection = state.selection
        rows.conflicts, rows.overlaps = state.compared.conflicts, state.compared.overlaps
        if self._changes is not state.compared.changes or not state.loaded:
            self._changes = state.compared.changes
            self._show_files()
        rows.refresh()
        self.lines.choice_changed()
        self._head()
        self._tell()

    def _show_files(self) -> None:
        wanted, files = self._filter.casefold(), self._changes.files
        self.set_class(self.state.loaded and not files, "-empty")
        self.rows.show([change for change in files if wanted in change.path.casefold()] if wanted else files)
        self._fit_files()
        self._show_lines()

    def _tell(self) -> None:
        """The line about the task and the one about what was done, where they are other than they were."""
        title = title_line(self.item, self.task_id, self.state.key("review.compare", "r"))
        head, said = state_line(self.state), self.state.said
        if self.state.busy:
            said = said._replace(text=self.state.busy.capitalize(), role="muted")
        foot = foot_line(self._transcript, self.task_id)
        told = title, head, foot, said, self._filter
        if told != self._told:
            self._told = told
            self.rows.words = empty_words(self.item, self.state, self._filter)
            self.rows.refresh()
            box = self.query_one("#review")
            box.border_title, box.border_subtitle = title, foot
            self.query_one("#review-state", Static).update(head)
            line = self.query_one("#review-said", Static)
            line.update(said.text)
            line.set_classes(f"review--{said.role}" if said.role else "")

    # The lines.

    def _show_lines(self, *, at: int = 0, wait: bool = False) -> None:
        """Show the file under the cursor from a hunk on, once its content is here."""
        change = self.rows.current
        if change is None:
            self._shown = None
            self.lines.show_change(None)
            self._head()
        elif change is not self._shown or at:
            again = self._shown is not None and self._shown.path == change.path
            self._shown, self._beside = change, self._beside and again
            self.run_worker(self._load(change, at, wait=wait), group="lines", exclusive=True)
        self._head()

    async def _load(self, change: FileChange, at: int, *, wait: bool) -> None:
        if wait:
            await asyncio.sleep(WAIT)
        beside = self._beside
        shown = await asyncio.to_thread(self._reviewer.beside_mine if beside else self._reviewer.shown, change)
        if self.stands and self.rows.current is change and beside is self._beside:
            self.lines.choosable = not beside
            self.lines.chosen = lambda hunk: not beside and self.state.selection.has(change.path, hunk)
            self.lines.show_change(shown.change, shown.hunks, shown.words, at=at)

    def _head(self) -> None:
        change, compared = self.rows.current, self.state.compared
        path = change.path if change is not None else ""
        names = Counter(self._name_of(other) for other in self._transcript.tasks)
        others = [
            name if names[name := self._name_of(other)] < 2 else f"{name} ({one_line(other, 12)})"
            for other in compared.overlaps.get(path, ())
        ]
        self.query_one(ChangeHead).show(
            change,
            conflict=compared.conflicts.get(path),
            decision=self.state.selection.decision(path),
            merges=path in compared.merged,
            others=others,
        )

    def _failed(self, error: Exception) -> None:
        contained(self.app, "the review of a task", error)

    def action_compare(self) -> None:
        self.run_worker(self.state.compare(), group="compare", exclusive=True)
