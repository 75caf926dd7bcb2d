"""One line that names the parts of a screen and says which one shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content
from textual.widgets import Static


class DetailTabs(Static):
    """Names to click; the keys 1, 2, 3 do the same."""

    DEFAULT_CSS = """
    DetailTabs {
        height: 1;
        link-style: none;
        link-color: $text-muted;
        link-color-hover: $text-primary;
        link-style-hover: underline;
        link-background: transparent;
        link-background-hover: transparent;
    }
    """
    NUMBERS: ClassVar[tuple[str, ...]] = ("output", "arguments", "diff")
    WORDS: ClassVar[tuple[str, ...]] = ("Output", "Arguments", "Difference")

    def show(self, parts: Sequence[str], current: str, words: Sequence[str] = ()) -> None:
        """Name ``parts``, of which ``current`` shows; by ``words`` in place of `WORDS` where there are some."""
        shown: list[Content] = []
        for number, (part, said) in enumerate(zip(self.NUMBERS, words or self.WORDS, strict=True), 1):
            if part in parts:
                style = "bold underline $primary" if part == current else "$text-muted"
                text = Content.assemble((f"{number} ", "$foreground 45%"), (said, style))
                shown.append(text.stylize(f"@click=screen.show('{part}')"))
        self.update(Content("   ").join(shown))
