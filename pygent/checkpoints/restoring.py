"""Brings files back: what is to be done, shown first, then done as one, or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pygent.blobs import BlobError, Blobs
from pygent.changes.blocked import Around
from pygent.changes.data import KEEP_LIMIT
from pygent.changes.journal import Journal, in_words
from pygent.changes.steps import Step, Version, standing
from pygent.changes.transaction import carry_out, lay_out
from pygent.changes.tree import Entry, Tree
from pygent.changes.undoing import missing
from pygent.checkpoints.records import Change, State, same
from pygent.checkpoints.stack import Way
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace, reason_of

CHANGED = "it was changed since, by somebody else"
BETWEEN = "somebody else changed it in between; it is brought back to what they made of it"
NOT_KEPT = "what it was is not kept"


class NoBase:
    """There is nothing that moves along with the workspace."""

    def entry(self, path: str) -> Entry | None:
        """Nothing."""
        return None

    def record(self, entries: Mapping[str, Entry | None]) -> None:
        """Nothing is recorded."""


@dataclass(slots=True)
class Plan:
    """What is to be done: ``changes`` by path, and what is left alone and why; ``notes`` are about single paths.

    ``staying`` are folders, of those that are left, that stay for what is in them.
    """

    changes: dict[str, Change] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    staying: set[str] = field(default_factory=set)
    _now: dict[str, Version | None] = field(default_factory=dict)


def plan(target: Workspace, blobs: Blobs, ways: Mapping[str, Way]) -> Plan:
    """Look at what stands in the workspace, and find what can be brought back. Raises ``WorkspaceError``."""
    made = Plan()
    try:
        with Tree(target.root) as tree:
            for path in sorted(ways):
                _look(tree, target.root, blobs, ways[path], made)
            _unblock(tree, made)
    except OSError as error:
        raise in_words(error) from error
    return made


def carry(target: Workspace, blobs: Blobs, made: Plan, folder: Path) -> list[Change]:
    """Do what is planned, or nothing; ``folder`` is for the journal. Answers what was done.

    Raises ``WorkspaceError``, also where something is another one by now.
    """
    done: list[Change] = []
    steps: list[Step] = []
    modes: dict[str, int] = {}
    gone: list[str] = []
    back: list[str] = []
    for path, change in made.changes.items():
        if change.after is not None and change.after.kind == "folder":
            back.append(path)
            modes[path] = change.after.mode
        elif change.before is not None and change.before.kind == "folder" and change.after is None:
            gone.append(path)
        if not change.of_folder:
            now = made._now.get(path)  # noqa: SLF001 - the plan is of this module
            new = _version(blobs, change.after)
            if now is not None or new is not None:
                steps.append(Step(path, now, new).light())
        done.append(_kept(target, blobs, change))
    try:
        journal = Journal(folder)
        with Tree(target.root) as tree:
            removed = {step.path for step in steps if step.new is None}
            journal.made = missing(tree, sorted(back), removed)
        lay_out(target.root, journal, enumerate(steps), gone)
    except OSError as error:
        raise in_words(error) from error
    if steps or journal.made or journal.gone:
        carry_out(NoBase(), target, journal, steps, modes)
    return [change for change in done if _is_so(target, change)]


def told(made: Plan) -> list[tuple[str, str]]:
    """What is left alone and why; of folders that stay for what is in them, where that is not named itself."""
    left = {**made.left, **made.notes}
    return [
        (path, reason)
        for path, reason in sorted(left.items())
        if path not in made.staying or not any(other.startswith(f"{path}/") for other in left)
    ]


def contents(target: Workspace, blobs: Blobs, change: Change) -> tuple[bytes | None, bytes | None]:
    """A file as it is and as it is to be, for a diff; None where there is none, or it is no file to show."""
    now: bytes | None = None
    if change.before is not None and change.before.kind == "file" and change.before.size <= KEEP_LIMIT:
        with Tree(target.root) as tree:
            try:
                found = standing(tree, target.root, change.path)
            except OSError:
                found = None
        now = found.data if found is not None else None
    elif change.before is not None and change.before.link is not None:
        now = os.fsencode(change.before.link)
    then: bytes | None = None
    if change.after is not None and change.after.blob is not None and change.after.size <= KEEP_LIMIT:
        try:
            then = blobs.get(change.after.blob)
        except BlobError:
            then = None
    elif change.after is not None and change.after.link is not None:
        then = os.fsencode(change.after.link)
    return now, then


def _look(tree: Tree, root: Path, blobs: Blobs, way: Way, made: Plan) -> None:
    path, wanted, there = way.change
    if way.interrupted:
        made.notes[path] = BETWEEN
    try:
        now = _here(tree, root, path)
    except OSError as error:
        made.left[path] = reason_of(error)
        return
    state = now[0]
    if same(state, there):
        return  # it is so already
    if not same(state, wanted):
        made.left[path] = CHANGED
    elif there is not None and not (there.kept and (there.blob is None or blobs.has(there.blob))):
        made.left[path] = NOT_KEPT
    else:
        made.changes[path] = Change(path, state if state is None else wanted, there)
        made._now[path] = now[1]  # noqa: SLF001 - the plan is of this module


def _here(tree: Tree, root: Path, path: str) -> tuple[State | None, Version | None]:
    found = tree.stat(path)
    if found is not None and stat.S_ISDIR(found.st_mode):
        return State("folder", stat.S_IMODE(found.st_mode) & 0o777), None
    version = standing(tree, root, path)
    if version is None:
        return None, None
    entry = version.entry
    return State(entry.kind, entry.mode, entry.size, entry.digest, link=entry.link), version


def _unblock(tree: Tree, made: Plan) -> None:
    """Leave alone what cannot be written because of what stands around it."""
    while True:
        steps = [
            Step(path, made._now[path], _placeholder(change.after))  # noqa: SLF001
            for path, change in made.changes.items()
            if not change.of_folder
        ]
        around = Around(tree, steps)
        blocked = {step.path: reason for step in steps if (reason := around.reason(step))}
        staying = _staying(tree, made)
        blocked |= staying
        made.staying |= staying.keys()
        if not blocked:
            return
        for path, reason in blocked.items():
            made.left[path] = reason
            del made.changes[path]


def _staying(tree: Tree, made: Plan) -> dict[str, str]:
    """Folders that are to be removed and have something in them that stays."""
    found: dict[str, str] = {}
    going = {path for path, change in made.changes.items() if change.after is None}
    for path in sorted(going, reverse=True):
        if made.changes[path].before is None or not made.changes[path].of_folder:
            continue
        stays = next((name for name, _ in tree.names(path) if f"{path}/{name}" not in going - found.keys()), None)
        if stays is not None:
            found[path] = f"{stays!r} is in it"
    return found


def _placeholder(state: State | None) -> Version | None:
    if state is None or state.kind == "folder":
        return None
    return Version(state.entry, None, Path(), "")


def _version(blobs: Blobs, state: State | None) -> Version | None:
    if state is None or state.kind == "folder" or state.blob is None:
        return _placeholder(state)
    return Version(state.entry, None, blobs.folder, blobs.place(state.blob))


def _kept(target: Workspace, blobs: Blobs, change: Change) -> Change:
    """With the content of what is taken away kept, however large. Raises ``WorkspaceError``."""
    before = change.before
    if before is None or before.kind != "file" or before.blob is not None:
        return change
    try:
        with target.open(change.path) as file:
            return change._replace(before=before._replace(blob=blobs.put_file(file)))
    except BlobError as error:
        raise WorkspaceError(f"Nothing was changed: {error}") from error


def _is_so(target: Workspace, change: Change) -> bool:
    """Whether a folder is as it is to be: one that has something in it stays."""
    if not change.of_folder:
        return True
    return (target.root / change.path).is_dir() == (change.after is not None)
