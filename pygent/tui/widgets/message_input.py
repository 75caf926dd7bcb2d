"""A small text area for a message: Enter sends it, other keys break the line."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from pygent.tui import enter_keys
from pygent.tui.keys import key_of


class MessageInput(TextArea):
    """As tall as its text, up to a few lines. An empty text is not sent."""

    DEFAULT_CSS = """
    MessageInput {
        height: auto;
        min-height: 3;
        max-height: 8;
        padding: 0 1;
        background: $background;
        border: round $border-blurred;
        scrollbar-size-vertical: 1;
        &:focus { border: round $border; }
        border-subtitle-color: $text-muted;
        link-style: none;
        link-color: $text-muted;
        link-color-hover: $text-primary;
        link-background: transparent;
        link-background-hover: transparent;
        & .text-area--placeholder { color: $text-muted; }
        & .text-area--cursor-line { background: transparent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", id="message.send"),
        Binding("shift+enter,ctrl+j,alt+enter", "newline", "New line", id="message.newline"),
    ]
    _typed_bindings: ClassVar[tuple[Binding, ...]] = tuple(one for one in BINDINGS if isinstance(one, Binding))

    class Sent(Message):
        """Enter was pressed on a text that is not blank."""

        def __init__(self, sender: MessageInput, text: str) -> None:
            super().__init__()
            self.sender = sender
            self.text = text

        @property
        def control(self) -> MessageInput:
            return self.sender

    def __init__(self, placeholder: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder=placeholder,
        )

    def on_mount(self) -> None:
        enter_keys.know()
        enter, newline = (
            key_of(self.app, f"message.{name}", key) for name, key in (("send", "enter"), ("newline", "shift+enter"))
        )
        sends = Content(f"{enter} sends").stylize("@click=send")
        self.border_subtitle = sends + Content(f" · {newline} new line")

    async def _on_key(self, event: events.Key) -> None:
        """Send or break the line where the key stands among what was typed, before the text area takes it."""
        key = enter_keys.SPELLED.get(event.key, event.key)
        for binding in self._typed_bindings:
            keys = self.app._keymap.get(binding.id or "", binding.key)  # noqa: SLF001 - no public way to read it
            if key in (one.strip() for one in keys.split(",")):
                event.stop()
                event.prevent_default()
                await self.run_action(binding.action)
                return

    def action_send(self) -> None:
        text = self.text.strip()
        if text:
            self.post_message(self.Sent(self, text))

    def action_newline(self) -> None:
        result = self.replace("\n", *self.selection, maintain_selection_offset=False)
        self.move_cursor(result.end_location)
