"""Which folders are open and what stands in them, as the rows that a tree shows. Knows no screen and no disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pygent.tui.panes.listing import Entry, Listing

BATCH = 200
"""Names that one folder shows at first, and with each "more" after that."""

RowKind = Literal["folder", "file", "link", "other", "more", "note"]


class TreeRow(NamedTuple):
    """One row. ``path`` is relative to the root; of a "more" or "note" row it is its folder's."""

    kind: RowKind
    path: str
    name: str
    depth: int
    is_open: bool = False

    @property
    def key(self) -> tuple[bool, str]:
        """What stays the same when the rows are made anew."""
        return self.kind in {"more", "note"}, self.path


@dataclass(slots=True)
class Folder:
    """An open folder. ``listing`` is None until it was read, ``problem`` says why it could not be."""

    listing: Listing | None = None
    shown: int = BATCH
    problem: str = ""


class FileTree:
    """The open folders, by path; the root "" is always open."""

    def __init__(self) -> None:
        self.folders: dict[str, Folder] = {"": Folder()}

    def open(self, path: str) -> None:
        """Open a folder; it is empty until `filled`."""
        self.folders.setdefault(path, Folder())

    def close(self, path: str) -> None:
        """Close a folder and all below it."""
        if path:
            for inner in [p for p in self.folders if p == path or p.startswith(f"{path}/")]:
                del self.folders[inner]

    def filled(self, path: str, listing: Listing | None, problem: str = "") -> None:
        """A folder was read, or could not be. Folders in it that are gone are closed."""
        folder = self.folders.get(path)
        if folder is None:
            return
        folder.listing, folder.problem = listing, problem
        inside = {entry.name for entry in listing.entries if entry.kind == "folder"} if listing else set()
        for other in [p for p in self.folders if p and _parent(p) == path]:
            if other.rpartition("/")[2] not in inside:
                self.close(other)

    def more(self, path: str) -> None:
        """Show the next batch of a folder's names."""
        if path in self.folders:
            self.folders[path].shown += BATCH * 5

    def stamps(self) -> dict[str, int]:
        """The open folders with the stamps of their listings."""
        return {path: folder.listing.stamp if folder.listing else 0 for path, folder in self.folders.items()}

    def rows(self) -> list[TreeRow]:
        """Everything that is to be seen, from the top."""
        return list(self._rows("", 0))

    def _rows(self, path: str, depth: int) -> Iterator[TreeRow]:
        folder = self.folders[path]
        if folder.problem:
            yield TreeRow("note", path, folder.problem, depth)
        if folder.listing is None:
            return
        entries: Iterable[Entry] = folder.listing.entries[: folder.shown]
        for name, kind in entries:
            inner = f"{path}/{name}" if path else name
            is_open = kind == "folder" and inner in self.folders
            yield TreeRow(kind, inner, name, depth, is_open)
            if is_open:
                yield from self._rows(inner, depth + 1)
        rest = len(folder.listing.entries) - folder.shown
        if rest > 0:
            yield TreeRow("more", path, f"{rest:,} more", depth)
        if not folder.listing.entries and path:
            yield TreeRow("note", path, "empty", depth)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def with_parents(paths: Iterable[str]) -> set[str]:
    """The paths and every folder above them."""
    out: set[str] = set()
    for path in paths:
        at = path
        while at and at not in out:
            out.add(at)
            at = _parent(at)
    return out
