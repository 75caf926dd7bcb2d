"""The question whether a tool call may run.

It takes the focus when it opens and the screen gives it back afterwards. The answers are always seen whole; the
preview has the room that is left, and all of it where that is asked for.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from pygent.approvals.summary import visible
from pygent.events import ApprovalRequested, Decision
from pygent.tui.panes.lines import LinesView
from pygent.tui.text import plural
from pygent.tui.widgets.approval_preview import Preview, Read, preview
from pygent.tui.widgets.choices import CHOICES, TELL, Choices
from pygent.tui.widgets.diff_view import DiffView

SHARE, TALLEST = 0.7, 16
"""Of the screen's height that a question takes at most, and rows of its preview, unless more is asked for."""


BESIDE = 7
"""Rows of the screen that a question leaves: the conversation's last line, the prompt, the status line."""


class More(Static):
    """Says that the preview has more than it shows; a click shows it."""

    def on_click(self) -> None:
        self.post_message(Choices.Enlarged())


class Approval(Vertical):
    """One request at a time: whose, what, why, and the answers."""

    DEFAULT_CSS = """
    Approval {
        height: auto;
        max-height: 100%;
        border: round $warning;
        border-title-color: $text-warning;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        background: $background;
        padding: 0 1;

        & > #approval-preview {
            height: auto;
            background: $background;
        }
        & > #approval-diff {
            height: auto;
        }
        & > #approval-more {
            height: 1;
            color: $text-muted;
        }
        & > #approval-reason {
            height: auto;
            color: $text-muted;
        }
        & > #approval-warning {
            height: auto;
            color: $text-warning;
            text-style: bold;
        }
        & > Choices {
            margin: 1 0 0 0;
        }
        & > #approval-feedback {
            display: none;
            height: 3;
            margin: 0;
            border: round $warning;
            background: $background;
        }
    }
    """

    class Answered(Message):
        """The person decided."""

        def __init__(self, request_id: str, decision: Decision, feedback: str = "") -> None:
            self.request_id = request_id
            self.decision = decision
            self.feedback = feedback
            super().__init__()

    def __init__(
        self,
        request: ApprovalRequested,
        who: str,
        read: Read,
        root: str = "",
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.request: ApprovalRequested | None = request
        self._who = who
        self._read = read
        self._root = root
        self._large = False
        self._more = 0

    def on_mount(self) -> None:
        if self.request is not None:
            self.ask(self.request, self._who)

    def compose(self) -> ComposeResult:
        yield LinesView(id="approval-preview")
        yield DiffView(id="approval-diff")
        yield More(id="approval-more", markup=False)
        yield Static(id="approval-warning", markup=False)
        yield Static(id="approval-reason", markup=False)
        yield Choices(id="approval-choices")
        yield Input(id="approval-feedback", placeholder="What should it do instead?  Enter sends, Esc goes back")

    def ask(self, request: ApprovalRequested, who: str) -> None:
        """Show a request and take the focus."""
        self.request = request
        self.border_title = Content(f"{visible(who)} asks: {visible(request.tool)}")
        self.display = True
        self._show(preview(request.tool, request.arguments, self._read, self._root))
        self._say("#approval-reason", visible(request.summary.partition("\n")[2]))
        self._tell(False)
        choices = self.query_one(Choices)
        choices.begin(request.rule)
        choices.focus()

    def _show(self, shown: Preview) -> None:
        lines, diff = self.query_one(LinesView), self.query_one(DiffView)
        lines.display, diff.display = shown.diff is None, shown.diff is not None
        lines.set_lines(shown.lines)
        diff.show([shown.diff] if shown.diff is not None else [])
        self._say("#approval-warning", shown.warning)
        self._large = False
        self._fit()

    @property
    def _view(self) -> DiffView | LinesView:
        diff = self.query_one(DiffView)
        return diff if diff.display else self.query_one(LinesView)

    def _fit(self) -> None:
        """Give the preview the room that the screen has beside the answers, which are always seen whole."""
        height = self.screen.size.height
        room = height - BESIDE if self._large else min(int(height * SHARE), TALLEST + len(CHOICES) + 5)
        said = sum(1 for place in ("#approval-warning", "#approval-reason") if self.query_one(place).display)
        room = max(2, room - len(CHOICES) - 4 - said)
        for view in (self.query_one(LinesView), self.query_one(DiffView)):
            view.styles.max_height = room
        self.call_after_refresh(self._tell_more)

    def _tell_more(self) -> None:
        view = self._view
        hidden = view.virtual_size.height - view.size.height
        text = f"… {plural(hidden, 'more row')} · PgUp PgDn scroll · v shows all" if hidden > 0 else ""
        self._say("#approval-more", "v shows less" if self._large else text)

    def on_resize(self) -> None:
        self._fit()

    def on_choices_enlarged(self, event: Choices.Enlarged) -> None:
        event.stop()
        self._large = not self._large
        self._fit()

    def _say(self, place: str, text: str) -> None:
        line = self.query_one(place, Static)
        line.display = bool(text)
        line.update(Content(text))

    def waiting(self, more: int) -> None:
        """Say how many requests stand in line after this one."""
        self._more = more
        self._tell_waiting()

    def on_descendant_focus(self) -> None:
        self._tell_waiting()

    def on_descendant_blur(self) -> None:
        self.call_after_refresh(self._tell_waiting)

    def _tell_waiting(self) -> None:
        parts = [f"{self._more} more waiting"] if self._more else []
        if not self.has_focus_within:
            parts.append("Tab or a click goes to the answers")
        self.border_subtitle = Content(" · ".join(parts))

    def close(self) -> None:
        """Nothing is asked any more."""
        self.request = None
        self.display = False

    @property
    def telling(self) -> bool:
        """True while the words for the model are being written."""
        return bool(self.query_one("#approval-feedback").display)

    def back(self) -> None:
        """From the words for the model to the answers."""
        self._tell(False)
        self.query_one(Choices).focus()

    def _tell(self, on: bool) -> None:
        field = self.query_one("#approval-feedback", Input)
        field.display = on
        if on:
            field.focus()
        else:
            field.value = ""

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        event.stop()
        if self.request is None:
            return
        if event.index == TELL:
            self._tell(True)
            return
        self.post_message(self.Answered(self.request.request_id, CHOICES[event.index][2]))

    def on_choices_paged(self, event: Choices.Paged) -> None:
        event.stop()
        view = self._view
        view.scroll_relative(y=event.pages * max(1, view.size.height - 1), animate=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.request is not None:
            self.post_message(self.Answered(self.request.request_id, "deny", event.value.strip()))
