"""What a review asks of the session, on threads, and what it says of the answers. Knows no screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, Protocol, TypeAlias

from pygent.changes import Applied, ChangeSet, FileChange, OnConflict
from pygent.errors import PygentError
from pygent.tui.choosing import Selection, Taking
from pygent.tui.hunk_lines import HunkLines, hunk_lines, hunks_of
from pygent.tui.panes.change_list import mode_word
from pygent.tui.panes.text import size_of, visible
from pygent.tui.text import plural

Paths: TypeAlias = Sequence[str] | None
Hunks: TypeAlias = Mapping[str, Sequence[int]] | None

MOST = 4 * 1024 * 1024
"""Bytes of a file up to which two versions are compared here."""

NAMED = 3
"""Files that a line names; the others are counted."""


class Reviewed(Protocol):
    """What a review needs of a session. Everything may take long, and raises ``PygentError``."""

    def task_changes(self, task_id: str) -> ChangeSet: ...
    def task_contents(self, task_id: str, path: str) -> tuple[bytes | None, bytes | None]: ...
    def preview_task(self, task_id: str, paths: Paths = None, hunks: Hunks = None) -> Applied: ...
    def apply_task(
        self, task_id: str, paths: Paths = None, hunks: Hunks = None, on_conflict: OnConflict = "leave"
    ) -> Applied: ...
    def undo_task(self, task_id: str) -> tuple[str, ...]: ...
    def discard_task(self, task_id: str) -> None: ...
    def task_overlaps(self, task_id: str) -> Mapping[str, tuple[str, ...]]: ...
    def read_start(self, path: str, most: int) -> tuple[bytes, int]: ...
    def exists(self, path: str) -> bool: ...


class Said(NamedTuple):
    """A line for the person, and its role: ``"success"``, ``"warning"``, ``"error"`` or empty."""

    text: str
    role: str = ""


@dataclass(frozen=True)
class Compared:
    """A change set, and what stands in its way: reasons by path, and other tasks by path.

    ``merged`` are the files that were changed on both sides and fit together.
    """

    changes: ChangeSet = field(default_factory=ChangeSet)
    conflicts: Mapping[str, str] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    overlaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def totals(self) -> tuple[int, int]:
        """How many lines were added and removed in all files."""
        pairs = [change.lines for change in self.changes.files]
        return sum(added for added, _ in pairs), sum(removed for _, removed in pairs)


class Outcome(NamedTuple):
    """What became of applying: all calls together, how many can be taken back, and the error that ended it."""

    applied: Applied
    points: int
    error: str = ""


class Shown(NamedTuple):
    """One file to look at."""

    change: FileChange
    hunks: Sequence[HunkLines]
    words: Sequence[tuple[str, str]]


class Reviewer:
    """One task's changes. Its methods may take long; they are for threads and raise what the session raises."""

    def __init__(self, session: Reviewed, task_id: str) -> None:
        self._session = session
        self._task_id = task_id

    def changes(self) -> ChangeSet:
        """What is still to be decided."""
        return self._session.task_changes(self._task_id)

    def carried(
        self, chosen: Selection, changes: ChangeSet, before: Compared
    ) -> tuple[Compared, Selection, list[str]]:
        """What is shown and chosen of a newer change set, and the chosen files that are others in it."""
        compared = replace(before, changes=changes)
        here = set(changes.paths)
        dropped = [path for path in chosen.changed_in(changes) if path in here]
        _ = compared.totals
        return compared, chosen.carried(changes), dropped

    def about(self, changes: ChangeSet) -> Compared:
        """What stands in the way of these changes."""
        if not changes:
            return Compared(changes)
        preview = self._session.preview_task(self._task_id)
        overlaps = preview.overlaps
        if overlaps is None:
            overlaps = self._session.task_overlaps(self._task_id)
        here = set(changes.paths)
        others = {path: tuple(tasks) for path, tasks in overlaps.items() if path in here and tasks}
        compared = Compared(changes, reasons(preview, changes), frozenset(preview.merged), others)
        _ = compared.totals
        return compared

    def changed_since(self, shown: ChangeSet, chosen: Selection | None) -> tuple[ChangeSet, list[str]]:
        """The changes as they are now, and the files that are others than they were shown.

        ``chosen`` None looks at all files, else at what is chosen.
        """
        now = self.changes()
        if chosen is not None:
            return now, chosen.changed_in(now)
        before, after = ({change.path: change for change in changes.files} for changes in (shown, now))
        return now, [path for path in {**before, **after} if before.get(path) != after.get(path)]

    def conflicts(self, takings: Iterable[Taking], changes: ChangeSet) -> dict[str, str]:
        """The reasons for which files cannot be taken over, of those about which nothing was decided."""
        found: dict[str, str] = {}
        for taking in takings:
            if taking.on_conflict == "leave":
                preview = self._session.preview_task(self._task_id, taking.paths, taking.hunks)
                asked = set(taking.paths) if taking.paths is not None else None
                why = reasons(preview, changes)
                found |= {path: words for path, words in why.items() if asked is None or path in asked}
        return found

    def shown(self, change: FileChange) -> Shown:
        """A file's hunks with the lines around them, and what else there is to say."""
        words = about_file(change)
        if not change.hunks:
            return Shown(change, (), words)
        try:
            old, _ = self._session.task_contents(self._task_id, change.path)
        except (OSError, PygentError) as error:  # its hunks can be shown all the same
            return Shown(
                change, hunk_lines(change, None), [*words, (f"Without the lines around: {error}", "warning")]
            )
        return Shown(change, hunk_lines(change, old), words)

    def beside_mine(self, change: FileChange) -> Shown:
        """What taking the task's version would make of the file that stands here now."""
        try:
            _, theirs = self._session.task_contents(self._task_id, change.path)
            mine = self._session.read_start(change.path, MOST + 1)[0] if self._session.exists(change.path) else None
        except (OSError, PygentError) as error:
            return Shown(change, (), [(f"The two cannot be compared: {error}", "warning")])
        if mine is None or theirs is None:
            where = "here" if mine is None else "in the task's version"
            words = [(f"There is no such file {where}.", "warning")]
        elif any(len(side) > MOST or b"\0" in side for side in (mine, theirs)):
            return Shown(change, (), [("They have no lines to compare, or are too large.", "warning")])
        else:
            words = [("From yours, as it stands here now, to the task's version:", "strong")]
        hunks = hunks_of(mine or b"", theirs or b"")
        if not hunks:
            words.append(("They are the same.", ""))
        beside = replace(change, kind="changed", hunks=hunks)
        return Shown(beside, hunk_lines(beside, mine or b""), words)

    def apply(self, takings: Iterable[Taking], changes: ChangeSet) -> Outcome:
        """Make these calls for ``changes``, as far as none fails."""
        done: list[Applied] = []
        points = 0
        for taking in takings:
            try:
                applied = self._session.apply_task(
                    self._task_id, taking.paths, taking.hunks, on_conflict=taking.on_conflict
                )
            except (OSError, PygentError) as error:
                return Outcome(joined(done), points, str(error) or type(error).__name__)
            done.append(applied)
            asked = set(changes.paths if taking.paths is None else taking.paths)
            points += bool(applied.paths or asked - {conflict.path for conflict in applied.conflicts})
        return Outcome(joined(done), points)

    def undo(self, points: int) -> tuple[str, ...]:
        """Take so many calls back, the last one first. Answers the files that were left, as others changed them."""
        left: list[str] = []
        for _ in range(points):
            left += self._session.undo_task(self._task_id)
        return tuple(dict.fromkeys(left))

    def discard(self) -> bool:
        """Give all of it up. Answers True."""
        self._session.discard_task(self._task_id)
        return True


def reasons(applied: Applied, changes: ChangeSet) -> dict[str, str]:
    """Why files cannot be taken over, by path. A link that leads out only has to be chosen by itself."""
    out = {change.path for change in changes.files if change.leads_out} if applied.conflicts else set()
    return {conflict.path: conflict.reason for conflict in applied.conflicts if conflict.path not in out}


def joined(done: Sequence[Applied]) -> Applied:
    """Several answers as one."""
    return Applied(
        tuple(dict.fromkeys(path for one in done for path in one.paths)),
        tuple(dict.fromkeys(path for one in done for path in one.merged)),
        tuple(conflict for one in done for conflict in one.conflicts),
    )


def names(paths: Sequence[str]) -> str:
    """Paths for a sentence: all of a few, or the first ones and how many more there are."""
    shown = ", ".join(visible(path) for path in paths[:NAMED])
    more = len(paths) - NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown


def said_applied(outcome: Outcome, selection: Selection, *, undo: str = "u") -> Said:
    """One line: what was written, what was merged, what is left and why. ``undo`` is the key that takes it back."""
    applied, parts = outcome.applied, []
    marked = [one.path for one in applied.conflicts if one.path in applied.paths]
    open_ = [one.path for one in applied.conflicts if one.path not in applied.paths]
    kept = [path for path in selection.paths if selection.decision(path) == "ours" and path not in applied.paths]
    kept = [path for path in kept if path not in open_]
    if applied.paths:
        parts.append(f"Wrote {plural(len(applied.paths), 'file')} ({names(applied.paths)})")
    if merged := [path for path in applied.merged if path not in marked]:
        parts.append(f"merged {names(merged)} with what was changed here")
    if marked:
        parts.append(f"conflict markers in {names(marked)}")
    if kept:
        parts.append(f"kept yours of {names(kept)}")
    if len(open_) == 1:
        why = next(one.reason for one in applied.conflicts if one.path == open_[0])
        parts.append(f"left {names(open_)}: {visible(why)}")
    elif open_:
        parts.append(f"left {plural(len(open_), 'file')} that cannot be merged ({names(open_)})")
    text = "; ".join(parts)
    text = text[:1].upper() + text[1:] if text else "Nothing was to be written"
    if outcome.error:
        return Said(f"{outcome.error}{f' · before that: {text}' if parts else ''}", "error")
    back = f" {undo} takes it back." if outcome.points else ""
    return Said(f"{text}.{back}", "warning" if open_ or marked else "success")


def said_undone(left: Sequence[str], written: Sequence[str]) -> Said:
    """One line about an undo of what had ``written`` files, of which some were ``left`` alone."""
    if left:
        verb = "was" if len(left) == 1 else "were"
        return Said(f"Taken back, save {names(left)}, which {verb} changed since.", "warning")
    return Said(f"Taken back: {names(written)}." if written else "Taken back.", "success")


def about_file(change: FileChange) -> list[tuple[str, str]]:
    """What lines do not tell of a file, as texts with their roles."""
    out: list[tuple[str, str]] = []
    if change.old_path is not None:
        out.append((f"Renamed from {visible(change.old_path)}", ""))
    if change.mode_changed and change.old_mode is not None and change.new_mode is not None:
        words = {"+x": " · can be run now", "−x": " · cannot be run any more"}.get(mode_word(change), "")
        out.append((f"Mode {change.old_mode:03o} → {change.new_mode:03o}{words}", ""))
    elif change.kind == "added" and (change.new_mode or 0) & 0o111 and change.link is None:
        out.append((f"Mode {change.new_mode:03o} · can be run", ""))
    if change.link is not None:
        out.append((f"A symbolic link to {visible(change.link)}", ""))
        if change.leads_out:
            out.append(
                ("It leads out of the workspace, so it is taken over only if you choose it by itself.", "warning")
            )
    elif change.binary:
        sizes = [size_of(size) if size is not None else "nothing" for size in (change.old_size, change.new_size)]
        out.append((f"Binary, or too large to compare: {' → '.join(sizes)}", ""))
    elif not change.hunks and change.kind in {"added", "deleted"}:
        out.append(("An empty file", "muted"))
    return out
