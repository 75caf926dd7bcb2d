"""Reads the open folders of a tree, in a thread, and again when they change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.widget import Widget

from pygent.tui.panes.file_tree import FileTree
from pygent.tui.panes.listing import Listing, changed_folders, list_folder


class FolderWatch:
    """Keeps ``tree`` as the disk is.

    ``changed`` is called when its rows are others now, ``looked`` after each look, with whether a folder changed.
    """

    def __init__(
        self, widget: Widget, tree: FileTree, changed: Callable[[], object], looked: Callable[[bool], object]
    ) -> None:
        self._widget = widget
        self._tree = tree
        self._changed = changed
        self._looked = looked
        self._root: Path | None = None
        self._checking = False
        self._again = False

    def attach(self, root: Path) -> None:
        """Watch this folder."""
        self._root = root
        self.check()

    def check(self) -> None:
        """Look which open folders changed, and read those. One look at a time; one more if asked meanwhile."""
        if self._root is None or not self._widget.is_mounted:
            return
        if self._checking:
            self._again = True
            return
        self._checking = True
        self._widget.run_worker(self._check(self._root), group="workspace", exit_on_error=False)

    async def _check(self, root: Path) -> None:
        any_changed = False
        try:
            self._again = True
            while self._again:
                self._again = False
                changed = await asyncio.to_thread(changed_folders, root, self._tree.stamps())
                any_changed = any_changed or bool(changed)
                await self._read(root, changed)
        finally:
            self._checking = False
        self._looked(any_changed)

    async def _read(self, root: Path, folders: list[str]) -> None:
        if not folders:
            return
        before = self._tree.rows()
        first = self._tree.folders[""].listing is None
        for folder in sorted(folders):
            listing, problem = await asyncio.to_thread(_listed, root, folder)
            if root != self._root:
                return
            self._tree.filled(folder, listing, problem)
        if first or self._tree.rows() != before:
            self._changed()


def _listed(root: Path, folder: str) -> tuple[Listing | None, str]:
    try:
        return list_folder(root, folder), ""
    except OSError as error:
        return None, f"cannot be read: {error.strerror or error}"
