"""The list of candidates above the prompt. It never has the focus; the prompt hands it the keys."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from pygent.tui.completion import NOTHING, Candidate, Found
from pygent.tui.text import clean_line


class Completions(Widget):
    """Shows what was found; up and down choose."""

    DEFAULT_CSS = """
    Completions {
        display: none;
        height: auto;
        padding: 0 3;
        background: $surface;
        color: $foreground;
    }
    """
    current = reactive(0)

    class Taken(Message):
        """A candidate was clicked."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.found = NOTHING

    def show(self, found: Found) -> None:
        """Show these candidates; none hides the list."""
        same = found.candidates == self.found.candidates and found.note == self.found.note
        self.found = found
        self.display = bool(found.candidates or found.note)
        if not same:
            self.current = 0
            self.refresh(layout=True)

    @property
    def chosen(self) -> Candidate | None:
        """The candidate that is marked."""
        return self.found.candidates[self.current] if self.found.candidates else None

    def move(self, step: int) -> None:
        """Mark the next one."""
        if self.found.candidates:
            self.current = (self.current + step) % len(self.found.candidates)

    def render(self) -> Content:
        if not self.found.candidates:
            return Content(f"  {self.found.note}").stylize("$text-muted")
        names = [clean_line(candidate.text) for candidate in self.found.candidates]
        room = max((len(name) for name in names), default=0) + 3
        lines = []
        for index, (name, candidate) in enumerate(zip(names, self.found.candidates, strict=True)):
            style = "bold $primary" if index == self.current else "$foreground"
            sign = "❯ " if index == self.current else "  "
            lines.append(
                Content.assemble(
                    (sign, style), (f"{name:<{room}}", style), (candidate.about, "$text-muted")
                ).truncate(max(1, self.content_size.width), ellipsis=True)
            )
        return Content("\n").join(lines)

    def on_click(self, event: events.Click) -> None:
        if 0 <= event.y < len(self.found.candidates):
            self.current = event.y
            self.post_message(self.Taken())
