"""A change set: what changed in a folder, file by file and hunk by hunk, and what became of taking it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ChangeKind = Literal["added", "changed", "deleted", "renamed"]
OnConflict = Literal["leave", "markers", "ours", "theirs"]
"""What becomes of a file that cannot be merged: it stays as it is and is named; it is written with conflict markers;
it is merged with this workspace's lines, or with the change set's, where both changed the same. What has no lines to
merge stays as it is with ``"ours"`` and becomes that of the change set with ``"theirs"``; both are decisions."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that stand in place of others, without context.

    ``old_start`` and ``new_start`` count lines from 0. Lines end as they do in the files; only a last one may have no
    end. ``removed`` empty is a pure insertion before ``old_start``.
    """

    old_start: int
    removed: tuple[bytes, ...]
    new_start: int
    added: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """What happened to one file, or to a symbolic link.

    ``path`` is where it is now, or was where it is ``"deleted"``; ``old_path`` where it was before a rename, else
    None. Sizes are in bytes and modes as in ``st_mode & 0o777``, None where there is no such file on that side.
    ``link`` is where the new symbolic link leads, None for a file; ``leads_out`` says that this is outside the
    workspace. ``binary`` is for what has no lines, or is too large to look at; then, for a link, and where only the
    mode or the name changed, there are no hunks and the file is taken over whole. ``digest`` stands for the new
    content, so that nothing else is taken over than what was looked at; empty for a deleted file.
    """

    path: str
    kind: ChangeKind
    old_path: str | None = None
    old_size: int | None = None
    new_size: int | None = None
    old_mode: int | None = None
    new_mode: int | None = None
    binary: bool = False
    link: str | None = None
    leads_out: bool = False
    hunks: tuple[Hunk, ...] = ()
    digest: str = ""

    @property
    def mode_changed(self) -> bool:
        """Whether the permission bits differ."""
        return self.old_mode is not None and self.new_mode is not None and self.old_mode != self.new_mode

    @property
    def lines(self) -> tuple[int, int]:
        """How many lines were added and removed."""
        return sum(len(hunk.added) for hunk in self.hunks), sum(len(hunk.removed) for hunk in self.hunks)

    def to_dict(self) -> dict[str, Any]:
        """The change as events carry it: JSON values, without hunks."""
        out: dict[str, Any] = {"path": self.path, "kind": self.kind}
        if self.old_path is not None:
            out["old_path"] = self.old_path
        return out


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All changes, by path. ``notes`` say in words what could not be looked at, such as a named pipe."""

    files: tuple[FileChange, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.files)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths as ``apply`` takes them."""
        return tuple(change.path for change in self.files)

    def of(self, path: str) -> FileChange | None:
        """The change of one path, None where it has none."""
        return next((change for change in self.files if change.path == path), None)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file that could not be taken over, and in words why not."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of taking changes over.

    ``paths`` were written or removed, ``merged`` are those of them that had been changed here meanwhile, too.
    ``conflicts`` were left as they are, save with ``"markers"``, where they are in ``paths`` as well. ``overlaps``
    are the other tasks, by path, that changed the same files and wait to be taken over.
    """

    paths: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    overlaps: Mapping[str, tuple[str, ...]] | None = None
