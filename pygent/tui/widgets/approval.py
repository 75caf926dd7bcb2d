"""The question whether a tool call may run, or what a task wants to know.

It takes the focus when it opens and the screen gives it back afterwards. The answers are always seen whole; the
preview has the room that is left, and all of it where that is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from pygent.approvals.summary import visible
from pygent.events import MAIN, ApprovalRequested, Decision
from pygent.tui.keys import key_of
from pygent.tui.panes.lines import LinesView
from pygent.tui.panes.text import one_line, running_for
from pygent.tui.text import plural
from pygent.tui.widgets.approval_preview import Preview, Read, preview
from pygent.tui.widgets.choices import CHOICES, Choice, Choices, choices_for
from pygent.tui.widgets.diff_view import DiffView
from pygent.tui.widgets.message_input import MessageInput

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
        link-style: none;
        link-color: $text-muted;
        link-color-hover: $text-primary;
        link-background: transparent;
        link-background-hover: transparent;

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
            border: round $warning;
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
        self._others: Sequence[str] = ()
        self._telling: Choice | None = None

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tell_waiting)
        if self.request is not None:
            self.ask(self.request, self._who)

    def compose(self) -> ComposeResult:
        yield LinesView(id="approval-preview")
        yield DiffView(id="approval-diff")
        yield More(id="approval-more", markup=False)
        yield Static(id="approval-warning", markup=False)
        yield Static(id="approval-reason", markup=False)
        yield Choices(id="approval-choices")
        yield MessageInput(id="approval-feedback")

    def ask(self, request: ApprovalRequested, who: str) -> None:
        """Show a request and take the focus."""
        self.request = request
        asks = {"continue": "asks you", "stop": "wants to stop"}.get(request.tool, f"asks: {visible(request.tool)}")
        self.border_title = Content(f"{visible(who)} {asks}")
        self.display = True
        self._tell(None)
        choices = self.query_one(Choices)
        choices.begin(request.rule, choices_for(request.tool), from_task=request.agent_id != MAIN)
        self._show(preview(request.tool, request.arguments, self._read, self._root))
        self._say("#approval-reason", visible(request.summary.partition("\n")[2]))
        choices.focus()

    def _show(self, shown: Preview) -> None:
        lines, diff = self.query_one(LinesView), self.query_one(DiffView)
        lines.display, diff.display = bool(shown.lines), shown.diff is not None
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
        answers = len(self.query_one(Choices).choices)
        said = sum(1 for place in ("#approval-warning", "#approval-reason") if self.query_one(place).display)
        room = max(2, room - answers - 4 - said)
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

    def seen_again(self) -> None:
        """Nothing lies over it any more; what was typed there is no answer."""
        self.query_one(Choices).pause()

    def waiting(self, others: Sequence[str]) -> None:
        """Say whose requests stand in line after this one."""
        self._others = others
        self._tell_waiting()

    def on_descendant_focus(self) -> None:
        self._tell_waiting()

    def on_descendant_blur(self) -> None:
        self.call_after_refresh(self._tell_waiting)

    def _tell_waiting(self) -> None:
        request = self.request
        if request is None or not self.is_mounted:
            return
        waited = max(0.0, time.time() - request.at) if request.at else 0.0
        parts = [Content(f"waits {running_for(waited)}")]
        if self._others:
            names = ", ".join(dict.fromkeys(visible(name) for name in self._others))
            parts.append(Content(f"{len(self._others)} more waiting: {one_line(names, 40)}"))
        if request.agent_id != MAIN:
            words = f"{key_of(self.app, 'approval.open-task', 'o').lower()} shows its conversation"
            parts.append(Content(words).stylize("@click=open_task"))
        if not self.has_focus_within:
            parts.append(Content("Tab or a click goes to the answers"))
        said = Content(" · ").join(parts)
        if str(self.border_subtitle or "") != said.markup:
            self.border_subtitle = said

    def action_open_task(self) -> None:
        self.post_message(Choices.TaskAsked())

    def close(self) -> None:
        """Nothing is asked any more."""
        self.request = None
        self.display = False

    @property
    def telling(self) -> bool:
        """True while the words for the model are being written."""
        return self._telling is not None

    def back(self) -> None:
        """From the words for the model to the answers."""
        self._tell(None)
        self.query_one(Choices).focus()

    def _tell(self, choice: Choice | None) -> None:
        """Take the words that go with ``choice``; None: no words."""
        self._telling = choice
        field = self.query_one(MessageInput)
        field.display = choice is not None
        if choice is None:
            field.clear()
            return
        what = "Your answer" if choice.decision == "allow_once" else "What should it do instead?"
        field.placeholder = f"{what} – {key_of(self.app, 'run.interrupt', 'escape')} goes back to the answers"
        field.focus()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        event.stop()
        if self.request is None:
            return
        choice = self.query_one(Choices).choices[event.index]
        if choice.tells:
            self._tell(choice)
        else:
            self.post_message(self.Answered(self.request.request_id, cast("Decision", choice.decision)))

    def on_choices_paged(self, event: Choices.Paged) -> None:
        event.stop()
        view = self._view
        view.scroll_relative(y=event.pages * max(1, view.size.height - 1), animate=False)

    def on_message_input_sent(self, event: MessageInput.Sent) -> None:
        event.stop()
        if self.request is not None and self._telling is not None:
            decision = cast("Decision", self._telling.decision)
            self.post_message(self.Answered(self.request.request_id, decision, event.text))
