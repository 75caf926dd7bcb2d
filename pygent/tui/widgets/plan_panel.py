"""What becomes of a plan: the answers above the prompt, or one line where that can wait."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from pygent.approvals.summary import visible
from pygent.transcript import PlanItem
from pygent.tui.keys import key_of
from pygent.tui.widgets.choices import Choice, Choices
from pygent.tui.widgets.message_input import MessageInput

MODES = {
    "ask": Choice("y", "Carry it out, and ask before each change and command", "ask"),
    "auto": Choice("a", "Carry it out, free in the workspace", "auto"),
}
OTHERS = (
    Choice("e", "Change it yourself first", "edit"),
    Choice("t", "Say what should be different", "changes", tells=True),
    Choice("n", "Drop it", "dropped"),
)


class PlanLine(Static):
    """Tells of a plan that can wait; a click asks."""

    class Clicked(Message):
        """The answers shall show."""

    def on_click(self) -> None:
        self.post_message(self.Clicked())


class PlanPanel(Vertical):
    """It takes the focus where the agent presented a plan, or where it is asked to."""

    DEFAULT_CSS = """
    PlanPanel {
        height: auto;
        max-height: 100%;
        border: round $accent;
        border-title-color: $text-accent;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        background: $background;
        padding: 0 1;

        & > PlanLine {
            display: none;
            height: 1;
            color: $text-muted;
        }
        & > #plan-feedback {
            display: none;
            border: round $accent;
        }
        &.-quiet {
            border: none;
            padding: 0 3;
            & > PlanLine { display: block; }
            & > Choices { display: none; }
        }
    }
    """

    class Decided(Message):
        """The person chose: a permission mode, ``edit``, ``changes`` with ``text``, or ``dropped``."""

        def __init__(self, what: str, text: str = "") -> None:
            self.what = what
            self.text = text
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.item: PlanItem | None = None

    def compose(self) -> ComposeResult:
        yield PlanLine(id="plan-line", markup=False)
        yield Choices(id="plan-choices")
        yield MessageInput("What should be different?", id="plan-feedback")

    @property
    def quiet(self) -> bool:
        """Whether it is one line."""
        return self.has_class("-quiet")

    @property
    def telling(self) -> bool:
        """Whether words for the model are being written."""
        return bool(self.query_one(MessageInput).display)

    def show(self, item: PlanItem, who: str, modes: Sequence[str], *, changed: bool) -> None:
        """Be about this plan; ``changed`` where the person has another text for it."""
        anew = self.item is not item
        self.item = item
        self.display = True
        choices = (*(MODES[mode] for mode in modes if mode in MODES), *OTHERS)
        self.border_title = Content(f"{visible(who)} has a plan" + (" · changed by you" if changed else ""))
        key = key_of(self.app, "plan.decide", "alt+p")
        what = "The answer can be carried out as a plan" if item.written else "A plan waits for you"
        self.query_one(PlanLine).update(
            Content.assemble(("◇ ", "$text-accent"), (what, "$foreground"), (f"  {key} or a click decides", ""))
        )
        found = self.query_one(Choices)
        if anew or found.choices != choices:
            self._tell(on=False)
            found.begin(None, choices)

    def hush(self) -> None:
        """Be one line."""
        self._tell(on=False)
        self.add_class("-quiet")

    def ask(self) -> None:
        """Show the answers and take the focus; keys count after a pause."""
        self.remove_class("-quiet")
        self.display = True
        self._tell(on=False)
        choices = self.query_one(Choices)
        choices.current = 0
        choices.pause()
        choices.focus()

    def pause(self) -> None:
        """Something lay over it; what was typed there is no answer."""
        self.query_one(Choices).pause()

    def back(self) -> bool:
        """From the words to the answers, from the answers to one line. Answers whether there was a way back."""
        if not self.display or self.quiet or not self.has_focus_within:
            return False
        if self.telling:
            self._tell(on=False)
            self.query_one(Choices).focus()
        else:
            self.hush()
        return True

    def close(self) -> None:
        """There is nothing to decide any more."""
        self.item = None
        self.display = False

    def _tell(self, *, on: bool) -> None:
        field = self.query_one(MessageInput)
        field.display = on
        escape = key_of(self.app, "run.interrupt", "escape")
        more = "goes back to the answers" if on else "later"
        self.border_subtitle = Content(f"{'' if on else 'v shows it large · PgUp PgDn scroll · '}{escape} {more}")
        if on:
            field.focus()
        else:
            field.clear()

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        event.stop()
        choice = self.query_one(Choices).choices[event.index]
        if choice.tells:
            self._tell(on=True)
        else:
            self.post_message(self.Decided(choice.decision))

    @on(MessageInput.Sent)
    def _sent(self, event: MessageInput.Sent) -> None:
        event.stop()
        self.post_message(self.Decided("changes", event.text))
