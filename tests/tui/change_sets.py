"""Change sets out of files before and after, for tests of the screen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pygent.changes import ChangeSet, FileChange
from pygent.tui.hunk_lines import hunks_of
from tests.tui.fake_session import FakeSession


def changed(path: str, old: str | bytes | None, new: str | bytes | None, **fields: Any) -> FileChange:
    """What happened to a file; None is no file."""
    before, after = (text.encode() if isinstance(text, str) else text for text in (old, new))
    kind: Any = "added" if before is None else "deleted" if after is None else "changed"
    change = FileChange(
        path,
        kind,
        old_size=None if before is None else len(before),
        new_size=None if after is None else len(after),
        old_mode=None if before is None else 0o644,
        new_mode=None if after is None else 0o644,
        hunks=hunks_of(before or b"", after or b""),
    )
    return replace(change, **fields)


def offer(
    session: FakeSession, task_id: str, *files: tuple[FileChange, str | bytes | None, str | bytes | None]
) -> None:
    """Let a task have these changes, each with the file before and after."""
    session.changes[task_id] = ChangeSet(tuple(sorted((one for one, _, _ in files), key=lambda one: one.path)))
    for change, old, new in files:
        sides = tuple(text.encode() if isinstance(text, str) else text for text in (old, new))
        session.both[task_id, change.path] = sides  # type: ignore[assignment]


def whole(path: str, old: str | bytes | None, new: str | bytes | None, **fields: Any) -> Any:
    """A change with its contents, as `offer` takes it."""
    return changed(path, old, new, **fields), old, new
