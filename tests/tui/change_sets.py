"""Change sets out of files before and after, for tests of the screen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pygent.changes import ChangeSet, FileChange, Hunk
from pygent.tui.diff_lines import opcodes
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
        hunks=hunks(before or b"", after or b""),
    )
    return replace(change, **fields)


def hunks(old: bytes, new: bytes) -> tuple[Hunk, ...]:
    """The hunks between two texts."""
    a, b = (text.decode("latin-1").splitlines(keepends=True) for text in (old, new))
    before, after = ([line.encode("latin-1") for line in lines] for lines in (a, b))
    return tuple(
        Hunk(i, tuple(before[i:j]), k, tuple(after[k:m])) for tag, i, j, k, m in opcodes(a, b) if tag != "equal"
    )


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
