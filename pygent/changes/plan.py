"""Decides, change by change, what has to be written so that it is taken over, or why it cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from pygent.changes.base import Base, stale
from pygent.changes.blocked import settled
from pygent.changes.data import digest_of
from pygent.changes.hunks import is_text
from pygent.changes.merge import merge
from pygent.changes.model import FileChange, OnConflict
from pygent.changes.steps import Part, Step, Version, standing
from pygent.changes.tree import Entry, Tree, of_git
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace, reason_of

Choice = tuple[FileChange, tuple[int, ...] | None]
"""A change, and which of its hunks; None: all of it."""


class Conflicting(Exception):
    """Two versions that cannot both stand. ``marked`` has both in it where they have lines."""

    def __init__(self, reason: str, marked: Version | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.marked = marked


@dataclass(slots=True)
class Planner:
    """Reads both sides and writes nothing. ``named`` are the paths that were asked for by name."""

    base: Base
    target: Workspace
    on_conflict: OnConflict = "leave"
    named: Collection[str] = ()

    def parts(self, choices: Iterable[Choice]) -> list[Part]:
        """What becomes of each. Raises ``WorkspaceError``, where a file is not what its change says too."""
        try:
            with Tree(self.target.root) as tree:
                parts = [self._part(tree, *choice) for choice in choices]
                return self._settled(tree, parts)
        except OSError as error:
            raise WorkspaceError(f"The workspace cannot be read: {reason_of(error)}.") from error

    def _settled(self, tree: Tree, parts: list[Part]) -> list[Part]:
        parts = settled(tree, parts)
        if self.on_conflict == "ours":
            parts = [part if part.decided else replace(part, conflict="", decided=True) for part in parts]
        return parts

    def _part(self, tree: Tree, change: FileChange, chosen: tuple[int, ...] | None) -> Part:
        part = Part(change, chosen)
        theirs = self._theirs(change, chosen)
        try:
            self._may_be_written(change)
            steps, merged = self._steps(tree, change, theirs)
        except Conflicting as conflict:
            return self._conflict(tree, part, theirs, conflict)
        except OSError as error:
            return replace(part, conflict=reason_of(error), decided=False)
        return replace(part, steps=tuple(step.light() for step in steps), merged=merged)

    def _may_be_written(self, change: FileChange) -> None:
        for path in (change.path, change.old_path):
            if path is not None and not self._is_name(path):
                raise Conflicting("it is no path that can be written to")
        if change.leads_out and change.path not in self.named:
            raise Conflicting(
                f"it is a link that leads out of the workspace, to {change.link!r}: choose it by its path"
            )

    def _is_name(self, path: str) -> bool:
        try:
            return not of_git(path) and self.target.relative(f"./{path}") == path
        except WorkspaceError:
            return False

    def _theirs(self, change: FileChange, chosen: tuple[int, ...] | None) -> Version | None:
        """The version of the change set, as far as it is chosen."""
        root = self.base.root
        if chosen is not None and set(chosen) != set(range(len(change.hunks))):
            data = self.base.chosen(change, chosen)
            mode = change.old_mode if change.old_mode is not None else change.new_mode
            return Version(Entry("file", mode or 0, len(data), digest_of(data)), data, root, "")
        now = self.base.now(change.path)
        if (now.entry.digest if now else "") != change.digest or (now and now.entry.mode) != change.new_mode:
            raise stale(change.path)
        return None if now is None else Version(now.entry, now.data, root, change.path)

    # -- one change against what stands here

    def _steps(self, tree: Tree, change: FileChange, theirs: Version | None) -> tuple[tuple[Step, ...], bool]:
        """The steps, and whether they merge. Raises ``Conflicting``."""
        old_path = change.old_path or change.path
        before = self.base.entry(old_path)
        ours = standing(tree, self.target.root, old_path)
        if change.old_path is None:
            new = self._merged(change, before, ours, theirs)
            return ((Step(change.path, ours, new),) if new is not ours else ()), _is_other(
                ours, before
            ) and new is not ours
        taken = standing(tree, self.target.root, change.path)
        if taken is None:
            new = self._merged(change, before, ours, theirs)
            return (Step(old_path, ours, None), Step(change.path, None, new)), _is_other(ours, before)
        if not _same(taken, theirs):
            raise Conflicting(f"it was {old_path!r}, and another file has its new name here")
        if ours is None:
            return (), False
        if _is_other(ours, before):
            raise Conflicting(f"it was {old_path!r}, which was changed here as well")
        return (Step(old_path, ours, None),), False

    def _merged(
        self, change: FileChange, before: Entry | None, ours: Version | None, theirs: Version | None
    ) -> Version | None:
        """What is to stand there: ``ours`` itself where that is so already."""
        if _same(ours, theirs):
            return ours
        if not _is_other(ours, before):
            return theirs
        if ours is None:
            raise Conflicting("it was deleted here")
        if theirs is None:
            raise Conflicting("it was changed here, and is deleted in the change set")
        if "link" in {ours.entry.kind, theirs.entry.kind, before and before.kind}:
            raise Conflicting("it was changed on both sides, and is or was a symbolic link")
        mode = _mode(before, ours.entry, theirs.entry)
        content = self._content(change, before, ours, theirs)
        if mode is None:
            raise Conflicting("its permissions were changed on both sides")
        merged = replace(content, entry=content.entry._replace(mode=mode))
        return ours if _same(merged, ours) else merged

    def _content(self, change: FileChange, before: Entry | None, ours: Version, theirs: Version) -> Version:
        digest = before.digest if before is not None else None
        if theirs.entry.digest in {ours.entry.digest, digest}:
            return ours
        if ours.entry.digest == digest:
            return theirs
        base = b"" if before is None else self.base.old(change.old_path or change.path)
        if base is None or ours.data is None or theirs.data is None or not is_text(base, ours.data, theirs.data):
            raise Conflicting("it was changed on both sides, and has no lines that could be merged")
        favour = self.on_conflict if self.on_conflict in {"ours", "theirs"} else None
        merged = merge(base, ours.data, theirs.data, favour)
        entry = Entry("file", ours.entry.mode, len(merged.data), digest_of(merged.data))
        version = Version(entry, merged.data, theirs.root, "")
        if not merged.clean:
            where = "it was added on both sides" if before is None else "the same lines were changed on both sides"
            raise Conflicting(where, version)
        return version

    def _conflict(self, tree: Tree, part: Part, theirs: Version | None, conflict: Conflicting) -> Part:
        part = replace(part, conflict=conflict.reason, decided=False)
        new = theirs if self.on_conflict == "theirs" else conflict.marked if self.on_conflict == "markers" else None
        if self.on_conflict not in {"theirs", "markers"} or (self.on_conflict == "markers" and new is None):
            return part
        if part.change.leads_out and part.change.path not in self.named:
            return part
        change, root = part.change, self.target.root
        try:
            steps = [Step(change.path, standing(tree, root, change.path), new)]
            if change.old_path is not None and (old := standing(tree, root, change.old_path)) is not None:
                steps.insert(0, Step(change.old_path, old, None))
        except OSError:
            return part
        steps = [step for step in steps if not _same(step.old, step.new)]
        reason = conflict.reason if self.on_conflict == "markers" else ""
        return replace(
            part, steps=tuple(step.light() for step in steps), merged=bool(reason), conflict=reason, decided=True
        )


def _same(one: Version | None, other: Version | None) -> bool:
    return one is other or (one is not None and other is not None and one.entry.same(other.entry))


def _is_other(ours: Version | None, before: Entry | None) -> bool:
    """Whether what stands here is not what the base says."""
    return before is not None if ours is None else not ours.entry.same(before)


def _mode(before: Entry | None, ours: Entry, theirs: Entry) -> int | None:
    """The permission bits of both, None where they differ from each other and from what was."""
    if before is not None and theirs.mode == before.mode:
        return ours.mode
    if ours.mode == theirs.mode or (before is not None and ours.mode == before.mode):
        return theirs.mode
    return None
