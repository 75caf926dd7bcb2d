"""What a person takes back: changes of files, step by step, and what was said."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.errors import PygentError
from pygent.events import (
    MAIN,
    USER_CALL,
    ConversationRestored,
    ConversationRewound,
    Event,
    FilesRestored,
    Level,
    StepStarted,
    TodosUpdated,
)
from pygent.session_files import SessionFiles
from pygent.settings import data_dir

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pygent.agent import Agent
    from pygent.blobs import Blobs
    from pygent.checkpoints.offered import Offered, Point, RestoreOutcome
    from pygent.checkpoints.recorder import Recorder
    from pygent.checkpoints.stack import Stack
    from pygent.session_log import SessionLog


class SessionUndo(SessionFiles):
    """The part of a ``Session`` that takes things back. Every method may block.

    ``offer_…`` looks at what would be done and changes nothing; ``restore`` does what was offered. All raise
    ``PygentError`` where there is nothing to be done, or the agent is at work.
    """

    agent: Agent | None
    bus: EventBus
    _log: SessionLog
    _own_calls: list[CancelToken]
    _notice: Callable[[str, Level], None]
    _changes: Recorder | None = None
    _stack: Stack | None = None
    _contents: Blobs | None = None
    _step = 0

    if TYPE_CHECKING:

        @property
        def id(self) -> str: ...
        @property
        def running(self) -> bool: ...
        def events(self) -> list[Event]: ...

    def offer_undo(self, steps: int = 1) -> Offered:
        """Taking back what the last steps changed that are not taken back yet."""
        from pygent.checkpoints.offered import offered, titles_of  # noqa: PLC0415 - a frame can do without

        stack = self._stack_now()
        some = stack.last(steps)
        if not some:
            raise PygentError("There is nothing to undo: no file was changed by a call since this session began.")
        ids = tuple(one.checkpoint_id for one in some)
        return offered("undo", self._plan(some), titles=titles_of(some), checkpoints=ids)

    def offer_redo(self) -> Offered:
        """Doing again what the last undo or rewind took back."""
        from pygent.checkpoints.offered import offered  # noqa: PLC0415

        stack = self._stack_now()
        files, rewind_id = stack.redoable()
        if files is None and not rewind_id:
            raise PygentError("There is nothing to redo.")
        return offered(
            "redo",
            self._plan([files] if files is not None else []),
            titles=stack.titles(files.checkpoints if files is not None else ()),
            conversation=bool(rewind_id),
            checkpoints=tuple(files.checkpoints) if files is not None else (),
            undoes=files,
            rewind_id=rewind_id,
        )

    def points(self) -> list[Point]:
        """The places in the conversation that it can be rewound to, in order."""
        from pygent.checkpoints.points import points  # noqa: PLC0415

        return points(self.events(), self._stack_now())

    def offer_rewind(self, to_seq: int, *, files: bool = True, conversation: bool = True) -> Offered:
        """Going back to where the event ``to_seq`` was the last: for the files, the conversation, or both."""
        from pygent.checkpoints.offered import offered, titles_of  # noqa: PLC0415
        from pygent.checkpoints.points import taken_away  # noqa: PLC0415

        some = self._stack_now().after(to_seq) if files else []
        messages, prompt = taken_away(self.events(), to_seq) if conversation else (0, "")
        if not some and not messages:
            raise PygentError("Nothing was said or changed after that.")
        return offered(
            "rewind",
            self._plan(some),
            titles=titles_of(some),
            conversation=bool(messages),
            messages=messages,
            prompt=prompt,
            to_seq=to_seq,
            checkpoints=tuple(one.checkpoint_id for one in some),
        )

    def offered_contents(self, offered: Offered, path: str) -> tuple[bytes | None, bytes | None]:
        """A file as it is and as it would be; None where there is none. For a link it is where it leads."""
        from pygent.checkpoints.records import shown  # noqa: PLC0415
        from pygent.checkpoints.restoring import contents  # noqa: PLC0415

        change = next((one for name, one in offered.plan.changes.items() if shown(name) == path), None)
        if change is None or self._contents is None:
            return None, None
        return contents(self._ready().runtime.workspace, self._contents, change)

    def restore(self, offered: Offered) -> RestoreOutcome:
        """Do what was offered. Files that were changed since are left alone and named."""
        from pygent.checkpoints.offered import RestoreOutcome  # noqa: PLC0415

        self._at_rest()
        restore_id = uuid4().hex[:12]
        event, end = None, None
        if offered.checkpoints or offered.undoes is not None:
            event, end = self._restore_files(offered, restore_id)
        if offered.conversation:  # it is told first, so that what is told of the files stays in sight
            if offered.action == "redo":
                self.bus.publish(ConversationRestored(rewind_id=offered.rewind_id))
            else:
                self.bus.publish(ConversationRewound(rewind_id=restore_id, to_seq=offered.to_seq))
        if event is not None and end is not None:
            self.bus.publish(event)
            end()
        if offered.conversation:
            self._follow_log()
        left = tuple((one["path"], one["reason"]) for one in event.left) if event is not None else ()
        paths = tuple(event.paths) if event is not None else ()
        return RestoreOutcome(offered.action, paths, left, offered.conversation, offered.prompt)

    def _restore_files(self, offered: Offered, restore_id: str) -> tuple[FilesRestored, Callable[[], None]]:
        from pygent.checkpoints.unfinished import restore  # noqa: PLC0415

        undoes = offered.undoes.restore_id if offered.undoes is not None else ""
        order = FilesRestored(
            restore_id=restore_id, action=offered.action, checkpoints=list(offered.checkpoints), undoes=undoes
        )
        assert self._contents is not None
        workspace = self._ready().runtime.workspace
        return restore(workspace, self._contents, offered.plan, self._undo_folder(), order, self.id)

    def _follow_log(self) -> None:
        """Let the agent know what counts, and nothing else."""
        from pygent.plans import last_plan  # noqa: PLC0415
        from pygent.standing import standing  # noqa: PLC0415
        from pygent.todos import last_todos  # noqa: PLC0415

        agent, events = self._ready(), self.events()
        agent.remember(events)
        counting = standing(events)
        todos = last_todos(counting)
        if todos != agent.todos.items:
            self.bus.publish(TodosUpdated(todos=todos))
        agent.todos.items, agent.plan = todos, last_plan(counting)

    def _plan(self, some: Sequence[Any]) -> Any:
        from pygent.checkpoints.restoring import Plan, plan  # noqa: PLC0415
        from pygent.checkpoints.stack import ways_back  # noqa: PLC0415

        workspace = getattr(self._ready().runtime, "workspace", None)
        if not some or workspace is None or self._contents is None:
            return Plan()
        return plan(workspace, self._contents, ways_back(some))

    def _stack_now(self) -> Stack:
        self._at_rest()
        if self._stack is None:
            raise PygentError("Nothing is recorded here that could be taken back.")
        return self._stack

    def _at_rest(self) -> None:
        agent = self._ready()
        if self.running or agent.running:
            raise PygentError("The agent is at work; interrupt it first.")
        if self._own_calls:
            raise PygentError("A command of yours is at work; wait for its end, or interrupt it.")

    # -- recording

    def _record_changes(self, past: Sequence[Event]) -> None:
        """From now on record what calls change, and put right what a killed Pygent left half restored."""
        from pygent.blobs import Blobs  # noqa: PLC0415 - loaded once a session is opened
        from pygent.checkpoints.recorder import Recorder, private_folder  # noqa: PLC0415
        from pygent.checkpoints.stack import Stack  # noqa: PLC0415
        from pygent.checkpoints.unfinished import mend  # noqa: PLC0415
        from pygent.scratch import scratch_folder  # noqa: PLC0415

        workspace = getattr(self._ready().runtime, "workspace", None)
        if workspace is None:
            return
        store = self._log.store
        folder = private_folder(self._undo_folder() / "now") if store is not None else scratch_folder("undo-")
        self._contents = store.blobs if store is not None else Blobs(folder / "blobs")
        self._stack = Stack.of(past)
        self._changes = Recorder(workspace, self._contents, folder, self.bus.publish)
        self.bus.subscribe(self._take)
        known = {event.restore_id for event in past if isinstance(event, FilesRestored)}
        for text, event in mend(self._undo_folder(), workspace, self.id, known):
            if event is not None:
                self.bus.publish(event)
            self._notice(text, "warning")

    def _undo_folder(self) -> Path:
        store = self._log.store
        return (store.file.parent if store is not None else data_dir()) / "undo"

    def _before_change(self, path: str) -> None:
        super()._before_change(path)
        if self._changes is not None:
            self._changes.note(path)

    def _take(self, event: Event) -> None:
        if isinstance(event, StepStarted) and event.agent_id == MAIN:
            self._step = event.step
        if self._stack is not None:
            self._stack.apply(event)

    def _forget_changes(self) -> None:
        """Another conversation begins, in which nothing can be taken back yet."""
        from pygent.checkpoints.stack import Stack  # noqa: PLC0415

        self._stack = Stack() if self._stack is not None else None

    def _end_recording(self) -> None:
        if self._changes is not None:
            self._changes.close()

    def _watching(
        self, call_id: str, tool: str, effect: str, ours: bool, arguments: Mapping[str, Any]
    ) -> AbstractContextManager[None]:
        """Record what a call changes in the agent's workspace. ``ours`` tells what it is about to change."""
        if self._changes is None or effect in {"read", "control"} or (ours and effect == "outside"):
            return contextlib.nullcontext()
        about = arguments.get("cmd") if tool == "bash" else " ".join([tool, *_names(arguments)])
        step = 0 if call_id.startswith(USER_CALL) else self._step
        return self._changes.watching(call_id, str(about), step=step, told=ours and effect in {"write", "delegate"})


def _names(arguments: Mapping[str, Any]) -> list[str]:
    """What of a call's arguments says what it is about."""
    return [str(arguments[name]) for name in ("path", "task_id") if isinstance(arguments.get(name), str)]
