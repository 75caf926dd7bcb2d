"""Takes back what was taken over, and puts right what a crash left of it."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from pygent.changes.base import Base
from pygent.changes.blocked import Around
from pygent.changes.journal import Journal, in_words
from pygent.changes.steps import Step, Version, standing
from pygent.changes.transaction import Recorded, Transaction, carry_out, lay_out
from pygent.changes.tree import Tree, same
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace, reason_of

_BACK = "back"
_SHOWN = 5


def undo(undo: Path, target: Workspace, base: Base) -> tuple[str, ...]:
    """Take back what ``apply`` did with this folder, in ``target`` and in ``base``.

    Answers the paths that were changed since, which are left alone, as is what belongs to them. Raises
    ``WorkspaceError``, and then nothing was changed.
    """
    journal = Journal.read(undo)
    if journal.state not in {"cleaning", "applied"}:
        raise WorkspaceError(f"{str(undo)!r} is no undo point: it was not finished.")
    if is_undone(undo):
        raise WorkspaceError("This was taken back already.")
    try:
        with Tree(target.root) as tree:
            left, steps = _restoring(tree, target, journal, base)
            parts = {
                number: (after, before) for number, (before, after) in enumerate(journal.parts) if number not in left
            }
            back = Journal(undo / _BACK, parts=list(parts.values()))
            removed = {step.path for _, step in steps if step.new is None}
            back.made = missing(tree, [folder.path for folder in reversed(journal.gone)], removed)
        places = {number: index for index, number in enumerate(parts)}
        lay_out(target.root, back, [(places[part], step) for part, step in steps], journal.made)
    except OSError as error:
        raise in_words(error) from error
    if parts:
        carry_out(base, target, back, [step for _, step in steps], {one.path: one.mode for one in journal.gone})
    return tuple(sorted(item.path for item in journal.items if item.part in left))


def is_undone(undo: Path) -> bool:
    """Whether what was applied with this folder was taken back."""
    return Journal(undo / _BACK).state in {"cleaning", "applied"}


def recover(undo_parent: Path, target: Workspace, base: Base) -> list[str]:
    """Put right what a crash left in the middle of ``apply`` or ``undo``, whose folders are in ``undo_parent``.

    Afterwards both sides are as they were before it, or as after it where it was done. Answers in words what was put
    back, and what could not be since it was changed after the crash. Raises ``WorkspaceError``.
    """
    told: list[str] = []
    if undo_parent.is_dir():
        for folder in sorted(undo_parent.iterdir()):
            for one in (folder / _BACK, folder):
                if one.is_dir():
                    told.extend(recovered(one, target, base))
    return told


def recovered(folder: Path, target: Workspace, base: Recorded) -> list[str]:
    """Put right what a crash left of the journal in ``folder``. As ``recover``."""
    state = Journal(folder).state
    if state in {"applied", "kept"}:
        return []
    if state is None:  # nothing was done yet, or it was all put back
        if all(one.name.startswith(("plan.", "old-")) for one in folder.iterdir()):
            Journal(folder).remove()
        return []
    journal = Journal.read(folder)
    transaction = Transaction(target, journal)
    try:
        if state == "cleaning":
            transaction.clean()
            journal.enter("applied")
            return []
        left = transaction.put_back(base)
    except OSError as error:
        raise WorkspaceError(f"What was interrupted could not be put back: {reason_of(error)}.") from error
    if state == "staging":
        return []
    names = ", ".join(repr(item.path) for item in journal.items[:_SHOWN])
    more = f" and {len(journal.items) - _SHOWN} more" if len(journal.items) > _SHOWN else ""
    told = [f"Writing {names}{more} was interrupted, and was put back."]
    told.extend(
        f"{path!r} was changed since; it stays, and what it was is kept in {str(journal.folder)!r}." for path in left
    )
    return told


def _restoring(
    tree: Tree, target: Workspace, journal: Journal, base: Base
) -> tuple[set[int], list[tuple[int, Step]]]:
    """The parts that were changed since, and the steps that restore the others."""
    left = {
        number
        for number, (_, after) in enumerate(journal.parts)
        if any(not same(base.entry(path), entry) for path, entry in after.items())
    }
    steps: list[tuple[int, Step]] = []
    for number, item in enumerate(journal.items):
        try:
            now = standing(tree, target.root, item.path)
        except OSError:
            left.add(item.part)
            continue
        if not same(now.entry if now is not None else None, item.new):
            left.add(item.part)
            continue
        old = None if item.old is None else Version(item.old, None, journal.folder, f"old-{number}")
        steps.append((item.part, Step(item.path, now, old)))
    while True:
        steps = [(part, step) for part, step in steps if part not in left]
        around = Around(tree, [step for _, step in steps])
        blocked = {part for part, step in steps if around.reason(step)}
        if not blocked:
            return left, steps
        left |= blocked


def missing(tree: Tree, folders: Iterable[str], removed: Collection[str]) -> list[str]:
    """Those of the folders, the outermost first, that can be made again."""
    made: list[str] = []
    for path in folders:
        above = path.rpartition("/")[0]
        found = tree.stat(path)
        if found is not None and not (path in removed and not stat.S_ISDIR(found.st_mode)):
            continue
        around = tree.stat(above) if above else None
        if not above or above in made or (around is not None and stat.S_ISDIR(around.st_mode)):
            made.append(path)
    return made
