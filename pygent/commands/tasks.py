"""``pygent tasks``: what tasks left on this machine, looked at and decided on without a screen."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import cast, get_args

from pygent.changes import Applied, ChangeSet, FileChange, OnConflict
from pygent.commands.patch import patch
from pygent.errors import PygentError, TaskError
from pygent.plain_text import ago, clean, one_line
from pygent.settings import data_dir
from pygent.tasks.left import Left, find, left
from pygent.tasks.place import Place
from pygent.tasks.work import Work
from pygent.workspace import Workspace

HELP = """\
usage: pygent tasks [list]                 the tasks whose work lies here, newest first
       pygent tasks show ID                one task: what it was to do, how it ended, what it changed
       pygent tasks diff ID [PATH…]        its changes as a patch on standard output
       pygent tasks apply ID [PATH…]       take its changes over into its parent's workspace
       pygent tasks undo ID                take back what was applied last, or that it was discarded
       pygent tasks discard ID             give its changes up

apply takes all or nothing to the disk and merges with what was changed there meanwhile. What cannot be
merged stays as it is and is named, and the exit code is 1; with --markers it is written with conflict
markers, --ours keeps the workspace's version, --theirs takes the task's.
The first characters of an ID will do. A task of a Pygent that runs is decided on there."""

_LETTERS = {"added": "A", "changed": "M", "deleted": "D", "renamed": "R"}


def folder() -> Path:
    """Where the places of tasks are. Raises ``SettingsError`` where there is no home folder."""
    return data_dir() / "tasks"


def main(words: Sequence[str]) -> int:
    """Carry out ``pygent tasks WORDS``; answers the exit code."""
    command, *rest = words or ("list",)
    if command in ("-h", "--help", "help"):
        _print([HELP])
        return 0
    try:
        return _dispatch(command, rest)
    except PygentError as error:
        sys.stderr.write(f"pygent: {clean(str(error))}\n")
        return 1


def _dispatch(command: str, rest: Sequence[str]) -> int:
    options = [word for word in rest if word.startswith("--")]
    names = [word for word in rest if not word.startswith("--")]
    allowed = [f"--{word}" for word in get_args(OnConflict)] if command == "apply" else []
    if len(options) > 1 or not set(options) <= set(allowed):
        return _not_understood(command, rest)
    match command, *names:
        case ("list",):
            _print(_rows(left(folder())))
        case ("show", prefix):
            _show(find(folder(), prefix))
        case ("diff", prefix, *paths):
            _with_work(prefix, lambda work: _diff(work, paths))
        case ("apply", prefix, *paths):
            how = cast("OnConflict", options[0].removeprefix("--") if options else "leave")
            return _with_work(prefix, lambda work: _apply(work, paths, how))
        case ("undo", prefix):
            return _with_work(prefix, _undo)
        case ("discard", prefix):
            _with_work(prefix, _discard)
        case _:
            return _not_understood(command, rest)
    return 0


def _not_understood(command: str, rest: Sequence[str]) -> int:
    sys.stderr.write(f"pygent: `tasks {' '.join((command, *rest))}` is not understood\n{HELP}\n")
    return 2


def _with_work(prefix: str, do: Callable[[Work], int]) -> int:
    """Take the place over for as long as this takes."""
    found = find(folder(), prefix)
    record = found.record
    if not Path(record.parent or os.devnull).is_dir():
        raise TaskError(f"the workspace {record.parent!r} of task {record.id} is not there any more")
    place = Place.take(found.root)
    if place is None:
        raise TaskError(f"task {record.id} is open in another Pygent; decide on it there, or end that first")
    try:
        return do(Work(place, Workspace(Path(record.parent))))
    finally:
        with contextlib.suppress(OSError):
            place.save()  # a lost task is known as such from now on
        place.close()


def _diff(work: Work, paths: Sequence[str]) -> int:
    changes = work.changes()
    if paths:
        changes = ChangeSet(tuple(_named(changes, paths)), changes.notes)
    lines = patch(changes, work.contents)
    if sys.stdout.isatty():
        for line in lines:
            sys.stdout.write(clean(line.decode("utf-8", "replace")))
    else:
        sys.stdout.flush()
        for line in lines:
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    for note in changes.notes:
        sys.stderr.write(f"pygent: {clean(note)}\n")
    return 0


def _named(changes: ChangeSet, paths: Sequence[str]) -> Iterable[FileChange]:
    for path in paths:
        change = changes.of(os.path.normpath(path))
        if change is None:
            known = ", ".join(map(repr, changes.paths)) or "none"
            raise TaskError(f"the task did not change {path!r}; it changed: {known}")
        yield change


def _apply(work: Work, paths: Sequence[str], how: OnConflict) -> int:
    names = [change.path for change in _named(work.changes(), paths)] if paths else None
    outcome, _ = work.apply(names, on_conflict=how)
    _print(_told(outcome))
    left_open = [conflict for conflict in outcome.conflicts if conflict.path not in outcome.paths]
    for conflict in left_open:
        sys.stderr.write(f"pygent: {one_line(conflict.path, 200)} was left as it is: {clean(conflict.reason)}\n")
    return 1 if left_open else 0


def _told(outcome: Applied) -> list[str]:
    marked = {conflict.path for conflict in outcome.conflicts}
    out = []
    for path in outcome.paths:
        how = " (with conflict markers)" if path in marked else " (merged)" if path in outcome.merged else ""
        out.append(f"applied {one_line(path, 200)}{how}")
    return out or ([] if outcome.conflicts else ["Nothing to apply."])


def _undo(work: Work) -> int:
    given_up = work.place.record.review == "discarded"
    restored, left_alone = work.undo()
    _print([f"as before: {one_line(path, 200)}" for path in restored])
    if given_up:
        _print(["Its changes can be applied again."])
    for path in left_alone:
        sys.stderr.write(f"pygent: {one_line(path, 200)} was changed since, and is left as it is\n")
    return 1 if left_alone else 0


def _discard(work: Work) -> int:
    paths = work.discard()
    _print(
        [f"discarded {len(paths)} changed file{'' if len(paths) == 1 else 's'}; `pygent tasks undo` takes it back"]
    )
    return 0


def _rows(found: Sequence[Left]) -> list[str]:
    if not found:
        return ["No tasks."]
    return [
        f"{one.record.id[:8]}  {one.state:<9}  {_decided(one):<14}  {ago(one.moment):>10}"
        f"  {one_line(one.record.persona, 12):<12}  {one_line(one.record.prompt, 40):<40}"
        f"  {one_line(one.record.parent, 40)}"
        for one in found
    ]


def _decided(one: Left) -> str:
    if one.held:
        return "open elsewhere"
    return one.record.review or (f"{len(one.record.changes)} changed" if one.record.changes else "")


def _show(one: Left) -> None:
    record = one.record
    rows = {
        "task": record.id,
        "state": one.state + (f" ({record.status})" if record.status not in (one.state, "running") else ""),
        "persona": record.persona,
        "workspace": record.parent,
        "started": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.started_at)),
        "steps": str(record.steps) if record.steps else "",
        "session": record.session_id,
        "decided": record.review or "",
        "files": str(one.root / "workspace"),
    }
    _print(f"{name:<10} {one_line(value, 400)}" for name, value in rows.items() if value)
    _print(["", clean(record.prompt).strip(), ""])
    if record.result.strip():
        _print([clean(record.result).strip(), ""])
    if one.held or not Path(record.parent or os.devnull).is_dir():
        _list_changes((str(change.get("kind")), str(change.get("path"))) for change in record.changes)
    else:
        _with_work(record.id, lambda work: _list_changes((one.kind, one.path) for one in work.changes().files))


def _list_changes(changes: Iterable[tuple[str, str]]) -> int:
    _print(f"{_LETTERS.get(kind, '?')} {one_line(path, 200)}" for kind, path in changes)
    return 0


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line.rstrip() + "\n")
