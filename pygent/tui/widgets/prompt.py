"""Where the person writes. Its height follows the text; what was sent before comes back with Up."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

TALLEST = 10
"""Lines of text that show at once."""


class Prompt(TextArea):
    """A text area that sends with Enter. Messages say what it asks for; the screen does it."""

    DEFAULT_CSS = """
    Prompt {
        height: 3;
        padding: 0 1;
        background: $background;
        border: round $border-blurred;
        border-title-color: $text-muted;
        border-subtitle-color: $text-disabled;
        scrollbar-size-vertical: 1;

        &:focus {
            border: round $border;
        }
        &.-command {
            border: round $warning;
            border-title-color: $text-warning;
        }
        & .text-area--placeholder {
            color: $text-muted;
        }
        & .text-area--cursor-line {
            background: transparent;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Send", id="prompt.send"),
        Binding("shift+enter,ctrl+j", "newline", "New line", id="prompt.newline"),
        Binding("ctrl+g", "edit", "Edit the prompt in $EDITOR", id="prompt.editor", priority=True),
        Binding("tab", "complete", "Take the completion", id="prompt.complete", show=False),
    ]

    _typed_bindings: ClassVar[tuple[Binding, ...]] = tuple(
        binding for binding in BINDINGS if isinstance(binding, Binding) and binding.action in ("submit", "newline")
    )

    class Submitted(Message):
        """Enter was pressed on a text that is not blank."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Edited(Message):
        """The text changed."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class EditorAsked(Message):
        """The text shall be edited with the person's own editor."""

    class CompletionKey(Message):
        """A key for the list of completions: ``up``, ``down`` or ``take``."""

        def __init__(self, key: str) -> None:
            self.key = key
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            compact=False,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder="Ask for something, / for commands",
        )
        self.completing = False
        self.complete_with_enter: Callable[[], bool] = lambda: False
        """Asked at once: a message would come after what is typed behind Enter. True where it did what Enter asks."""
        self._sent: list[str] = []
        self._at: int | None = None
        self._lines = 1

    def on_mount(self) -> None:
        self.border_subtitle = "Enter sends · Shift+Enter new line"

    def set_text(self, text: str) -> None:
        """Replace the text; the cursor goes to its end."""
        self.text = text
        self.move_cursor(self.document.end)

    def remember(self, text: str) -> None:
        """Keep a text for Up."""
        if text and (not self._sent or self._sent[-1] != text):
            self._sent.append(text)
        self._at = None

    async def _on_key(self, event: events.Key) -> None:
        """Send or break the line where the key stands among what was typed.

        A priority binding would overtake the keys typed just before it, and the text area takes Enter for itself.
        """
        for binding in self._typed_bindings:
            if event.key in self._keys_of(binding):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return

    def _keys_of(self, binding: Binding) -> list[str]:
        keys = self.app._keymap.get(binding.id or "", binding.key)  # noqa: SLF001 - there is no public way to read it
        return [key.strip() for key in keys.split(",")]

    def action_submit(self) -> None:
        if not self.complete_with_enter():
            self.send()

    def send(self) -> None:
        """Hand the text over and begin a new one."""
        text = self.text.strip()
        if not text:
            return
        self.remember(text)
        self.clear()
        self.post_message(self.Submitted(text))

    def action_newline(self) -> None:
        self.insert("\n")

    def action_edit(self) -> None:
        self.post_message(self.EditorAsked())

    def action_complete(self) -> None:
        self.post_message(self.CompletionKey("take"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "complete" and not self.completing:
            return False
        return super().check_action(action, parameters)

    def action_cursor_up(self, select: bool = False) -> None:
        if self.completing:
            self.post_message(self.CompletionKey("up"))
        elif not select and self._browses():
            self._recall(-1)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if self.completing:
            self.post_message(self.CompletionKey("down"))
        elif not select and self._at is not None and self._browses():
            self._recall(1)
        else:
            super().action_cursor_down(select)

    def _browses(self) -> bool:
        return not self.text or (self._at is not None and self.text == self._sent[self._at])

    def _recall(self, step: int) -> None:
        if not self._sent:
            return
        at = len(self._sent) if self._at is None else self._at
        at += step
        if at >= len(self._sent):
            self._at = None
            self.set_text("")
        elif at >= 0:
            self._at = at
            self.set_text(self._sent[at])

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._fit()
        command = self.text.startswith("!")
        self.set_class(command, "-command")
        self.border_title = "run in the sandbox" if command else None
        self.post_message(self.Edited(self.text))

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """A new height only where the number of lines changed: a layout costs more than a key."""
        lines = max(1, min(TALLEST, self.wrapped_document.height))
        if lines != self._lines:
            self._lines = lines
            self.styles.height = lines + 2
