"""Takes chosen changes over into a workspace."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from pygent.changes.base import Base
from pygent.changes.journal import Journal, in_words
from pygent.changes.model import Applied, ChangeSet, Conflict, OnConflict
from pygent.changes.plan import Choice, Planner
from pygent.changes.steps import Part
from pygent.changes.transaction import carry_out, lay_out
from pygent.changes.tree import Tree
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace

Hunks = Mapping[str, Collection[int]]
"""Indexes of chosen hunks by path."""

_SHOWN = 5


def preview(
    base: Base,
    changes: ChangeSet,
    target: Workspace,
    *,
    paths: Collection[str] | None = None,
    hunks: Hunks | None = None,
    on_conflict: OnConflict = "leave",
) -> Applied:
    """What ``apply`` would do. Nothing is written."""
    return _told(_parts(base, changes, target, paths, hunks, on_conflict))


def apply(
    base: Base,
    changes: ChangeSet,
    target: Workspace,
    *,
    undo: Path,
    paths: Collection[str] | None = None,
    hunks: Hunks | None = None,
    on_conflict: OnConflict = "leave",
) -> Applied:
    """Take changes over into ``target``: all that can be, or, where writing fails, nothing.

    ``changes`` is what ``base.changes`` told and was looked at. ``paths`` are files, or folders with all below them;
    None is everything, save links that lead out, which have to be named. ``hunks`` chooses among a file's hunks by
    index, and with ``paths`` None only its files are taken; no index is nothing of that file. What was changed in
    ``target`` meanwhile is merged; what cannot be stays as ``on_conflict`` says. What was taken over or decided is no
    change of ``base`` any more.

    ``undo`` is a new folder, which keeps what was there; it is made only where something is done. Raises
    ``WorkspaceError``, and then nothing was changed; also where a file is not any more what ``changes`` says.
    """
    parts = _parts(base, changes, target, paths, hunks, on_conflict)
    done = [part for part in parts if part.decided]
    if done:
        with base.moving():
            _write(base, target, done, undo)
    return _told(parts)


def _write(base: Base, target: Workspace, parts: list[Part], undo: Path) -> None:
    records = []
    for part in parts:
        after = base.moved(part.change, part.chosen)
        records.append(({path: base.entry(path) for path in after}, after))
    steps = [(number, step) for number, part in enumerate(parts) for step in part.steps]
    journal = Journal(undo, parts=records)
    try:
        with Tree(base.root) as copy:
            gone = list(_left_by(copy, [step.path for _, step in steps if step.new is None]))
            lay_out(target.root, journal, steps, gone)
            modes = {path: _mode(copy, path) for path in journal.made}
    except OSError as error:
        raise in_words(error) from error
    carry_out(base, target, journal, [step for _, step in steps], modes)


def _parts(
    base: Base,
    changes: ChangeSet,
    target: Workspace,
    paths: Collection[str] | None,
    hunks: Hunks | None,
    on_conflict: OnConflict,
) -> list[Part]:
    if on_conflict not in {"leave", "markers", "ours", "theirs"}:
        raise WorkspaceError(f"on_conflict is {on_conflict!r}: leave, markers, ours and theirs are accepted.")
    choices = list(choose(changes, paths, hunks))
    named = {*(paths or ()), *(hunks or ())}
    return Planner(base, target, on_conflict, named).parts(choices)


def choose(changes: ChangeSet, paths: Collection[str] | None, hunks: Hunks | None) -> Iterator[Choice]:
    """The changes that are meant, and their hunks. Raises ``WorkspaceError`` where there are none such."""
    if isinstance(paths, str):
        raise WorkspaceError("paths is one text: a list of paths is accepted.")
    wanted = _wanted(changes, paths, hunks)
    for change in changes.files:
        if change.path not in wanted:
            continue
        chosen = (hunks or {}).get(change.path)
        if chosen is None:
            yield change, None
            continue
        count = len(change.hunks)
        for index in chosen:
            if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
                accepted = f"0 to {count - 1} are accepted" if count else "it has none, and is taken over whole"
                raise WorkspaceError(f"{change.path!r} has no hunk {index!r}: {accepted}.")
        if chosen:
            yield change, tuple(sorted(set(chosen)))


def _wanted(changes: ChangeSet, paths: Collection[str] | None, hunks: Hunks | None) -> set[str]:
    if paths is None and hunks is None:
        return set(changes.paths)
    names = {change.old_path: change.path for change in changes.files if change.old_path is not None}
    names |= {path: path for path in changes.paths}
    wanted: set[str] = set()
    for path in [*(paths or ()), *(hunks or ())]:
        folder = path.rstrip("/") + "/"
        found = {names[path]} if path in names else {name for name in changes.paths if name.startswith(folder)}
        if not found:
            shown = ", ".join(repr(name) for name in changes.paths[:_SHOWN]) or "there are no changes"
            raise WorkspaceError(f"{path!r} has no changes to take over. Changed are: {shown}.")
        if hunks is not None and path in hunks and path not in changes.paths:
            raise WorkspaceError(f"{path!r} is no changed file: hunks are chosen by the path that a file has now.")
        wanted |= found
    return wanted


def _told(parts: Iterable[Part]) -> Applied:
    parts = list(parts)
    return Applied(
        paths=tuple(sorted({step.path for part in parts for step in part.steps})),
        merged=tuple(part.change.path for part in parts if part.merged and part.steps),
        conflicts=tuple(Conflict(part.change.path, part.conflict) for part in parts if part.conflict),
    )


def _left_by(copy: Tree, removed: Iterable[str]) -> Iterator[str]:
    """The folders of removed files that are not there any more in the copy."""
    for path in removed:
        folder = path.rpartition("/")[0]
        while folder:
            found = copy.stat(folder)
            if found is not None and stat.S_ISDIR(found.st_mode):
                break
            yield folder
            folder = folder.rpartition("/")[0]


def _mode(copy: Tree, folder: str) -> int:
    found = copy.stat(folder)
    return stat.S_IMODE(found.st_mode) & 0o777 | 0o700 if found is not None else 0o777
