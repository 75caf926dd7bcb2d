"""A text area in which a label that stands for something is one unit: to the cursor, to deleting, to the eye."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.document._document import EditResult, Location, Selection
from textual.document._edit import Edit
from textual.message import Message
from textual.widgets import TextArea

from pygent.tui.draft import Chip, Draft, Paste, Picture, paste_label, picture_label, relabelled


class ChipArea(TextArea):
    """Holds a ``Draft``. A label that is changed by other means than its keys would be lost, so none can be."""

    DEFAULT_CSS = """
    ChipArea {
        & .chips--chip {
            color: $text-accent;
            background: $accent-muted;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"chips--chip"}

    class PictureClicked(Message):
        """The label of an image was clicked."""

        def __init__(self, picture: Picture) -> None:
            self.picture = picture
            super().__init__()

    def __init__(self, text: str = "", **options: Any) -> None:
        self.chips: dict[str, Chip] = {}
        super().__init__(text, **options)

    def draft(self) -> Draft:
        """What stands in it."""
        text = self.text
        return Draft(text, {label: chip for label, chip in self.chips.items() if label in text})

    def set_draft(self, draft: Draft) -> None:
        """Replace what stands in it, which can be undone; the cursor goes to the end."""
        draft = relabelled(draft, self.chips)
        self.chips = {**self.chips, **draft.chips}
        self.replace(draft.text, (0, 0), self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)

    def add_paste(self, text: str) -> None:
        """Put a label in the place of the selection that stands for a long text."""
        self._add(paste_label(text, self.chips), Paste(text))

    def add_picture(self, picture: Picture, *, at: tuple[Location, Location] | None = None) -> None:
        """Put the label of an image in the place of the selection, or at a place in the text."""
        size = len(picture.image.data) if picture.image is not None else None
        self._add(picture_label(picture.path, size, self.chips), picture, at)

    def expand_paste(self) -> bool:
        """Put the pasted text in the place of its label: the one at the cursor, or else the nearest before it.

        Answers whether there was one. Undo brings the label back.
        """
        row, column = self.cursor_location
        spans = [
            (at, start, end, label) for at in range(self.document.line_count) for start, end, label in self._spans(at)
        ]
        pastes = [span for span in spans if isinstance(self.chips[span[3]], Paste)]
        before = [span for span in pastes if (span[0], span[1]) <= (row, column)]
        if not (before or pastes):
            return False
        at, start, end, label = (before or pastes)[-1]
        self._put_whole(label, (at, start), (at, end))
        return True

    def on_click(self, event: events.Click) -> None:
        row, column = self.get_target_document_location(event)
        for start, end, label in self._spans(row):
            if start <= column < end:
                chip = self.chips[label]
                if isinstance(chip, Paste):
                    self._put_whole(label, (row, start), (row, end))
                else:
                    self.post_message(self.PictureClicked(chip))
                return

    def undo(self) -> None:
        super().undo()
        self._rewrap_and_refresh_virtual_size()  # several edits at once: Textual wraps the lines between them only

    def redo(self) -> None:
        super().redo()
        self._rewrap_and_refresh_virtual_size()

    def _recompute_cursor_offset(self) -> None:
        # While many lines are undone the scroll bar goes, and Textual looks for a cursor that is still below the end.
        if self.cursor_location[0] < self.document.line_count:
            super()._recompute_cursor_offset()  # type: ignore[no-untyped-call]

    # As Textual's, but for the chips.

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        for start, end, _ in self._spans(line_index):
            line.stylize(self.get_component_rich_style("chips--chip"), start, end)
        return line

    def edit(self, edit: Edit) -> EditResult:
        if self.chips:
            (top_row, top), (bottom_row, bottom) = edit.top, edit.bottom
            around_top, around_bottom = self._around(top_row, top), self._around(bottom_row, bottom)
            if around_top or around_bottom:
                start = (top_row, around_top[0] if around_top else top)
                end = (bottom_row, around_bottom[1] if around_bottom else bottom)
                edit = Edit(edit.text, start, end, maintain_selection_offset=False)
        return super().edit(edit)

    def _validate_selection(self, selection: Selection) -> Selection:
        selection = super()._validate_selection(selection)
        if not self.chips:
            return selection
        start, end = selection
        was_start, was_end = self.selection
        snapped = self._snapped(end, was_end)
        return Selection(snapped if start == end else self._snapped(start, was_start), snapped)

    def _snapped(self, location: Location, before: Location) -> Location:
        """A place beside the chip for one inside it: over it, where the cursor stood at its other side."""
        row, column = location
        around = self._around(row, column)
        if around is None:
            return location
        start, end = around
        if before == (row, start):
            return row, end
        if before == (row, end):
            return row, start
        return row, start if column - start < end - column else end

    def _around(self, row: int, column: int) -> tuple[int, int] | None:
        for start, end, _ in self._spans(row):
            if start < column < end:
                return start, end
        return None

    def _spans(self, row: int) -> Iterator[tuple[int, int, str]]:
        if not self.chips or row >= self.document.line_count:
            return
        line = self.document.get_line(row)
        if "[" not in line:
            return
        for label in self.chips:
            start = line.find(label)
            while start >= 0:
                yield start, start + len(label), label
                start = line.find(label, start + len(label))

    def _add(self, label: str, chip: Chip, at: tuple[Location, Location] | None = None) -> None:
        self.chips = {**self.chips, label: chip}
        start, end = at or self.selection
        result = self.replace(label, start, end, maintain_selection_offset=at is not None)
        if at is None:
            self.move_cursor(result.end_location)

    def _put_whole(self, label: str, start: Location, end: Location) -> None:
        chip = self.chips[label]
        assert isinstance(chip, Paste)
        self.history.checkpoint()
        result = self.replace(chip.text, start, end, maintain_selection_offset=False)
        self.move_cursor(result.end_location)
