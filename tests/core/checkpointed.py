"""A workspace whose changes are recorded, for tests: commands, hands, undo and redo."""

from __future__ import annotations

import subprocess
from pathlib import Path
from uuid import uuid4

from pygent.blobs import Blobs
from pygent.checkpoints.recorder import Recorder
from pygent.checkpoints.restoring import Plan, plan
from pygent.checkpoints.stack import Stack, ways_back
from pygent.checkpoints.unfinished import restore
from pygent.events import CheckpointMade, Event, FilesRestored, stamp
from pygent.workspace import Workspace

GIT = "git -c user.name=a -c user.email=a@b -c commit.gpgsign=false"


def shell(folder: Path, command: str) -> str:
    done = subprocess.run(["/bin/sh", "-c", command], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


class Checkpointed:
    """``root`` is the workspace; what a session would publish stands in ``events``."""

    def __init__(self, top: Path, *, git: bool = False) -> None:
        self.top, self.root = top, top / "work"
        self.root.mkdir(exist_ok=True)
        if git and not (self.root / ".git").exists():
            shell(self.root, f"{GIT} init -q && {GIT} add -A && {GIT} commit -q --allow-empty -m first")
        self.events: list[Event] = []
        self.blobs = Blobs(top / "blobs")
        self.target = Workspace(self.root)
        self.recorder = Recorder(self.target, self.blobs, top / f"recorder-{uuid4().hex}", self._emit)
        self.target.before_change = self.recorder.note

    def _emit(self, event: Event) -> None:
        self.events.append(stamp(event, seq=len(self.events) + 1, at=0.0, session_id="s"))

    @property
    def stack(self) -> Stack:
        return Stack.of(self.events)

    @property
    def last(self) -> CheckpointMade:
        return self.stack.done[-1]

    def run(self, command: str) -> None:
        """A command of the agent's."""
        with self.recorder.watching("call", command):
            shell(self.root, command)

    def write(self, path: str, text: str) -> None:
        """A file that one of Pygent's own tools writes."""
        with self.recorder.watching("call", f"write_file {path}", told=True):
            self.target.write_text(path, text)

    def plan(self, count: int = 1) -> Plan:
        return plan(self.target, self.blobs, ways_back(self.stack.done[-count:]))

    def undo(self, count: int = 1) -> FilesRestored:
        some = self.stack.done[-count:]
        order = FilesRestored(
            restore_id=uuid4().hex[:8], action="undo", checkpoints=[one.checkpoint_id for one in some]
        )
        return self._restore(plan(self.target, self.blobs, ways_back(some)), order)

    def redo(self) -> FilesRestored:
        last = self.stack.undone[-1]
        order = FilesRestored(
            restore_id=uuid4().hex[:8], action="redo", checkpoints=last.checkpoints, undoes=last.restore_id
        )
        return self._restore(plan(self.target, self.blobs, ways_back([last])), order)

    def _restore(self, made: Plan, order: FilesRestored) -> FilesRestored:
        event, end = restore(self.target, self.blobs, made, self.top / "undo", order, "s")
        self._emit(event)
        end()
        return event

    def close(self) -> None:
        self.recorder.close()
