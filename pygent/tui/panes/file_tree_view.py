"""The tree of files as rows with a cursor."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message

from pygent.tui.panes.file_tree import FileTree, TreeRow
from pygent.tui.panes.git_marks import IGNORED, GitMarks
from pygent.tui.panes.git_marks import ROLES as GIT_ROLES
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.text import one_line, visible

CHANGED = "●"

RIGHT = 3
"""The right button of the mouse."""

NOISE = frozenset({"__pycache__", "node_modules", "venv"})
"""Folders that are made, not written; shown faintly, as hidden ones are."""

_EMPTY: Sequence[Part] = (
    ("", ""),
    ("Nothing here yet.", "strong"),
    ("", ""),
    ("The files of the workspace will stand here as they are made.", "muted"),
    ("", ""),
    (f"{CHANGED} marks what this session changed. Enter shows a file.", "muted"),
)
_LOADING: Sequence[Part] = (("", ""), ("Reading the folder …", "muted"))


class FileTreeView(RowsView):
    """Shows a `FileTree`; asks by messages for what it cannot do itself."""

    marks_cursor_blurred = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "expand", "Open folder", show=False, id="files.expand"),
        Binding("left,h", "collapse", "Close folder", show=False, id="files.collapse"),
        Binding("space", "open", "Open", show=False, id="files.open"),
    ]

    class Opened(Message):
        """Enter or a click on a row."""

        def __init__(self, row: TreeRow) -> None:
            super().__init__()
            self.row = row

    class Toggled(Opened):
        """A folder is to be opened or closed."""

    class Highlighted(Opened):
        """The cursor is on another row."""

    class MenuAsked(Message):
        """The right button was clicked at ``place`` on the screen; the cursor is on that row."""

        def __init__(self, place: Offset) -> None:
            super().__init__()
            self.place = place

    def __init__(self, tree: FileTree, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.files = tree
        self.rows: list[TreeRow] = []
        self.changed: Collection[str] = ()
        self.marks = GitMarks()
        self.others: list[TreeRow] | None = None
        """Rows to show in place of the tree's."""
        self.in_git = False
        self._loading = True

    @property
    def following(self) -> bool:
        return False

    @property
    def current(self) -> TreeRow | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    def show(self) -> None:
        """Make the rows anew; the cursor stays on its path, or near where it was."""
        current = self.current
        self._loading = self.files.folders[""].listing is None and not self.files.folders[""].problem
        self.rows = self.files.rows() if self.others is None else self.others
        if current is not None:
            index = next((i for i, row in enumerate(self.rows) if row.key == current.key), None)
            if index is None:
                index = min(self.cursor, len(self.rows) - 1)
            self.set_reactive(RowsView.cursor, index)
        elif self.rows:
            self.set_reactive(RowsView.cursor, 0)
        self.rows_changed()

    def count(self) -> int:
        return len(self.rows)

    def empty(self) -> Sequence[Part]:
        return _LOADING if self._loading else _EMPTY

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        row = self.rows[index]
        indent: Part = ("  " * min(row.depth, max(0, width // 4)), "")
        if row.kind == "more":
            return (indent, (f"  … {row.name}", "primary")), ()
        if row.kind == "note":
            return (indent, (f"  {one_line(row.name)}", "muted")), ()
        letter = self.marks.of(row.path, is_folder=row.kind == "folder")
        mine = row.path in self.changed
        right: Sequence[Part] = (
            *(((CHANGED, "accent"),) if mine else ()),
            *(((f" {letter}", GIT_ROLES[letter]),) if letter else (("  ", ""),) if mine and self.in_git else ()),
        )
        name = visible(row.name)
        faint = row.name.startswith(".") or row.name in NOISE or letter == IGNORED
        if row.kind == "folder":
            arrow = "▾ " if row.is_open else "▸ "
            about = f"  {visible(row.about)}" if row.about else ""
            return (indent, (arrow, "muted"), (f"{name}/", "muted" if faint else "primary"), (about, "muted")), right
        suffix = {"link": " → link", "other": " (special)"}.get(row.kind, "")
        if letter == "D":
            suffix = " (deleted)"
        elif row.about:
            suffix = f"  {visible(row.about)}"
        role = "accent" if mine else "muted" if faint else ""
        return (indent, ("  ", ""), (name, role), (suffix, "muted")), right

    def cursor_moved(self) -> None:
        if self.current is not None:
            self.post_message(self.Highlighted(self.current))

    def on_click(self, event: events.Click) -> None:
        """The right button asks for what can be done; the others as in every list."""
        if event.button == RIGHT:
            event.prevent_default()
            index = self._row_at(event)
            if index >= 0:
                self.cursor = index
            self.post_message(self.MenuAsked(event.screen_offset))

    def go_to(self, path: str) -> bool:
        """Put the cursor on a path. False where it is not to be seen."""
        for index, row in enumerate(self.rows):
            if row.path == path and row.kind not in {"more", "note"}:
                self.cursor = index
                self.show_cursor()
                return True
        return False

    def open_row(self, index: int) -> None:
        self.post_message(self.Opened(self.rows[index]))

    def action_expand(self) -> None:
        row = self.current
        if row is not None and row.kind == "folder" and not row.is_open:
            self.post_message(self.Toggled(row))
        else:
            self.action_cursor(1)

    def action_collapse(self) -> None:
        """Close the folder, or go to the one that this row is in."""
        row = self.current
        if row is None:
            return
        if row.kind == "folder" and row.is_open:
            self.post_message(self.Toggled(row))
            return
        parent = row.path if row.kind in {"more", "note"} else row.path.rpartition("/")[0]
        for index, other in enumerate(self.rows):
            if other.kind == "folder" and other.path == parent:
                self.cursor = index
                self.show_cursor()
                return
