"""Choosing a theme: the list beside what it would look like, which is the application itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.theme import Theme
from textual.timer import Timer
from textual.widgets import Static

from pygent.tui.app_themes import ThemeEntry
from pygent.tui.panes.rows import Part, RowsView

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp

SETTLED = 0.08
"""Seconds that the cursor rests on a theme before it is shown: a new theme costs more than a key may."""

_SWATCHES = ("foreground", "primary", "accent", "success", "warning", "error")
_SWATCH_WIDTH = 2 + 2 * len(_SWATCHES)


class ThemeList(RowsView):
    """One row a theme, with its colours at the right."""

    marks_cursor_blurred = True

    class Changed(Message):
        """The cursor is on another theme."""

    class Accepted(Message):
        """Enter, or a second click on a theme."""

    def __init__(self, entries: Sequence[ThemeEntry], current: str) -> None:
        super().__init__(id="theme-list")
        self.entries = entries
        self._current = current

    def on_mount(self) -> None:
        self.rows_changed(keep_cursor=True)
        names = [entry.name for entry in self.entries]
        self.set_reactive(RowsView.cursor, names.index(self._current) if self._current in names else 0)
        self.call_after_refresh(self.show_cursor)

    @property
    def chosen(self) -> ThemeEntry:
        return self.entries[max(0, self.cursor)]

    @property
    def following(self) -> bool:
        return False

    def count(self) -> int:
        return len(self.entries)

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        entry = self.entries[index]
        kind = "terminal" if entry.theme.ansi else "dark" if entry.theme.dark else "light"
        sign = "◉ " if index == self.cursor else "  "
        right = ((f"{kind:<9}{entry.source:<8}", "muted"), (" " * _SWATCH_WIDTH, ""))
        return ((f" {sign}", "primary"), (entry.name, "strong")), right

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        index = y + self.scroll_offset.y
        if not 0 <= index < len(self.entries):
            return strip
        width = strip.cell_length
        swatches = _swatches(self.entries[index].theme)
        return Strip.join([strip.crop(0, width - _SWATCH_WIDTH), swatches, strip.crop(width - 1, width)])

    def cursor_moved(self) -> None:
        self.post_message(self.Changed())

    def open_row(self, index: int) -> None:
        self.post_message(self.Accepted())


def _swatches(theme: Theme) -> Strip:
    """The theme's colours on its own ground."""
    ground = Color.parse(theme.background or ("#1e1e1e" if theme.dark else "#e0e0e0")).rich_color
    segments = [Segment(" ", Style(bgcolor=ground))]
    for name in _SWATCHES:
        text = getattr(theme, name) or theme.primary
        segments.append(Segment("● ", Style(color=Color.parse(text).rich_color, bgcolor=ground)))
    return Strip(segments)


class ThemeScreen(ModalScreen[str | None]):
    """Answers the theme's name, or None where the one before is to stay, which is on again then."""

    CSS_PATH = "themes.tcss"
    AUTO_FOCUS = "#theme-list"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Keep the one before", id="themes.leave")]

    def __init__(self, entries: Sequence[ThemeEntry], current: str) -> None:
        super().__init__()
        self._entries = entries
        self._before = current
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="theme-box") as box:
            box.border_title = "Theme"
            yield ThemeList(self._entries, self._before)
            yield Static("↑ ↓ look · Enter keeps · Esc goes back", markup=False, id="theme-hint")
            yield Static("/theme new NAME begins one of your own", markup=False, id="theme-own")

    @on(ThemeList.Changed)
    def _changed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self._show)

    def _show(self) -> None:
        cast("PygentApp", self.app).themes.use(self.query_one(ThemeList).chosen.name)

    @on(ThemeList.Accepted)
    def _accepted(self) -> None:
        self._show()
        self.dismiss(self.query_one(ThemeList).chosen.name)

    def action_leave(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self.app.theme != self._before:
            cast("PygentApp", self.app).themes.use(self._before)
        self.dismiss(None)
