"""The settings in groups, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.text import one_line
from pygent.tui.settings_rows import SettingRow

KEY_WIDTH = 20
WITH_SOURCE = 56
"""Cells from which a value's source stands beside it; what is said of the chosen one has it in any case."""


class SettingList(RowsView):
    """The cursor stands on settings only; their groups' names are passed over."""

    marks_cursor_blurred = True

    class Changed(Message):
        """The cursor is on another setting."""

    class Accepted(Message):
        """Enter, or a second click on a setting."""

    def __init__(self) -> None:
        super().__init__(id="setting-list")
        self._lines: list[SettingRow | str] = []

    @property
    def chosen(self) -> SettingRow | None:
        line = self._lines[self.cursor] if 0 <= self.cursor < len(self._lines) else None
        return line if isinstance(line, SettingRow) else None

    @property
    def following(self) -> bool:
        return False

    def show(self, rows: Sequence[SettingRow]) -> None:
        """List ``rows``; the cursor stays on its setting where that is still there."""
        before = self.chosen
        self._lines = []
        group = ""
        for row in rows:
            if row.field.group != group:
                group = row.field.group
                self._lines.append(group)
            self._lines.append(row)
        keys = [line.key if isinstance(line, SettingRow) else "" for line in self._lines]
        at = keys.index(before.key) if before is not None and before.key in keys else min(1, len(keys) - 1)
        self.set_reactive(RowsView.cursor, at)
        self.rows_changed(keep_cursor=True)
        self.show_cursor()
        self.post_message(self.Changed())

    def count(self) -> int:
        return len(self._lines)

    def empty(self) -> Sequence[Part]:
        return (("", ""), ("No setting has that in its name, its meaning or its value.", "muted"))

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        entry = self._lines[index]
        if isinstance(entry, str):
            return ((f" {entry}", "primary"),), ()
        changed = entry.source != "default"
        value = one_line(entry.text, 120) or "unset"
        sign = "! " if entry.over else "• " if changed else "  "
        source = one_line(entry.source, width // 3) if changed and width >= WITH_SOURCE else ""
        return (
            (f"  {sign}", "warning" if entry.over else "accent"),
            (f"{entry.key:<{KEY_WIDTH}} ", "strong" if changed else ""),
            (value, "" if changed else "muted"),
        ), ((f"{source} ", "muted"),)

    def validate_cursor(self, cursor: int) -> int:
        """Over a group's name to the setting after it, or before it on the way up."""
        at = super().validate_cursor(cursor)
        if 0 <= at < len(self._lines) and isinstance(self._lines[at], str):
            at += 1 if cursor >= self.cursor or at == 0 else -1
        return at

    def cursor_moved(self) -> None:
        self.post_message(self.Changed())

    def open_row(self, index: int) -> None:
        self.post_message(self.Accepted())
