"""The files of a change set as rows: what happened to each, how much of it is chosen, what stands in its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from pygent.changes import FileChange
from pygent.tui.choosing import Decision, Selection
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.text import fit, fit_end, visible
from pygent.tui.text import count

KINDS = {
    "added": ("A", "success"),
    "changed": ("M", "warning"),
    "deleted": ("D", "error"),
    "renamed": ("R", "secondary"),
}
"""The letter of what happened to a file, and its colour."""

MARKS: dict[str, Part] = {"none": (" ", "muted"), "some": ("–", "warning"), "all": ("✓", "success")}

DECIDED: dict[Decision, str] = {"ours": "mine", "theirs": "theirs", "markers": "markers"}
"""What a decision about a conflict is called."""

CONFLICT, OVERLAP = "✗", "◆"

MARK_WIDTH = 3
"""Cells of the mark at a row's beginning."""

LONGEST = 5
"""Digits up to which numbers of lines are written out."""


class ChangeList(RowsView):
    """Asks by messages for what is chosen; the screen holds the selection."""

    marks_cursor_blurred = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "Choose the file, or not", id="changes.choose"),
        Binding("right,l", "lines", "To the lines", show=False, id="changes.lines"),
    ]

    class Highlighted(Message):
        """The cursor is on another file."""

    class Toggled(Message):
        """A file is to be chosen, or not."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class Opened(Message):
        """Enter."""

    class LinesAsked(Message):
        """The reader goes on to the lines of the file."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.selection = Selection()
        self.files: Sequence[FileChange] = ()
        self.conflicts: Mapping[str, str] = {}
        self.overlaps: Mapping[str, tuple[str, ...]] = {}
        self.name_of: Callable[[str], str] = str
        """What the other tasks of an overlap are called."""
        self.words: Sequence[Part] = ()
        """What stands in place of rows where there are none."""

    @property
    def current(self) -> FileChange | None:
        """The file under the cursor."""
        return self.files[self.cursor] if 0 <= self.cursor < len(self.files) else None

    @property
    def following(self) -> bool:
        return False

    def show(self, files: Sequence[FileChange]) -> None:
        """Show these files; the cursor stays on its file, or near where it was."""
        current = self.current
        before = self.cursor
        self.files = files
        place = before
        if current is not None:
            place = next((i for i, change in enumerate(files) if change.path == current.path), before)
        self.set_reactive(RowsView.cursor, max(0, min(place, len(files) - 1)) if files else -1)
        self.rows_changed()
        if files:
            self.show_cursor()

    def count(self) -> int:
        return len(self.files)

    def empty(self) -> Sequence[Part]:
        return self.words

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        change = self.files[index]
        mark, role = MARKS[self.selection.mark(change.path)]
        letter, colour = KINDS[change.kind]
        right = self._right(change, width)
        left: list[Part] = [("[", "muted"), (mark, role), ("] ", "muted"), (f"{letter} ", colour)]
        room = width - 6 - sum(cell_len(text) for text, _ in right) - 1
        return [*left, *_name(change, room)], right

    def _right(self, change: FileChange, width: int) -> list[Part]:
        out: list[Part] = []
        if change.path in self.conflicts:
            decision = self.selection.decision(change.path)
            words = DECIDED[decision] if decision else "conflict" if width > 34 else ""
            out.append((f"{CONFLICT} {words} ".replace("  ", " "), "success" if decision else "error"))
        if others := self.overlaps.get(change.path, ()):
            names = self.name_of(others[0]) if len(others) == 1 else f"{len(others)} tasks"
            room = max(0, min(14, width // 4))
            out.append((f"{OVERLAP} {fit(names, room)} ", "warning"))
        if change.mode_changed:
            out.append((f"{mode_word(change)} ", "accent"))
        if change.link is not None:
            return [*out, ("link", "error" if change.leads_out else "secondary")]
        if change.binary:
            return [*out, ("binary", "muted")]
        added, removed = change.lines
        if added:
            out.append((f"+{_number(added)}", "success"))
        if removed:
            out.append((f"{' ' if added else ''}−{_number(removed)}", "error"))
        return out

    # Keys and the mouse.

    def cursor_moved(self) -> None:
        self.post_message(self.Highlighted())

    def action_open(self) -> None:
        self.post_message(self.Opened())

    def action_lines(self) -> None:
        self.post_message(self.LinesAsked())

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Toggled(self.current.path))

    def open_row(self, index: int) -> None:
        self.post_message(self.Toggled(self.files[index].path))

    def on_click(self, event: events.Click) -> None:
        """A click on the mark chooses, as a second one on the row does."""
        index, offset = self._row_at(event), event.get_content_offset(self)
        if index >= 0 and offset is not None and offset.x < MARK_WIDTH:
            event.stop()
            event.prevent_default()
            self.cursor = index
            self.open_row(index)


def mode_word(change: FileChange) -> str:
    """What the new permission bits mean, as short as ``+x``."""
    was, now = (bool((mode or 0) & 0o111) for mode in (change.old_mode, change.new_mode))
    return "mode" if was == now else "+x" if now else "−x"


def _number(lines: int) -> str:
    return str(lines) if lines < 10**LONGEST else count(lines)


def _name(change: FileChange, room: int) -> list[Part]:
    """The path with its end in sight; its folder is fainter than its name."""
    path = fit_end(visible(change.path), max(4, room))
    folder, slash, name = path.rpartition("/")
    parts: list[Part] = [(folder + slash, "muted"), (name, "")]
    rest = room - cell_len(path)
    if change.old_path is not None and rest > 8:
        parts.append((f" ← {fit_end(visible(change.old_path), rest - 3)}", "muted"))
    elif change.link is not None and rest > 8:
        parts.append((f" → {fit(visible(change.link), rest - 3)}", "error" if change.leads_out else "muted"))
    return parts
