"""The changes of a task: looked at, chosen from, taken over or given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from pygent.tui.choosing import Decision
from pygent.tui.panes.change_list import ChangeList
from pygent.tui.panes.file_views import FilterDone, FilterLeft, FilterTyped
from pygent.tui.panes.filter_line import FilterLine
from pygent.tui.screens.confirm import ConfirmScreen
from pygent.tui.screens.review_view import ReviewView
from pygent.tui.text import plural
from pygent.tui.widgets.hunk_view import HunkView

if TYPE_CHECKING:
    from pygent.transcript import Transcript
    from pygent.tui.reviewing import Reviewed

VIEWS = ("", "-lines", "-files")
"""What shows: both, the lines, the files."""


class ReviewScreen(ReviewView):
    """The keys of a review. Whatever takes time goes on without them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", id="review.close"),
        Binding("a", "apply_all", "Apply everything", id="review.apply-all"),
        Binding("enter,A", "apply_chosen", "Apply what is chosen", id="review.apply"),
        Binding("asterisk", "choose_all", "Choose all files, or none", id="review.choose-all"),
        Binding("n", "hunk(1)", "Next hunk", id="review.next"),
        Binding("p,N", "hunk(-1)", "Hunk before", id="review.previous"),
        Binding("m", "decide('ours')", "Conflict: keep mine", id="review.ours"),
        Binding("t", "decide('theirs')", "Conflict: take theirs", id="review.theirs"),
        Binding("w", "decide('markers')", "Conflict: write both, with markers", id="review.markers"),
        Binding("d", "beside_mine", "Compare with mine, or with what was there", id="review.mine"),
        Binding("exclamation_mark", "next_conflict", "Next conflict", id="review.next-conflict"),
        Binding("u", "undo", "Undo the last apply", id="review.undo"),
        Binding("x", "discard", "Discard all changes", id="review.discard"),
        Binding("r", "compare", "Compare again", id="review.compare"),
        Binding("slash", "filter", "Filter the files", id="review.filter"),
        Binding("v", "view", "Files and lines, or one of them", id="review.view"),
    ]

    def __init__(self, task_id: str, session: Reviewed, transcript: Transcript) -> None:
        super().__init__(task_id, session, transcript)
        self._view = 0

    # What lists and lines ask for.

    @on(ChangeList.Highlighted)
    def _highlighted(self) -> None:
        self._show_lines(wait=True)

    @on(ChangeList.Toggled)
    def _toggled(self, event: ChangeList.Toggled) -> None:
        self.state.toggle(event.path)

    @on(ChangeList.Opened)
    def _opened(self) -> None:
        self.action_apply_chosen()

    @on(ChangeList.LinesAsked)
    def _lines_asked(self) -> None:
        self.lines.focus()

    @on(HunkView.ListAsked)
    def _list_asked(self) -> None:
        self.rows.focus()

    @on(HunkView.Toggled)
    def _hunk_toggled(self, event: HunkView.Toggled) -> None:
        if self._shown is not None:
            self.state.toggle_hunk(self._shown.path, event.number)

    @on(HunkView.Asked)
    def _file_asked(self, event: HunkView.Asked) -> None:
        before = self.rows.cursor
        self.rows.cursor += event.step
        if self.rows.cursor != before:
            self.rows.show_cursor()
            self._show_lines(at=-1 if event.hunk and event.step < 0 else 0)

    @on(FilterTyped)
    def _filter_typed(self, event: FilterTyped) -> None:
        self._filter = event.text
        self._show_files()
        self._tell()

    @on(FilterDone)
    def _filter_done(self) -> None:
        self.rows.focus()

    @on(FilterLeft)
    def _filter_left(self) -> None:
        line = self.query_one(FilterLine)
        line.value, self._filter = "", ""
        line.remove_class("-on")
        self.rows.focus()
        self._show_files()
        self._tell()

    # Keys.

    def action_close(self) -> None:
        if self._filter:
            self._filter_left()
        else:
            self.dismiss()

    def action_filter(self) -> None:
        if self._view == VIEWS.index("-lines"):
            self.action_view()
        self.query_one(FilterLine).add_class("-on").focus()
        self._fit_files()

    def action_view(self) -> None:
        self.remove_class(*(name for name in VIEWS if name))
        self._view = (self._view + 1) % len(VIEWS)
        if name := VIEWS[self._view]:
            self.add_class(name)
        self._fit_files()
        (self.lines if name == "-lines" else self.rows).focus()

    def action_choose(self) -> None:
        (self.lines if self.lines.has_focus else self.rows).action_choose()

    def action_style(self) -> None:
        self.lines.action_diff_style()

    def action_hunk(self, step: int) -> None:
        self.lines.action_hunk(step)

    def action_choose_all(self) -> None:
        self.state.toggle_all([change.path for change in self.rows.files])

    def action_decide(self, decision: Decision) -> None:
        change = self.rows.current
        if change is None or change.path not in self.state.compared.conflicts:
            self.state.say("This file does not conflict: there is nothing to decide.", "muted")
        elif decision == "markers" and not change.hunks:
            self.state.say("It has no lines between which markers could stand: take mine or theirs.", "warning")
        else:
            self.state.decide(change.path, decision)

    def action_beside_mine(self) -> None:
        change = self.rows.current
        if change is not None:
            self._beside = not self._beside
            self.run_worker(self._load(change, 0, wait=False), group="lines", exclusive=True)

    def action_next_conflict(self) -> None:
        paths = [change.path for change in self.rows.files]
        order = [*paths[self.rows.cursor + 1 :], *paths[: self.rows.cursor + 1]]
        found = [path for path in order if path in self.state.compared.conflicts]
        open_ = [path for path in found if self.state.selection.decision(path) is None]
        if found:
            self._go_to((open_ or found)[0])
        else:
            self.state.say("No file conflicts.", "muted")

    def _go_to(self, path: str) -> None:
        place = next((at for at, change in enumerate(self.rows.files) if change.path == path), None)
        if place is not None:
            self.rows.cursor = place
            self.rows.show_cursor()

    # What takes time.

    def action_apply_all(self) -> None:
        hidden = len(self.state.compared.changes.files) - len(self.rows.files)
        if hidden:
            choose, apply = self.state.key("review.choose-all", "*"), self.state.key("review.apply", "Enter")
            what = plural(hidden, "file")
            self.state.say(f"The filter hides {what}: {choose} and {apply} apply what is shown.", "warning")
            return
        self.run_worker(self._apply(everything=True), group="act")

    def action_apply_chosen(self) -> None:
        self.run_worker(self._apply(everything=False), group="act")

    async def _apply(self, *, everything: bool) -> None:
        if (path := await self.state.apply(everything=everything)) is not None and self.stands:
            self._go_to(path)

    def action_undo(self) -> None:
        self.run_worker(self.state.undo(), group="act")

    def action_discard(self) -> None:
        task, files = self.item, self.state.compared.changes.files
        name = self._name_of(self.task_id)
        text = f"{plural(len(files), 'file')} with changes by {name} will be given up."
        if task is not None and task.ended_at is None:
            text += f" {name} still runs."
        question = ConfirmScreen("Discard all changes?", text, yes="Discard", no="Keep them")
        self.app.push_screen(question, lambda yes: self._discard() if yes else None)

    def _discard(self) -> None:
        self.run_worker(self.state.discard(), group="act")
