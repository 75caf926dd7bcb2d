"""Selecting text by key: a cursor on what is drawn, as in the copy mode of tmux or the visual mode of vi."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.geometry import Offset

from pygent.tui.widgets.block_text import characters
from pygent.tui.wrap import cells

if TYPE_CHECKING:
    from pygent.tui.widgets.block_text import BlockText

HINT = "select: v from here · V lines · y or Enter copies · Esc ends · arrows hjkl w b 0 $ g G move"

_KEYS = {
    "up": "row -1",
    "k": "row -1",
    "down": "row 1",
    "j": "row 1",
    "left": "char -1",
    "h": "char -1",
    "right": "char 1",
    "l": "char 1",
    "w": "word 1",
    "ctrl+right": "word 1",
    "b": "word -1",
    "ctrl+left": "word -1",
    "pageup": "page -1",
    "ctrl+b": "page -1",
    "pagedown": "page 1",
    "ctrl+f": "page 1",
    "ctrl+u": "half -1",
    "ctrl+d": "half 1",
    "home": "edge -1",
    "0": "edge -1",
    "circumflex_accent": "edge -1",
    "end": "edge 1",
    "dollar_sign": "edge 1",
    "g": "all -1",
    "ctrl+home": "all -1",
    "G": "all 1",
    "upper_g": "all 1",
    "ctrl+end": "all 1",
}


class SelectMode:
    """Moves a cursor over the rows of ``view`` and keeps its selection.

    ``done`` is called with the text that is to be copied, with None where the mode was left without.
    """

    def __init__(self, view: BlockText, row: int, done: Callable[[str | None], None]) -> None:
        self._view = view
        self._done = done
        self._row = max(0, min(row, view.row_total - 1))
        self._column = 0
        self._wanted = 0
        self._anchor: tuple[int, int] | None = None
        self._lines = False
        self._moves = {
            "row": lambda step: self._to(self._row + step),
            "page": lambda step: self._to(self._row + step * max(1, view.size.height - 1)),
            "half": lambda step: self._to(self._row + step * max(1, view.size.height // 2)),
            "all": lambda step: self._to(0 if step < 0 else view.row_total - 1),
            "char": self._char,
            "word": self._word,
            "edge": self._edge,
        }
        self._show()

    def cursor_in(self, row: int) -> int | None:
        """The cell of the cursor where it is in ``row``."""
        if row != self._row:
            return None
        return self._cell(self._row, self._column)

    def key(self, key: str, character: str | None) -> bool:
        """Take a key; the answer is whether it means something here."""
        for name in (key, character or ""):
            if name in _KEYS:
                what, _, step = _KEYS[name].partition(" ")
                self._moves[what](int(step))
                self._show()
                return True
        if key in {"v", "space"}:
            self._begin(lines=False)
        elif character == "V":
            self._begin(lines=True)
        elif key in {"y", "enter", "c", "ctrl+c"}:
            if self._anchor is None:
                self._begin(lines=True)
            self._done(self._view.screen.get_selected_text() or "")
        elif key in {"escape", "q"}:
            self._done(None)
        else:
            return False
        return True

    def _begin(self, *, lines: bool) -> None:
        """Start here, or take the start back."""
        if self._anchor is not None and self._lines == lines:
            self._anchor = None
        else:
            self._anchor = self._anchor or (self._row, self._column)
            self._lines = lines
        self._show()

    # Moves; a column is a place among the characters of a row, not among its cells.

    def _line(self, row: int) -> list[tuple[str, int]]:
        return characters(self._view.line_at(row))

    def _cell(self, row: int, column: int) -> int:
        line = self._line(row)
        if not line:
            return 3
        return line[min(column, len(line) - 1)][1]

    def _to(self, row: int) -> None:
        self._row = max(0, min(row, self._view.row_total - 1))
        self._column = min(self._wanted, max(0, len(self._line(self._row)) - 1))

    def _char(self, step: int) -> None:
        self._column = self._wanted = max(0, min(self._column + step, max(0, len(self._line(self._row)) - 1)))

    def _word(self, step: int) -> None:
        row = self._row
        ahead = [start for start in self._words(row) if (start - self._column) * step > 0]
        while not ahead and 0 <= row + step < self._view.row_total:
            row += step
            ahead = self._words(row)
        if ahead:
            self._row = row
            self._column = self._wanted = ahead[0] if step > 0 else ahead[-1]

    def _words(self, row: int) -> list[int]:
        """Where words begin in a row."""
        text = "".join(char for char, _ in self._line(row))
        return [i for i, char in enumerate(text) if not char.isspace() and (i == 0 or text[i - 1].isspace())]

    def _edge(self, step: int) -> None:
        last = max(0, len(self._line(self._row)) - 1)
        self._column, self._wanted = (0, 0) if step < 0 else (last, 1_000_000)

    def _show(self) -> None:
        view = self._view
        top, height = view.scroll_offset.y, view.scrollable_content_region.height
        if self._row < top:
            view.scroll_to(y=self._row, animate=False, force=True)
        elif self._row >= top + height:
            view.scroll_to(y=self._row - height + 1, animate=False, force=True)
        if self._anchor is None:
            view.screen.clear_selection()
        else:
            (first, left), (last, right) = sorted([self._anchor, (self._row, self._column)])
            if self._lines:
                end = Offset(cells(view.line_at(last)), last)
                view.select_text(Offset(0, first), end)
            else:
                line = self._line(last)
                char = line[min(right, len(line) - 1)] if line else ("", 3)
                width = 1 if char[0].isascii() else 2
                view.select_text(Offset(self._cell(first, left), first), Offset(char[1] + width, last))
        view.refresh()
