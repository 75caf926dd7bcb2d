"""The events of what can be undone: checkpoints of files, what was restored, rewinds of the conversation."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from pygent.event_base import Event, Json
from pygent.records import record

RestoreAction = Literal["undo", "redo", "rewind"]


@record(kw_only=True)
class CheckpointMade(Event):
    """A call changed files of the workspace, and what they were is kept, so that it can be undone.

    ``call_id`` is the call's, ``step`` its step within the run (0 outside of one), ``title`` the command or the tool
    in a line. ``changes`` say what each of ``paths`` was and is, as docs/events.md tells; ``unkept`` is what was
    changed and cannot be brought back: ``{"path": …, "reason": …}``.
    """

    type: ClassVar[str] = "checkpoint.made"
    checkpoint_id: str
    call_id: str
    step: int = 0
    title: str = ""
    paths: list[str] = field(default_factory=list)
    changes: list[Json] = field(default_factory=list)
    unkept: list[Json] = field(default_factory=list)


@record(kw_only=True)
class FilesRestored(Event):
    """Files were brought back to what they were before the checkpoints of these ids, or after them (``redo``).

    ``paths`` were written or removed, and ``changes`` tell what each was and is; ``left`` was left alone:
    ``{"path": …, "reason": …}``. ``undoes`` is the ``restore_id`` that a ``redo`` takes back, "" for others.
    """

    type: ClassVar[str] = "files.restored"
    restore_id: str
    action: RestoreAction
    checkpoints: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    left: list[Json] = field(default_factory=list)
    changes: list[Json] = field(default_factory=list)
    undoes: str = ""


@record(kw_only=True)
class ConversationRewound(Event):
    """The conversation goes on after the event ``to_seq``; what the agent's events told after it counts no longer.

    See ``pygent.standing``.
    """

    type: ClassVar[str] = "conversation.rewound"
    rewind_id: str
    to_seq: int


@record(kw_only=True)
class ConversationRestored(Event):
    """A rewind was taken back: what it took away counts again."""

    type: ClassVar[str] = "conversation.restored"
    rewind_id: str
