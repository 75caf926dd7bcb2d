"""The look of the prompt: as tall as its text, with what it is for above it and what its keys do below it."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.content import Content

from pygent.tui.widgets.chips import ChipArea

TALLEST = 10
"""Lines of text that show at once."""


class PromptFrame(ChipArea):
    """Its border tells of a command, of a search, of keys, and sometimes of where its text comes from."""

    DEFAULT_CSS = """
    PromptFrame {
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

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.searching = False
        self.hinted = ""
        self._lines = 1
        self._remark = ("", "")

    def hint(self, text: str, *, sends: bool = False) -> None:
        """Say below the text what keys do now. Where the first one ``sends``, a click on it does so, too."""
        if self.hinted != text:
            self.hinted = text
            first, dot, more = text.partition(" · ")
            self.border_subtitle = Content(first).stylize("@click=submit" if sends else "") + Content(dot + more)

    def remark(self, text: str) -> None:
        """Say something above the text until it is changed."""
        self._remark = (text, self.text)
        self.border_title = text

    def frame(self) -> None:
        """The text changed."""
        self._fit()
        command = self.text.startswith("!") and not self.searching
        self.set_class(command, "-command")
        if self.searching:
            return
        remark, about = self._remark
        if self.text != about:
            self._remark = remark, about = "", ""
        self.border_title = "run in the sandbox" if command else remark or None

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """A new height only where the number of lines changed: a layout costs more than a key."""
        lines = max(1, min(TALLEST, self.wrapped_document.height))
        if lines != self._lines:
            self._lines = lines
            self.styles.height = lines + 2
