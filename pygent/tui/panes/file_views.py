"""What the workspace's pane shows in place of the whole tree: what changed, or what fits the letters typed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain

from textual.message import Message
from textual.widget import Widget

from pygent.tui.file_finder import Answer, FileFinder, Search
from pygent.tui.file_index import FileIndex
from pygent.tui.panes.file_tree import TreeRow, list_of, tree_of
from pygent.tui.panes.git_marks import GitMarks

MOST = 500
"""Rows of a view."""

NOTHING_CHANGED = "nothing changed: neither against the last commit nor in this session"


class FilterTyped(Message):
    """Letters to filter by were typed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class FilterDone(Message):
    """The keys go to the list."""


class FilterLeft(Message):
    """The filter is not wanted any longer."""


class FileViews:
    """Makes the rows; ``show`` gets them, None for the tree."""

    def __init__(self, widget: Widget, show: Callable[[list[TreeRow] | None], object]) -> None:
        self._show = show
        self._search = Search(widget, MOST, self._found)
        self.typed = ""
        self.only_changed = False
        self.mine: Collection[str] = ()
        self.marks = GitMarks()
        self.finder: FileFinder | None = None

    @property
    def on(self) -> bool:
        """Whether something else than the tree is shown."""
        return bool(self.typed) or self.only_changed

    def update(self) -> None:
        """Make the rows anew."""
        self._search.forget()
        if self.only_changed:
            paths = set(chain(self.marks.changed(), self.mine))
            if self.typed:
                self._show(list_of(FileIndex(paths).search(self.typed, MOST), "no changed file has these letters"))
            else:
                self._show(tree_of(paths, MOST) or [TreeRow("note", "", NOTHING_CHANGED, 0)])
        elif self.typed and self.finder is not None:
            answer = self._search.ask(self.finder, self.typed)
            if answer is not None:
                self._found(answer)
        else:
            self._show(None)

    def _found(self, answer: Answer) -> None:
        if self.typed and not self.only_changed:
            self._show(list_of(answer.paths, answer.note))
