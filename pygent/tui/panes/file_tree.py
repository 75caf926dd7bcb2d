"""Which folders are open and what stands in them, as the rows that a tree shows. Knows no screen and no disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from pygent.tui.panes.listing import Listing

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
    about: str = ""

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
        self.hides: Callable[[str, str], bool] = lambda _path, _name: False
        """Whether a name, told with its path, is not to be seen."""

    def open(self, path: str) -> None:
        """Open a folder; it is empty until `filled`."""
        self.folders.setdefault(path, Folder())

    def open_down_to(self, path: str) -> None:
        """Open the folders above a path, and show so many names that it is among them."""
        above = ""
        for part in path.split("/")[:-1]:
            above = f"{above}/{part}" if above else part
            self.open(above)

    def show_name(self, path: str) -> bool:
        """Show enough names of its folder for a path to be seen; False where it is not there, or not yet read."""
        folder = self.folders.get(_parent(path))
        if folder is None or folder.listing is None:
            return False
        name = path.rpartition("/")[2]
        try:
            place = folder.listing.names.index(name)
        except ValueError:
            return False
        folder.shown = max(folder.shown, place + BATCH // 4)
        return True

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
        inside = set(listing.names[: listing.folders]) if listing else set()
        for other in [p for p in self.folders if p and _parent(p) == path]:
            if other.rpartition("/")[2] not in inside:
                self.close(other)

    def forget(self) -> None:
        """Read every open folder again at the next look."""
        for folder in self.folders.values():
            if folder.listing is not None:
                folder.listing = replace(folder.listing, stamp=0)

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
        for name, kind in folder.listing.first(folder.shown):
            inner = f"{path}/{name}" if path else name
            if self.hides(inner, name):
                continue
            is_open = kind == "folder" and inner in self.folders
            yield TreeRow(kind, inner, name, depth, is_open)
            if is_open:
                yield from self._rows(inner, depth + 1)
        rest = len(folder.listing.names) - folder.shown
        if rest > 0:
            yield TreeRow("more", path, f"{rest:,} more", depth)
        if not folder.listing.names and path:
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


def tree_of(paths: Iterable[str], most: int) -> list[TreeRow]:
    """Paths as a tree with everything open; one that ends with a slash is a folder that can be looked into."""
    rows: list[TreeRow] = []
    shown: tuple[str, ...] = ()
    ordered = sorted(paths, key=_folders_first)
    for path in ordered[:most]:
        *above, name = path.rstrip("/").split("/")
        common = 0
        while common < min(len(above), len(shown)) and above[common] == shown[common]:
            common += 1
        rows += [
            TreeRow("folder", "/".join(above[: depth + 1]), above[depth], depth, is_open=True)
            for depth in range(common, len(above))
        ]
        shown = tuple(above)
        rows.append(TreeRow("folder" if path.endswith("/") else "file", path.rstrip("/"), name, len(above)))
    if len(ordered) > most:
        rows.append(TreeRow("note", "", f"{len(ordered) - most:,} more are not shown", 0))
    return rows


def list_of(paths: Sequence[str], note: str = "") -> list[TreeRow]:
    """Paths in the order that they have, each with the folder it is in; ``note`` where there are none."""
    rows = []
    for path in paths:
        above, _, name = path.rstrip("/").rpartition("/")
        kind: RowKind = "folder" if path.endswith("/") else "file"
        rows.append(TreeRow(kind, path.rstrip("/"), name, 0, about=above))
    return rows or [TreeRow("note", "", note, 0)]


def _folders_first(path: str) -> list[tuple[bool, str, str]]:
    parts = path.rstrip("/").split("/")
    last = len(parts) - 1
    return [(at == last and not path.endswith("/"), part.casefold(), part) for at, part in enumerate(parts)]
