"""What a person does with tasks: starts, stops and steers them, and decides on what they changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from pygent.errors import PygentError
from pygent.events import USER_CALL, Event, Level, TaskStarted
from pygent.settings import Settings, data_dir

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pygent.agent import Agent
    from pygent.changes import Applied, ChangeSet, OnConflict
    from pygent.session_log import SessionLog


class SessionTasks:
    """The part of a ``Session`` that is about tasks, each named by its id.

    Every method may block, so a screen calls it beside its own thread. Raises ``PygentError`` in words for people,
    also for an id that is not known.
    """

    settings: Settings
    agent: Agent | None
    interactive: bool
    _closed: bool
    _log: SessionLog
    _resume: str | None
    _ready: Callable[[], Agent]
    _notice: Callable[[str, Level], None]

    if TYPE_CHECKING:

        def _watching(
            self, call_id: str, tool: str, effect: str, ours: bool, arguments: Mapping[str, Any]
        ) -> AbstractContextManager[None]: ...

    def start_task(
        self,
        prompt: str,
        persona: str | None = None,
        files: Sequence[str] | None = None,
        workspace: str = "copy",
    ) -> str:
        """Start a task of the person's own; answers its id.

        It waits its turn where as many run already as may. Its workspace begins with a copy of the agent's, or with
        ``"files"`` only with ``files``.
        """
        if not prompt.strip():
            raise PygentError("a task needs to be told what to do: /delegate PERSONA: text")
        agent = self._ready()
        kind = cast("Any", workspace)  # what else it may be is said by the manager
        return agent.tasks.start_task(prompt, agent.runtime, files, persona=persona, workspace=kind, queue=True)

    def cancel_task(self, task_id: str) -> bool:
        """End one task. Answers False where it is over or unknown."""
        return self.agent is not None and self.agent.tasks.cancel(task_id)

    def send_to_task(self, task_id: str, text: str) -> None:
        """Say something to a running task; it reads it at its next step."""
        self._ready().tasks.send(task_id, text)

    def retry_task(self, task_id: str) -> str:
        """Start a task that is over again, from the workspace as it is now; answers the new one's id."""
        return self._ready().tasks.retry(task_id, queue=True)

    def task_changes(self, task_id: str) -> ChangeSet:
        """What the task changed and nobody has decided on yet."""
        return self._ready().tasks.diff(task_id)

    def task_contents(self, task_id: str, path: str) -> tuple[bytes | None, bytes | None]:
        """A file as the task found it and as it left it, None where there is none."""
        return self._ready().tasks.contents(task_id, path)

    def preview_task(
        self, task_id: str, paths: Sequence[str] | None = None, hunks: Mapping[str, Sequence[int]] | None = None
    ) -> Applied:
        """What ``apply_task`` would do; nothing is written."""
        return self._ready().tasks.preview(task_id, paths, hunks)

    def apply_task(
        self,
        task_id: str,
        paths: Sequence[str] | None = None,
        hunks: Mapping[str, Sequence[int]] | None = None,
        on_conflict: OnConflict = "leave",
    ) -> Applied:
        """Take changes over into the workspace: all, those of ``paths``, or chosen hunks of a path by their index."""
        from pygent.changes import OnConflict as Accepted  # noqa: PLC0415 - a first frame can do without

        if on_conflict not in get_args(Accepted):
            accepted = ", ".join(get_args(Accepted))
            raise PygentError(f"on_conflict={on_conflict!r} cannot be used; accepted: {accepted}")
        with self._watching(f"{USER_CALL}{task_id}", "apply_task", "delegate", True, {"task_id": task_id}):
            return self._ready().tasks.apply(task_id, paths, hunks, on_conflict)

    def undo_task(self, task_id: str) -> tuple[str, ...]:
        """Take back what was last applied of a task, or that it was given up.

        Answers the files that were changed since, which are left alone.
        """
        with self._watching(f"{USER_CALL}{task_id}", "undo_task", "delegate", True, {"task_id": task_id}):
            return self._ready().tasks.undo_apply(task_id)

    def discard_task(self, task_id: str) -> None:
        """Give up what was not taken over of a task; ``undo_task`` takes that back until the session ends."""
        self._ready().tasks.discard(task_id)

    def task_overlaps(self, task_id: str) -> Mapping[str, tuple[str, ...]]:
        """Which other tasks changed the same files and wait to be decided on: ids by path."""
        return self._ready().tasks.overlaps(task_id)

    # -- what outlives a process

    def _known_end(self, task_id: str) -> Mapping[str, Any]:
        from pygent.tasks.restore import known_end  # noqa: PLC0415 - only after a crash

        folder = data_dir() / "tasks"
        return {} if self.settings.ephemeral else known_end(folder, task_id)

    def _keep_tasks(self) -> None:
        """Keep tasks on disk from now on, and put right what a killed Pygent left half written in the workspace."""
        agent = self._ready()
        workspace = getattr(agent.runtime, "workspace", None)
        if self._log.store is None or workspace is None or getattr(agent.runtime, "temporary", False):
            return
        folder = agent.tasks.folder or data_dir() / "tasks"
        if Path(folder).resolve().is_relative_to(workspace.root):  # a copy would hold all copies
            return
        agent.tasks.folder = folder
        if folder.is_dir():
            from pygent.tasks.restore import mend  # noqa: PLC0415 - only where there is something

            for text in mend(folder, workspace):
                self._notice(text, "warning")

    def _restore_tasks(self, past: Sequence[Event]) -> None:
        """Take over what is left of earlier tasks, and tell of it."""
        agent = self._ready()
        folder = agent.tasks.folder
        if folder is None or not folder.is_dir() or not hasattr(agent.runtime, "workspace"):
            return
        from pygent.tasks import restore  # noqa: PLC0415 - only where there is something

        if self.interactive or self._resume is not None:
            known = {event.task_id for event in past if isinstance(event, TaskStarted)}
            found = restore.restore(
                agent.tasks, folder, agent.runtime, session_id=self._resume, known=known, heard=restore.heard_of(past)
            )
        else:
            found = restore.newly_lost(folder, agent.runtime.workspace)
        if self._closed:  # meanwhile; others should be able to take them over
            agent.tasks.close()
            return
        for level, text in restore.told(found, here=self.interactive):
            self._notice(text, level)
        threading.Thread(target=self._tidy_tasks, args=(folder,), name="pygent-tidy", daemon=True).start()

    def _close_tasks(self, agent: Agent) -> None:
        """End the tasks. Without a person, say what waits for one."""
        stay = agent.tasks.close()
        if stay and not self.interactive:
            names = ", ".join(f"{task.persona.name} ({task.id})" for task in stay)
            self._notice(f"What tasks changed waits to be decided on, with `pygent tasks`: {names}", "info")

    def _tidy_tasks(self, folder: Path) -> None:
        from pygent.tasks.left import tidy  # noqa: PLC0415 - only where there is something

        gone = tidy(folder)
        if gone and not self._closed:
            names = ", ".join(f"{record.persona} ({record.id})" for record in gone)
            self._notice(f"The work of old tasks was removed, to save room on the disk: {names}", "info")
