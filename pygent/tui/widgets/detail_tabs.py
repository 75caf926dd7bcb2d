"""One line that names the parts of a screen and says which one shows."""

from __future__ import annotations

from collections.abc import Sequence

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
    NUMBERS = ("output", "arguments", "diff")
    WORDS = ("Output", "Arguments", "Difference")

    def show(self, parts: Sequence[str], current: str) -> None:
        """Name ``parts``, of which ``current`` shows."""
        shown: list[Content] = []
        for number, (part, words) in enumerate(zip(self.NUMBERS, self.WORDS, strict=True), 1):
            if part in parts:
                style = "bold underline $primary" if part == current else "$text-muted"
                text = Content.assemble((f"{number} ", "$foreground 45%"), (words, style))
                shown.append(text.stylize(f"@click=screen.show('{part}')"))
        self.update(Content("   ").join(shown))
