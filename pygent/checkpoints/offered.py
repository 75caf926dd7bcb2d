"""What can be taken back, as a front end shows it before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pygent.checkpoints.records import Change, named, shown
from pygent.checkpoints.restoring import Plan, told
from pygent.events import CheckpointMade, FilesRestored
from pygent.undo_events import RestoreAction

ChangeKind = Literal["added", "changed", "deleted"]
_WORDS = {"file": "file", "link": "symbolic link", "folder": "folder"}


@dataclass(frozen=True, slots=True)
class Offered:
    """What would be done: an undo, a redo or a rewind.

    ``titles`` are the commands and tools whose changes it is about, ``paths`` the files that would be written or
    removed, with what becomes of each, ``notes`` what of it lines do not tell; ``left`` would be left alone, and why.
    ``prompt`` is what the person had said at the place that a rewind goes back to, ``messages`` how many messages it
    takes away, ``conversation`` whether any.
    """

    action: RestoreAction
    titles: tuple[str, ...] = ()
    paths: Mapping[str, ChangeKind] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    left: tuple[tuple[str, str], ...] = ()
    conversation: bool = False
    messages: int = 0
    prompt: str = ""
    to_seq: int = 0
    plan: Plan = field(default_factory=Plan)
    checkpoints: tuple[str, ...] = ()
    undoes: FilesRestored | None = None
    rewind_id: str = ""


@dataclass(frozen=True, slots=True)
class RestoreOutcome:
    """What was done: ``paths`` were written or removed, ``left`` was left alone, and why."""

    action: RestoreAction
    paths: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    conversation: bool = False
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the conversation to go back to: before a message of the person's, or after a step of the agent's.

    ``to_seq`` is the last event that counts then, ``text`` what was said or done there. ``files`` are how many files
    were changed after it and can be brought back. ``at`` is in Unix seconds.
    """

    to_seq: int
    said: bool
    text: str
    at: float
    files: int = 0


def offered(action: RestoreAction, plan: Plan, **about: Any) -> Offered:
    """What a plan would do, with the other fields of ``Offered``."""
    return Offered(action, paths=kinds(plan), notes=notes(plan), left=left_of(plan), plan=plan, **about)


def titles_of(checkpoints: tuple[CheckpointMade, ...] | list[CheckpointMade]) -> tuple[str, ...]:
    """The commands and tools, the newest first."""
    return tuple(one.title or one.call_id for one in reversed(checkpoints))


def kinds(plan: Plan) -> dict[str, ChangeKind]:
    """What becomes of the files of a plan."""
    return {shown(change.path): _kind(change) for change in named(plan.changes.values())}


def _kind(change: Change) -> ChangeKind:
    return "added" if change.before is None else "deleted" if change.after is None else "changed"


def notes(plan: Plan) -> dict[str, str]:
    """What becomes of kinds and permission bits."""
    return {shown(change.path): text for change in named(plan.changes.values()) if (text := _note(change))}


def _note(change: Change) -> str:
    before, after = change.before, change.after
    if before is None or after is None:
        one = before or after
        return f"a {_WORDS[one.kind]}" if one is not None and one.kind != "file" else ""
    if before.kind != after.kind:
        return f"from a {_WORDS[before.kind]} to a {_WORDS[after.kind]}"
    return f"permissions {before.mode:o} to {after.mode:o}" if before.mode != after.mode else ""


def left_of(plan: Plan) -> tuple[tuple[str, str], ...]:
    """What would be left alone, and why."""
    return tuple((shown(path), reason) for path, reason in told(plan))
