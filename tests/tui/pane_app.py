"""The smallest app that panes live in, fed as the main screen feeds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget

from pygent.events import Event
from pygent.transcript import Item, Transcript
from pygent.tui.themes import DEFAULT_THEME, load_themes
from tests.tui.fake_session import FakeSession


class PaneApp(App[None]):
    """Shows ``panes``; what ``session`` publishes reaches them with `flush`, in one batch."""

    CSS = "PaneApp > Screen > * { height: 1fr; }"

    def __init__(self, session: FakeSession, *panes: Widget, theme: str = DEFAULT_THEME) -> None:
        super().__init__()
        self.session = session
        self.panes: Any = panes
        self.transcript = Transcript()
        self.batch: list[tuple[Event, Item | None]] = []
        self._first_theme = theme
        session.subscribe(lambda event: self.batch.append((event, self.transcript.apply(event))))

    def compose(self) -> ComposeResult:
        yield from self.panes

    def on_mount(self) -> None:
        for theme in load_themes():
            self.register_theme(theme)
        self.theme = self._first_theme
        for pane in self.panes:
            pane.attach(self.session, self.transcript)

    def flush(self) -> None:
        batch, self.batch = self.batch, []
        for pane in self.panes:
            pane.apply_batch(batch)

    def text(self, widget: Widget | None = None) -> str:
        """What is to be read on the screen, or in one widget without its border."""
        if widget is None:
            strips: Iterable[Any] = self.screen._compositor.render_strips()
            return "\n".join(strip.text.rstrip() for strip in strips)
        return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))


async def until(pilot: Any, condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for what threads bring about."""
    waited = 0.0
    while not condition():
        assert waited < seconds, "it did not come about"
        await pilot.pause(0.02)
        waited += 0.02
