"""The answers to what is asked of a person: whether a tool call may run, what a task wants to know.

Keys count only after a pause: half a second in which nothing was pressed. What is typed before that belongs to the
draft in the prompt, so a text that was being written is neither lost nor taken for an answer.
"""

from __future__ import annotations

import math
import time
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from pygent.approvals.summary import visible

GRACE = 0.5
"""Seconds without a key before keys count."""


class Choice(NamedTuple):
    """One answer: the letter for it, its words, what is decided by it. One that ``tells`` takes words, too."""

    letter: str
    words: str
    decision: str
    tells: bool = False


CHOICES = (
    Choice("y", "Allow once", "allow_once"),
    Choice("s", "Allow for this session", "allow_session"),
    Choice("a", "Always allow", "allow_always"),
    Choice("n", "Deny", "deny"),
    Choice("t", "Deny and tell the model what to do instead", "deny", tells=True),
)
QUESTION = (
    Choice("y", "Answer", "allow_once", tells=True),
    Choice("n", "No answer: it shall decide by itself", "deny"),
)
STOP = (
    Choice("y", "Let it stop; its tasks go on", "allow_once"),
    Choice("s", "Let it stop, and do not ask again in this session", "allow_session"),
    Choice("n", "It shall go on", "deny"),
    Choice("t", "It shall go on, with what you tell it", "deny", tells=True),
)


def choices_for(tool: str) -> tuple[Choice, ...]:
    """The answers to what a call of ``tool`` asks."""
    return {"continue": QUESTION, "stop": STOP}.get(tool, CHOICES)


class Choices(Widget, can_focus=True):
    """The answers; arrows and Enter, number, letter, or a click."""

    DEFAULT_CSS = """
    Choices {
        height: auto;
        color: $foreground;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Choice above", show=False, id="approval.above"),
        Binding("down", "move(1)", "Choice below", show=False, id="approval.below"),
        Binding("enter", "choose", "Choose", show=False, id="approval.choose"),
        Binding("pageup", "page(-1)", "Preview up", show=False, id="approval.page_up"),
        Binding("pagedown", "page(1)", "Preview down", show=False, id="approval.page_down"),
        Binding("v", "enlarge", "Show more of the preview, or less", show=False, id="approval.enlarge"),
        Binding("o", "open_task", "Show the task that asks", show=False, id="approval.open-task"),
    ]

    current = reactive(0)
    rule: reactive[str | None] = reactive[str | None](None, layout=True)

    class Chosen(Message):
        """An answer was chosen, after the pause."""

        def __init__(self, index: int) -> None:
            self.index = index
            super().__init__()

    class TypedAhead(Message):
        """A key came before it could be meant as an answer."""

        def __init__(self, character: str) -> None:
            self.character = character
            super().__init__()

    class Paged(Message):
        """The preview shall scroll by pages."""

        def __init__(self, pages: int) -> None:
            self.pages = pages
            super().__init__()

    class Enlarged(Message):
        """More of the preview is asked for, or less again."""

    class TaskAsked(Message):
        """The conversation of the task that asks shall show."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._quiet_since = math.inf
        self.choices: tuple[Choice, ...] = CHOICES
        self.from_task = False

    def begin(self, rule: str | None, choices: tuple[Choice, ...] = CHOICES, *, from_task: bool = False) -> None:
        """Ask anew; the pause begins. ``from_task`` where a task asks, which can be looked at."""
        self.choices, self.from_task = choices, from_task
        self.rule = rule
        self.refresh(layout=True)
        self.current = 0
        self.pause()

    def pause(self) -> None:
        """The question comes onto the screen now: keys count after the pause."""
        self._quiet_since = math.inf  # until it is there
        self.call_after_refresh(self._seen)

    def _seen(self) -> None:
        self._quiet_since = time.monotonic()

    def _counts(self, event: events.Event) -> bool:
        """Whether what a person did counts: by the moment it was done, not by when a busy screen comes to it."""
        return event.time - self._quiet_since >= GRACE

    def render(self) -> Content:
        lines: list[Content] = []
        for index, (letter, words, decision, _) in enumerate(self.choices):
            chosen = index == self.current
            usable = decision != "allow_always" or self.rule is not None
            parts: list[Content | str | tuple[str, str]] = [
                ("❯ " if chosen and self.has_focus else "  ", "bold $primary"),
                (f"{index + 1} ", "bold $primary" if usable else "$foreground 45%"),
                (
                    words,
                    ("bold $foreground" if chosen and self.has_focus else "$foreground")
                    if usable
                    else "$foreground 45%",
                ),
                (f"  {letter}", "$foreground 45%"),
            ]
            if decision == "allow_always":
                rule = f"  rule: {visible(self.rule)}" if self.rule is not None else "  (no rule fits this call)"
                parts.append((rule, "$text-muted"))
            lines.append(Content.assemble(*parts))
        return Content("\n").join(lines)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        if event.key in {"escape", "tab", "shift+tab", "pageup", "pagedown"} or (
            event.key.startswith(("ctrl+", "f")) and len(event.key) > 1
        ):
            return  # the screen's keys
        if not self._counts(event):
            self._belongs_to_the_draft(event)
            return
        for index, choice in enumerate(self.choices):
            if event.key in {str(index + 1), choice.letter}:
                event.stop()
                self._choose(index)
                return
        if event.is_printable and not self._bound(event.key):  # somebody writes: an Enter at its end is no answer
            self._belongs_to_the_draft(event)

    def _bound(self, key: str) -> bool:
        bindings = self._bindings.key_to_bindings.get(key, ())
        return any(binding.action != "open_task" or self.from_task for binding in bindings)

    def _belongs_to_the_draft(self, event: events.Key) -> None:
        self._quiet_since = max(self._quiet_since, event.time)
        event.stop()
        event.prevent_default()
        if event.character and event.is_printable:
            self.post_message(self.TypedAhead(event.character))

    def on_click(self, event: events.Click) -> None:
        if self._counts(event) and 0 <= event.y < len(self.choices):
            self._choose(event.y)

    def action_move(self, step: int) -> None:
        self.current = (self.current + step) % len(self.choices)

    def action_choose(self) -> None:
        self._choose(self.current)

    def action_page(self, pages: int) -> None:
        self.post_message(self.Paged(pages))

    def action_enlarge(self) -> None:
        self.post_message(self.Enlarged())

    def action_open_task(self) -> None:
        if self.from_task:
            self.post_message(self.TaskAsked())

    def _choose(self, index: int) -> None:
        self.current = index
        if self.choices[index].decision == "allow_always" and self.rule is None:
            return
        self.post_message(self.Chosen(index))
