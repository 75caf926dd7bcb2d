"""A folder as it is now against what it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pygent.changes.data import KEEP_LIMIT, digest_of, digest_of_large, read_all
from pygent.changes.hunks import hunks_between, is_text
from pygent.changes.model import ChangeKind, ChangeSet, FileChange
from pygent.changes.pack import Pack
from pygent.changes.renames import find_renames
from pygent.changes.tree import Entry, Tree, link_entry, of_git, short, too_long

HUNKS_LIMIT = 64 * 1024 * 1024
"""Bytes of all files of a change set whose lines are compared; what comes after them has no hunks."""


@dataclass(frozen=True, slots=True)
class Now:
    """What stands at a path: its entry, and the content of a file up to ``KEEP_LIMIT``."""

    entry: Entry
    data: bytes | None


def look(tree: Tree, path: str) -> Now | None:
    """What stands at a path, None where that is neither file nor link. Raises ``OSError``."""
    found = tree.stat(path)
    if found is None:
        return None
    if stat.S_ISLNK(found.st_mode):
        return Now(link_entry(tree.link(path)).stamped(found), None)
    if not stat.S_ISREG(found.st_mode):
        return None
    fd = tree.open(path)
    try:
        found = os.fstat(fd)
        mode, size = stat.S_IMODE(found.st_mode) & 0o777, found.st_size
        if size > KEEP_LIMIT:
            return Now(Entry("file", mode, size, digest_of_large(fd, size)).stamped(found), None)
        data = read_all(fd, size)
        return Now(Entry("file", mode, len(data), digest_of(data)).stamped(found), data)
    finally:
        os.close(fd)


@dataclass(slots=True)
class Comparison:
    """One comparison of a tree with its entries, whose contents are in ``pack``."""

    tree: Tree
    entries: Mapping[str, Entry]
    pack: Pack
    unchanged: dict[str, Entry] = field(default_factory=dict)
    """Entries with a new stamp, of files that were read and found to be as they were."""
    _notes: list[str] = field(default_factory=list)
    _left: int = HUNKS_LIMIT

    def run(self, listing: Iterable[str]) -> ChangeSet:
        """Look at the entries and at what else is listed."""
        deleted: dict[str, Entry] = {}
        changed: list[str] = []
        for path, entry in self.entries.items():
            now = self._entry(path, entry)
            if now is None:
                deleted[path] = entry
            elif not now.same(entry):
                changed.append(path)
            elif now is not entry:
                self.unchanged[path] = now._replace(offset=entry.offset)
        added: dict[str, Entry] = {}
        for path in sorted(set(listing) - self.entries.keys()):
            if self._acceptable(path) and (now := self._entry(path, None)) is not None:
                added[path] = now
        renamed = find_renames(deleted, added, lambda path: self.pack.get(deleted[path]), self._data)
        gone = deleted.keys() - renamed.values()
        found = [self._change(path, renamed.get(path)) for path in sorted({*changed, *added, *gone})]
        if self._left < 0:
            self._notes.append(
                f"Of the files after the first {HUNKS_LIMIT // 1024**2} MiB of changed ones no lines were compared."
            )
        return ChangeSet(tuple(change for change in found if change is not None), short(self._notes))

    def _entry(self, path: str, entry: Entry | None) -> Entry | None:
        """What stands there now; ``entry`` itself where it is unchanged or cannot be looked at."""
        try:
            found = self.tree.stat(path)
            if found is None:
                return None
            if entry is not None and entry.is_stamp_of(found):
                return entry
            if stat.S_ISDIR(found.st_mode):
                return None
            now = look(self.tree, path)
        except OSError as error:
            self._notes.append(f"{path!r} could not be read: {error.strerror}.")
            return entry
        if now is None:
            self._notes.append(f"{path!r} is neither a file nor a link, and was left out.")
            return entry
        return now.entry

    def _acceptable(self, path: str) -> bool:
        if path.endswith("/"):
            self._notes.append(f"{path!r} is a repository of its own, and was left out.")
            return False
        if of_git(path):
            return False
        parts = path.split("/")
        if path.startswith("/") or not {"", ".", ".."}.isdisjoint(parts) or too_long(path):
            self._notes.append(f"{path[:200]!r} is no path that could be taken over.")
            return False
        return True

    def _data(self, path: str) -> bytes | None:
        try:
            now = look(self.tree, path)
        except OSError:
            return None
        return None if now is None else now.data

    def _change(self, path: str, old_path: str | None) -> FileChange | None:
        before = self.entries.get(old_path or path)
        try:
            now = look(self.tree, path)
        except OSError as error:  # readable a moment ago
            self._notes.append(f"{path!r} could not be read: {error.strerror}.")
            return None
        after = now.entry if now is not None else None
        if before is None and after is None:
            return None  # there a moment ago
        text = self._texts(before, now)
        kind: ChangeKind = "added" if before is None else "deleted" if after is None else "changed"
        if old_path and after:
            kind = "renamed"
        return FileChange(
            path=path if after or not old_path else old_path,
            kind=kind,
            old_path=old_path if after else None,
            old_size=before.size if before else None,
            new_size=after.size if after else None,
            old_mode=before.mode if before else None,
            new_mode=after.mode if after else None,
            binary=text is None and "link" not in {before and before.kind, after and after.kind},
            link=after.link if after else None,
            leads_out=bool(after and after.link is not None and leads_out(path, after.link)),
            hunks=hunks_between(*text) if text else (),
            digest=after.digest if after else "",
        )

    def _texts(self, before: Entry | None, now: Now | None) -> tuple[bytes, bytes] | None:
        """Both contents where they have lines, empty for a side that there is not."""
        if "link" in {before and before.kind, now and now.entry.kind}:
            return None
        if before and now and before.digest == now.entry.digest:
            return (b"", b"") if is_text(now.data) and now.data is not None else None
        old = self.pack.get(before) if before else b""
        new = now.data if now else b""
        if old is None or new is None or not is_text(old, new):
            return None
        self._left -= len(old) + len(new)
        return (old, new) if self._left >= 0 else None


def leads_out(path: str, link: str) -> bool:
    """Whether a link at ``path`` leads out of the folder; also where that cannot be told from its text alone."""
    if link.startswith("/"):
        return True
    parts = [part for part in link.split("/") if part not in {"", "."}]
    ups = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return ups > path.count("/") or ".." in parts[ups:]
