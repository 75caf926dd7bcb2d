"""What can be undone and redone, as a session's events tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pygent.checkpoints.records import Change, changes_of, same
from pygent.events import (
    MAIN,
    USER_CALL,
    CheckpointMade,
    ConversationRestored,
    ConversationRewound,
    Event,
    FilesRestored,
    RunStarted,
    StepStarted,
)


@dataclass(slots=True)
class Stack:
    """``done`` are the checkpoints that can be undone, ``undone`` what can be redone; the newest are last.

    ``rewound`` are the rewinds of the conversation that can be taken back: those after which nothing was said.
    """

    done: list[CheckpointMade] = field(default_factory=list)
    undone: list[FilesRestored] = field(default_factory=list)
    rewound: list[ConversationRewound] = field(default_factory=list)
    _all: dict[str, CheckpointMade] = field(default_factory=dict)
    _steps: dict[str, int] = field(default_factory=dict)
    _step: int = 0

    @classmethod
    def of(cls, events: Iterable[Event]) -> Stack:
        """The stack after these events."""
        stack = cls()
        for event in events:
            stack.apply(event)
        return stack

    def apply(self, event: Event) -> None:
        """Take one event in. With a new checkpoint there is nothing to redo any more."""
        if event.agent_id != MAIN:
            return
        match event:
            case CheckpointMade():
                if event.call_id.startswith(USER_CALL):
                    self._step += 1  # each is a step of its own
                self._all[event.checkpoint_id] = event
                self._steps[event.checkpoint_id] = self._step
                self.done.append(event)
                self.undone.clear()
            case StepStarted():
                self._step += 1
            case RunStarted():
                self.rewound.clear()
            case FilesRestored(action="redo"):
                self.undone = [one for one in self.undone if one.restore_id != event.undoes]
                self.done.extend(self._all[one] for one in event.checkpoints if one in self._all)
            case FilesRestored():
                gone = set(event.checkpoints)
                self.done = [one for one in self.done if one.checkpoint_id not in gone]
                self.undone.append(event)
            case ConversationRewound():
                self.rewound.append(event)
            case ConversationRestored():
                self.rewound = [one for one in self.rewound if one.rewind_id != event.rewind_id]

    def last(self, steps: int) -> list[CheckpointMade]:
        """The checkpoints of the last steps that have any, in order."""
        found: list[CheckpointMade] = []
        seen: set[int] = set()
        for one in reversed(self.done):
            seen.add(self._steps[one.checkpoint_id])
            if len(seen) > steps:
                break
            found.append(one)
        return found[::-1]

    def after(self, seq: int) -> list[CheckpointMade]:
        """Those that can be undone and were made after an event."""
        return [one for one in self.done if one.seq > seq]

    def redoable(self) -> tuple[FilesRestored | None, str]:
        """What was taken back last: of files, and the id of a rewind; both where it was one."""
        files = self.undone[-1] if self.undone else None
        rewound = self.rewound[-1] if self.rewound else None
        if files is not None and rewound is not None and files.restore_id != rewound.rewind_id:
            return (files, "") if files.seq > rewound.seq else (None, rewound.rewind_id)
        return files, rewound.rewind_id if rewound is not None else ""

    def titles(self, checkpoints: Sequence[str]) -> tuple[str, ...]:
        """The commands and tools of checkpoints by their ids."""
        return tuple(self._all[one].title for one in checkpoints if one in self._all)


@dataclass(frozen=True, slots=True)
class Way:
    """The way back of one path: what should stand there, what is to, and where others came in between."""

    change: Change
    interrupted: bool = False


def ways_back(checkpoints: Sequence[CheckpointMade | FilesRestored]) -> dict[str, Way]:
    """How the changes of checkpoints in their order are taken back, all of them, path by path.

    Where others changed a file between two of them, it goes back to what they made of it and no further.
    """
    ways: dict[str, Way] = {}
    for event in reversed(checkpoints):
        for change in changes_of(event):
            way = ways.get(change.path)
            if way is None:
                ways[change.path] = Way(change.back)
            elif not way.interrupted:
                if same(way.change.after, change.after):
                    ways[change.path] = Way(way.change._replace(after=change.before))
                else:
                    ways[change.path] = Way(way.change, interrupted=True)
    return {path: way for path, way in ways.items() if not same(way.change.before, way.change.after)}
