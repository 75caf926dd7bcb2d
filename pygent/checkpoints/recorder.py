"""Finds out what each call changes in the workspace, and keeps what it was.

Before and after a command, and any tool that may do anything, the workspace is looked at: one stat of each file.
Tools of Pygent's own say what they are about to change, so for them nothing is looked at. What changes while no call
is at work was changed by somebody else, and is recorded nowhere.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from pygent.blobs import Blobs
from pygent.changes.data import KEEP_LIMIT
from pygent.changes.tree import Tree, of_git
from pygent.checkpoints.keeping import Keeping
from pygent.checkpoints.listing import Listing, TooLargeError, Watch
from pygent.checkpoints.records import Change, State, named, same, shown
from pygent.errors import PygentError
from pygent.events import CheckpointMade, Event, Notice
from pygent.workspace import Workspace

log = logging.getLogger(__name__)

WAIT = 2.0
"""Seconds that a command waits at most for the contents of files to be kept; the rest goes on beside it."""

READY = 10.0
"""Seconds that the first command waits at most for the first look, and for what git knows."""

MOST_CHANGES = 20_000
"""Files that one checkpoint has at most."""

TITLE = 120


@dataclass(slots=True)
class _Call:
    """One call at work. ``before`` are the paths that it has told of, and what they were; None looks at all files."""

    call_id: str
    step: int
    title: str
    before: dict[str, State | None] | None
    changes: dict[str, Change] = field(default_factory=dict)
    unkept: dict[str, str] = field(default_factory=dict)


class Recorder:
    """Records what calls change in one workspace. ``folder`` is made, and removed by ``close``.

    ``emit`` takes the events. Calls may come from any thread.
    """

    def __init__(self, workspace: Workspace, blobs: Blobs, folder: Path, emit: Callable[[Event], object]) -> None:
        self._workspace = workspace
        self._emit = emit
        folder.mkdir(0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._watch = Watch(workspace.root)
        self._keeping = Keeping(workspace.root, folder, blobs)
        self._running: list[_Call] = []
        self._lock = threading.RLock()
        self._own = threading.local()
        self._off = ""
        self._preparing: threading.Thread | None = None
        self._ready = threading.Event()
        self._closed = threading.Event()

    def prepare(self) -> None:
        """Begin to look at the workspace and to keep what is in it, on a thread of its own. Only once."""
        with self._lock:
            if self._preparing is None and not self._closed.is_set():
                self._preparing = threading.Thread(target=self._prepare, name="pygent-checkpoints", daemon=True)
                self._preparing.start()

    def _prepare(self) -> None:
        with self._lock:
            found = self._look()
        if found is not None:
            self._keeping.from_git(found.files)
            self._keeping.want(list(found.files.items()))
        self._ready.set()
        while not self._closed.is_set() and self._keeping.wanting:
            self._keeping.copy(time.monotonic() + 0.05)
            time.sleep(0.02)  # it is never in a hurry

    def close(self) -> None:
        """Remove what was kept for this session alone."""
        self._closed.set()
        if self._preparing is not None:
            self._preparing.join(5.0)
        with self._lock:
            self._keeping.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def watching(self, call_id: str, title: str, *, step: int = 0, told: bool = False) -> Iterator[None]:
        """Record what is changed in the block as one checkpoint.

        With ``told`` only what ``note`` is told of on this thread; else whatever is different afterwards.
        """
        call = _Call(call_id, step, " ".join(title.split())[:TITLE], {} if told else None)
        with contextlib.suppress(OSError, PygentError):
            self._begin(call)
        if told:
            self._own.call = call
        try:
            yield
        finally:
            self._own.call = None
            try:
                event = self._end(call)
            except (OSError, PygentError):
                log.exception("what call %s changed could not be recorded", call_id)
                event = None
            if event is not None:
                self._emit(event)

    def note(self, path: str) -> None:
        """A file is about to be changed on this thread. Never raises."""
        call: _Call | None = getattr(self._own, "call", None)
        if call is None or call.before is None:
            return
        with contextlib.suppress(OSError, PygentError, ValueError), Tree(self._workspace.root) as tree:
            name = self._workspace.relative(path)
            with contextlib.suppress(PygentError, ValueError):  # without links, as far as it leads somewhere
                name = self._workspace.host_path(name).relative_to(self._workspace.root).as_posix()
            for above in [name[:place] for place, sign in enumerate(name) if sign == "/"]:
                if above not in call.before:  # it may be made for the file, and go with the last one in it
                    found = tree.stat(above)
                    if found is None:
                        call.before[above] = None
                    elif stat.S_ISDIR(found.st_mode):
                        call.before[above] = State("folder", stat.S_IMODE(found.st_mode) & 0o777)
            if name not in call.before and not of_git(name):
                call.before[name], _ = self._keeping.now(tree, name)

    # -- calls

    def _begin(self, call: _Call) -> None:
        if call.before is not None or self._off:
            return
        self.prepare()
        self._ready.wait(READY)
        with self._lock:
            known = self._watch.last
            found = self._look()
            if found is None:
                return
            self._attribute(known, found)
            self._keeping.want([(path, found.files[path]) for path in found.changed | found.recent])
            self._running.append(call)
        self._keeping.copy(time.monotonic() + WAIT)

    def _end(self, call: _Call) -> CheckpointMade | None:
        with self._lock:
            if call.before is not None:
                self._told(call, call.before)
            elif call in self._running:
                known = self._watch.last
                found = self._look()
                if found is not None:
                    self._attribute(known, found)
                self._running.remove(call)
        if not call.changes and not call.unkept:
            return None
        changes = [call.changes[path] for path in sorted(call.changes)]
        unkept = dict(call.unkept)
        for change in changes[MOST_CHANGES:]:
            unkept[change.path] = f"the call changed more than {MOST_CHANGES:,} files"
        changes = changes[:MOST_CHANGES]
        return CheckpointMade(
            checkpoint_id=uuid4().hex[:12],
            call_id=call.call_id,
            step=call.step,
            title=call.title,
            paths=[shown(change.path) for change in named(changes)],
            changes=[change.to_dict() for change in changes],
            unkept=[{"path": shown(path), "reason": reason} for path, reason in sorted(unkept.items())],
        )

    def _told(self, call: _Call, before: dict[str, State | None]) -> None:
        with Tree(self._workspace.root) as tree:
            for path, was in before.items():
                tree.forget()
                now, stamp = self._keeping.now(tree, path)
                if was is not None and was.kind == "folder" and same(was, now):
                    continue
                self._watch.note(path, now.mode if now is not None and now.kind == "folder" else None, stamp)
                if not same(was, now):
                    call.changes[path] = Change(path, was, now)
                    if was is not None and not was.kept:
                        call.unkept[path] = f"it is larger than {KEEP_LIMIT // 1024**2} MiB"

    def _look(self) -> Listing | None:
        if self._off:
            return None
        try:
            return self._watch.look()
        except (TooLargeError, OSError) as error:
            self._off = str(error)
            self._emit(
                Notice(
                    level="warning",
                    text=f"What commands change in this workspace cannot be undone: {self._off}. "
                    "What Pygent's own tools write can be.",
                )
            )
            return None

    def _attribute(self, known: Listing, found: Listing) -> None:
        """What is different belongs to the newest call that is at work; to somebody else where there is none."""
        if not self._running or not known.began:
            return
        call = self._running[-1]
        for change, why in self._differences(known, found):
            earlier = call.changes.get(change.path)
            before = change.before if earlier is None else earlier.before
            if same(before, change.after):
                call.changes.pop(change.path, None)
                call.unkept.pop(change.path, None)
                continue
            call.changes[change.path] = Change(change.path, before, change.after)
            if earlier is None and why:
                call.unkept[change.path] = why

    def _differences(self, known: Listing, found: Listing) -> Iterator[tuple[Change, str]]:
        gone = {path: stamp for path, stamp in known.files.items() if path not in found.files}
        paths = {path for path in found.changed if path in known.files}
        racy = {path for path in known.recent if found.files.get(path) == known.files.get(path)}
        new = {path for path in found.changed - paths if not found.is_first_seen(path)}
        before = {
            path: (state, why)
            for path, state, why in self._keeping.before(
                {**gone, **{path: known.files[path] for path in paths | racy}}
            )
        }
        with Tree(self._workspace.root) as tree:
            for path in sorted({*paths, *racy, *new}):
                state, why = before.get(path, (None, ""))
                if path in known.folders:
                    state = State("folder", known.folders[path])
                try:
                    now, stamp = self._keeping.now(tree, path)
                except OSError:
                    continue
                if stamp is not None:
                    found.files[path] = stamp
                if not same(state, now):
                    yield Change(path, state, now), why
        for path in sorted(gone):
            state, why = before[path]
            yield Change(path, state, self._folder_at(found, path)), why
        for path in sorted(known.folders.keys() - found.folders.keys()):
            if path not in found.files:
                yield Change(path, State("folder", known.folders[path]), None), ""
        for path in sorted(found.folders.keys() - known.folders.keys()):
            if path not in gone and not found.is_first_seen(path):
                yield Change(path, None, State("folder", found.folders[path])), ""

    @staticmethod
    def _folder_at(found: Listing, path: str) -> State | None:
        return State("folder", found.folders[path]) if path in found.folders else None


def private_folder(parent: Path) -> Path:
    """A folder for a recorder; those that killed processes left are removed. Raises ``OSError``."""
    parent.mkdir(0o700, parents=True, exist_ok=True)
    for place in parent.iterdir():
        pid = place.name.partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(place, ignore_errors=True)
    return parent / f"{os.getpid()}-{uuid4().hex[:8]}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
