"""One line that names the panes and says which one shows."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

PANES = (
    ("conversation", "Conversation"),
    ("tool-log", "Tool calls"),
    ("tasks", "Tasks"),
    ("workspace", "Workspace"),
)


class PaneTabs(Widget):
    """Names of panes to click; the keys F2 to F5 do the same."""

    DEFAULT_CSS = """
    PaneTabs {
        height: 1;
        padding: 0 1;
        color: $text-muted;
        link-style: none;
        link-color: $text-muted;
        link-color-hover: $text-primary;
        link-style-hover: underline;
        link-background: transparent;
        link-background-hover: transparent;
    }
    """
    current = reactive("tool-log")

    def __init__(self, *, whole: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.whole = whole
        """Whether the conversation is one of the tabs."""

    def render(self) -> Content:
        parts: list[Content] = []
        for number, (pane, name) in enumerate(PANES):
            if pane == "conversation" and not self.whole:
                continue
            short = self.content_size.width < 56
            label = "Tools" if short and pane == "tool-log" else name
            text = Content.assemble(
                (f"F{number + 2} ", "$foreground 45%"),
                (label, "bold underline $primary" if pane == self.current else "$text-muted"),
            )
            parts.append(text.stylize(f"@click=screen.show_pane('{pane}')"))
        return Content("   " if self.content_size.width >= 44 else "  ").join(parts)
