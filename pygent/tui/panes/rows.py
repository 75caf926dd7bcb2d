"""A list of any length in one widget: rows are drawn when they are seen, and no row is a widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pygent.tui.contained import contained
from pygent.tui.panes.text import fit

Part: TypeAlias = tuple[str, str]
"""Text and its role: a key of `ROLES`, or "" for the row's own colour."""

ROLES = ("muted", "primary", "secondary", "accent", "success", "warning", "error", "strong")

ROWS_CSS = """
RowsView {
    scrollbar-size-vertical: 1;
    overflow-x: hidden;
    overflow-y: auto;

    & > .rows--muted { color: $text-muted; }
    & > .rows--primary { color: $text-primary; }
    & > .rows--secondary { color: $text-secondary; }
    & > .rows--accent { color: $text-accent; }
    & > .rows--success { color: $text-success; }
    & > .rows--warning { color: $text-warning; }
    & > .rows--error { color: $text-error; }
    & > .rows--strong { text-style: bold; }
    & > .rows--hover { background: $block-hover-background; }
    & > .rows--cursor {
        background: $block-cursor-blurred-background;
        color: $block-cursor-blurred-foreground;
    }
    &:focus > .rows--cursor {
        background: $block-cursor-background;
        color: $block-cursor-foreground;
        text-style: $block-cursor-text-style;
    }
}
"""


class RowsView(ScrollView, can_focus=True):
    """Rows with a cursor. A subclass says how many rows there are and what stands in them.

    The view follows its end while the cursor is on the last row and the end is in sight, and stays where the reader
    is otherwise.
    """

    DEFAULT_CSS = ROWS_CSS
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--hover", "rows--cursor", *(f"rows--{role}" for role in ROLES)}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False, id="rows.up"),
        Binding("down,j", "cursor(1)", "Down", show=False, id="rows.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="rows.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="rows.page_down"),
        Binding("home", "first", "First", show=False, id="rows.first"),
        Binding("end", "last", "Last, and follow", show=False, id="rows.last"),
        Binding("enter", "open", "Open", id="rows.open"),
    ]
    ALLOW_SELECT = False

    row_height: ClassVar[int] = 1
    marks_cursor_blurred: ClassVar[bool] = False
    cursor: reactive[int] = reactive(-1, repaint=False)
    hover: reactive[int] = reactive(-1, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._styles: dict[str, Style] = {}
        self._counted = 0
        self._clicked = -1
        self._follow = True

    # What a subclass says.

    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        """The left and the right part of one line of a row; the right part stays, the left is cut to fit."""
        raise NotImplementedError

    def empty(self) -> Sequence[Part]:
        """Lines that say what will be here, one part a line."""
        return ()

    def open_row(self, index: int) -> None:
        """The row was chosen with Enter or the mouse."""

    # Keeping up.

    @property
    def following(self) -> bool:
        """True while new rows at the end scroll into view."""
        return self._follow

    def _at_end(self) -> bool:
        return self.scroll_offset.y >= self.max_scroll_y

    def rows_changed(self, *, keep_cursor: bool = False) -> None:
        """The number of rows changed, or any of them may have."""
        follow = self.following and not keep_cursor
        self._counted = self.count()
        self.virtual_size = Size(0, self._counted * self.row_height)
        last = self._counted - 1
        if follow or self.cursor > last:
            self.set_reactive(RowsView.cursor, last)
        elif self.cursor < 0 and last >= 0:
            self.set_reactive(RowsView.cursor, 0)
        if follow:
            self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)
        self.refresh()

    def row_changed(self, index: int) -> None:
        """One row has to be drawn again."""
        if 0 <= index < self._counted:
            self.refresh_lines(index * self.row_height, self.row_height)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._at_end():
            self._follow = self.cursor >= self._counted - 1
        elif new_value < old_value:
            self._follow = False

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        if shown:  # it is not told where the view is while it is hidden
            self.vertical_scrollbar.position = self.scroll_y

    def on_resize(self) -> None:
        if self.following:
            self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)
        elif self.cursor >= 0 and self.has_focus:
            self.show_cursor()

    # Moving.

    def validate_cursor(self, cursor: int) -> int:
        return max(-1 if not self._counted else 0, min(cursor, self._counted - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        if old != new:
            self._follow = new >= self._counted - 1 and self._at_end()
            self.row_changed(old)
            self.row_changed(new)
            self.cursor_moved()

    def cursor_moved(self) -> None:
        """The cursor is on another row."""

    def watch_hover(self, old: int, new: int) -> None:
        self.row_changed(old)
        self.row_changed(new)

    def show_cursor(self) -> None:
        """Scroll so that the cursor's row is in sight."""
        top, height = self.cursor * self.row_height, self.size.height
        y = self.scroll_offset.y
        if top < y:
            y = top
        elif top + self.row_height > y + height:
            y = top + self.row_height - height
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def action_cursor(self, step: int) -> None:
        self.cursor += step
        self.show_cursor()

    def action_page(self, step: int) -> None:
        self.action_cursor(step * max(1, self.size.height // self.row_height - 1))

    def action_first(self) -> None:
        self.cursor = 0
        self.show_cursor()

    def action_last(self) -> None:
        self.cursor = self._counted - 1
        self.scroll_end(animate=False, immediate=True, force=True)
        self._follow = True

    def action_open(self) -> None:
        if 0 <= self.cursor < self._counted:
            self.open_row(self.cursor)

    def _row_at(self, event: events.MouseEvent) -> int:
        offset = event.get_content_offset(self)
        if offset is None:
            return -1
        index = (offset.y + self.scroll_offset.y) // self.row_height
        return index if index < self._counted else -1

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self.hover = self._row_at(event)

    def on_leave(self) -> None:
        self.hover = -1

    def on_click(self, event: events.Click) -> None:
        """The first click moves the cursor, another one on the same row opens it."""
        index = self._row_at(event)
        if index < 0:
            return
        event.stop()
        again = index == self._clicked == self.cursor
        self.cursor = self._clicked = index
        if again:
            self.open_row(index)

    def on_blur(self) -> None:
        self._clicked = -1
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    # Drawing.

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def style(self, role: str) -> Style:
        """The colours of a role, on whatever ground the row has."""
        style = self._styles.get(role)
        if style is None:
            style = self.get_component_rich_style(f"rows--{role}", partial=True) if role else Style.null()
            if role not in {"cursor", "hover", "strong", ""}:
                style = Style(color=style.color, bold=style.bold, italic=style.italic)
            self._styles[role] = style
        return style

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._counted:
            return self._empty_line(y, width)
        index, line = divmod(y + self.scroll_offset.y, self.row_height)
        if index >= self._counted:
            return Strip.blank(width, self.rich_style)
        base = self.rich_style
        on_cursor = index == self.cursor and (self.has_focus or self.marks_cursor_blurred)
        if on_cursor:
            base += self.style("cursor")
        elif index == self.hover:
            base += self.style("hover")
        left, right = self._row(index, line, width)
        # A full cursor has the one foreground that its ground was made for; so has one in the terminal's colours.
        plain = on_cursor and (self.has_focus or (base.bgcolor is not None and base.bgcolor.triplet is None))
        return self._strip(left, right, width, base, plain=plain)

    def _row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        try:
            return self.row(index, line, width)
        except Exception as error:  # one row that fails must not take the others with it
            contained(self.app, f"a row of {type(self).__name__}", error)
            return ((f"✗ This cannot be shown ({type(error).__name__}).", "error"),), ()

    def _strip(self, left: Sequence[Part], right: Sequence[Part], width: int, base: Style, *, plain: bool) -> Strip:
        right_width = sum(cell_len(text) for text, _ in right)
        room = width - right_width - (1 if right else 0)
        segments: list[Segment] = []
        for text, role in left:
            cut = fit(text, room)
            room -= cell_len(cut)
            segments.append(Segment(cut, base if plain and role != "strong" else base + self.style(role)))
            if cut != text or room <= 0:
                break
        used = sum(segment.cell_length for segment in segments)
        segments.append(Segment(" " * max(0, width - right_width - used), base))
        segments.extend(Segment(text, base if plain else base + self.style(role)) for text, role in right)
        return Strip(segments).adjust_cell_length(width, base)

    def _empty_line(self, y: int, width: int) -> Strip:
        lines = [(line, role) for text, role in self.empty() for line in wrap_words(text, max(4, width - 2))]
        if y >= len(lines):
            return Strip.blank(width, self.rich_style)
        text, role = lines[y]
        segments = [Segment(" " + fit(text, width - 1), self.rich_style + self.style(role))]
        return Strip(segments).adjust_cell_length(width, self.rich_style)


def wrap_words(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells, broken between words."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            candidate = f"{line} {word}" if line else word
            if cell_len(candidate) > width and line:
                lines.append(line)
                line = word
            else:
                line = candidate
        lines.append(line)
    return lines
