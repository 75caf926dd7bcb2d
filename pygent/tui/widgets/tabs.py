"""One line that names the panes, says which one shows, and what goes on in the others."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from pygent.tui.keys import key_of

PANES = (
    ("conversation", "pane.conversation", "f2", "Conversation", "Chat"),
    ("tool-log", "pane.tools", "f3", "Tool calls", "Tools"),
    ("tasks", "pane.tasks", "f4", "Tasks", "Tasks"),
    ("workspace", "pane.workspace", "f5", "Workspace", "Files"),
)
"""A pane, the id and the default of its key, its name, and a short one."""


class PaneTabs(Widget):
    """Names of panes to click; the keys beside them do the same."""

    DEFAULT_CSS = """
    PaneTabs {
        height: 1;
        padding: 0 1;
        color: $text-muted;
    }
    """
    auto_links = False  # what can be clicked keeps its colours
    current = reactive("tool-log")
    alone: reactive[bool] = reactive(False)
    hidden: reactive[tuple[str, ...]] = reactive(())
    counts: reactive[dict[str, str]] = reactive({})

    def __init__(self, *, whole: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.whole = whole
        """Whether the conversation is one of the tabs."""

    def render(self) -> Content:
        width = self.content_size.width
        for line in self._forms():
            if line.cell_length <= width:
                return line
        return line

    def _forms(self) -> Iterator[Content]:
        """The line in ever shorter forms: what is left out first is what can be done without."""
        if self.alone:
            back = Content.assemble(
                ("   ", ""), (f"{key_of(self.app, 'pane.maximise', 'f7')} all panes", "$text-warning")
            ).stylize("@click=screen.maximise")
            yield self._line("   ", keys=True, short=False) + back
            yield self._line("  ", keys=False, short=True) + back
        for gap, keys, short in (("   ", True, False), ("  ", True, False), ("  ", True, True), ("  ", False, True)):
            yield self._line(gap, keys=keys, short=short)
        yield self._line(" ", keys=False, short=True)

    def _line(self, gap: str, *, keys: bool, short: bool) -> Content:
        parts: list[Content] = []
        for pane, binding, key, name, brief in PANES:
            if (pane == "conversation" and not self.whole) or pane in self.hidden:
                continue
            here = pane == self.current
            text = Content.assemble(
                (f"{key_of(self.app, binding, key)} " if keys else "", "$foreground 45%"),
                (brief if short else name, "bold underline $primary" if here else "$text-muted"),
                (
                    f" {self.counts[pane]}" if self.counts.get(pane) else "",
                    "$text-warning" if not here else "$primary",
                ),
            )
            parts.append(text.stylize(f"@click=screen.show_pane('{pane}')"))
        return Content(gap).join(parts)
