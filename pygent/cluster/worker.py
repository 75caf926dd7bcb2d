"""What Dask calls on a worker: the task itself, and messages to it. The only module that a worker begins with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import socket
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from distributed import WorkerPlugin, get_worker

from pygent._version import __version__

if TYPE_CHECKING:
    from distributed import Worker

    from pygent.cluster.child import Child
    from pygent.cluster.messages import Outcome, Sealed

PLUGIN = "pygent-children"
ENDED = 16
"""Children that can still send events again after their end."""

GONE = "the session is gone, or cancelled the task"
_AT_WORK = {"executing", "long-running"}
_children: dict[str, tuple[str, Child]] = {}
_ended: OrderedDict[str, Child] = OrderedDict()
_lock = threading.Lock()
_watching = threading.Lock()


def run_task(version: str, order: Sealed, archive: Sealed) -> Outcome:
    """Do a task to its end, on the calling thread; ``order`` holds a pickled ``Order``.

    Raises ``TaskError`` where this worker has another version of Pygent than the session, or the session gives no
    leave to begin.
    """
    from pygent.cluster.child import Child  # noqa: PLC0415 - an agent is loaded where there is work for one
    from pygent.cluster.messages import message  # noqa: PLC0415
    from pygent.errors import TaskError  # noqa: PLC0415

    if version != __version__:
        raise TaskError(f"the worker on {socket.gethostname()} has Pygent {__version__}, the session has {version}")
    worker = get_worker()
    task = pickle.loads(order.data)  # noqa: S301 - from Dask, which unpickles whatever it is sent
    run = uuid4().hex[:8]

    def tell(kind: str, **fields: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the worker's loop has ended, and the worker with it
            worker.log_event(task.topic, message(task.task_id, run, kind, **fields))

    key = worker.get_current_task()
    child = Child(task, tell)
    with _lock:
        _children[run] = str(key), child
    try:
        _watch(worker)
        known = worker.state.tasks.get(key)
        if known is None or known.state not in _AT_WORK:  # cancelled before anybody watched
            child.cancel.cancel(GONE)
        tell("here", worker=worker.address, host=socket.gethostname(), pid=os.getpid())
        return child.work(archive.data)
    finally:
        with _lock:
            del _children[run]
            _ended[run] = child
            while len(_ended) > ENDED:
                _ended.popitem(last=False)


def deliver(run: str, told: Mapping[str, Any]) -> bool:
    """Hand a message to a child on this worker; False where it is not here any more."""
    with _lock:
        found = _children.get(run)
        child = found[1] if found is not None else _ended.get(run)
    if child is None:
        return False
    return child.take(told)


def pygent_version() -> str:
    """Called on each worker by whoever looks at the cluster."""
    return __version__


class Children(WorkerPlugin):
    """Ends children that nobody waits for: their task was cancelled, their session or the scheduler is gone."""

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Dask tells of every change of a task's state; a thread it cannot end."""
        if finish in {"cancelled", "released", "forgotten"}:
            _end(str(key), GONE)

    def teardown(self, worker: Worker) -> None:
        """The worker closes, as it does without its scheduler."""
        _end(None, "the worker was closed")


def _watch(worker: Worker) -> None:
    """See that this worker has the plugin, once: another one in its place would end the first, and all children."""
    with _watching:
        if PLUGIN not in worker.plugins:
            adding = worker.plugin_add(Children(), name=PLUGIN)
            loop = worker.loop.asyncio_loop  # type: ignore[attr-defined]
            asyncio.run_coroutine_threadsafe(adding, loop).result(10)


def _end(key: str | None, why: str) -> None:
    with _lock:
        found = [child for other, child in _children.values() if key in {None, other}]
    for child in found:
        child.cancel.cancel(why)
