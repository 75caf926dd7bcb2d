"""What was taken back, in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pygent.events import CheckpointMade, FilesRestored

NAMED = 8
"""Files that are named; of more it is said how many there are."""

_VERBS: Mapping[str, str] = {"undo": "Undone", "redo": "Done again", "rewind": "Rewound"}


def said_restored(event: FilesRestored) -> str:
    """What became of the files, and what was left alone and why."""
    verb = _VERBS.get(event.action, event.action)
    text = f"{verb}: {names(event.paths)}." if event.paths else f"{verb}: no file had to be changed."
    return "\n".join([text, *left_alone([(one["path"], one["reason"]) for one in event.left])])


def said_unkept(event: CheckpointMade) -> str:
    """What of a call cannot be undone, and why; "" where all of it can be."""
    if not event.unkept:
        return ""
    lines = [f"{one['path']}: {one['reason']}" for one in event.unkept[:NAMED]]
    if (more := len(event.unkept) - NAMED) > 0:
        lines.append(f"and {more:,} more")
    return "\n".join([f"Of what `{event.title}` changed, this cannot be undone:", *lines])


def left_alone(left: Sequence[tuple[str, str]]) -> list[str]:
    """A line for each file that is left alone, as far as they are named."""
    lines = [f"Left alone: {path}: {reason}." for path, reason in left[:NAMED]]
    if (more := len(left) - NAMED) > 0:
        lines.append(f"Left alone: {more:,} more.")
    return lines


def names(paths: Sequence[str]) -> str:
    """How many files, and which."""
    some = ", ".join(paths[:NAMED]) + (f" and {len(paths) - NAMED:,} more" if len(paths) > NAMED else "")
    return f"{len(paths):,} file{'' if len(paths) == 1 else 's'} ({some})"
