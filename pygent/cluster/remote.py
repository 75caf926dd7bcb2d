"""One task on the cluster, as its session sees it: sent, listened to, and its changes written back."""

from __future__ import annotations

import contextlib
import logging
import pickle
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pygent._version import __version__
from pygent.approvals import Answer, PendingCall
from pygent.cluster.archive import pack_all, remove, unpack
from pygent.cluster.arrivals import Arrivals
from pygent.cluster.link import Link
from pygent.cluster.messages import Order, Outcome
from pygent.cluster.parts import At, Outbox, judge, let_go, outcome_of, scheduler_lost
from pygent.cluster.stream import Incoming
from pygent.errors import PygentError, TaskLost
from pygent.events import Level, Notice
from pygent.loop import RunResult

if TYPE_CHECKING:
    from distributed import Future

    from pygent.tasks.executors import TaskWork

log = logging.getLogger(__name__)

LATE_SECONDS = 60.0
"""How long after its time limit a child may still say how it ended."""

WAIT_SECONDS = 3.0
"""How long a task waits for a worker until that is told."""

TICK = 0.5
"""Seconds after which limits are looked at where nothing else happens."""

MISSING_SECONDS = 3.0
"""How long events are waited for that others have overtaken."""


class Remote:
    """One task. ``run`` is called once, on the task's own thread; everything else comes to it through a queue."""

    def __init__(self, work: TaskWork, link: Link, order: Order, *, reruns: int, patience: float) -> None:
        self._work = work
        self._link = link
        self._order = order
        self._reruns = reruns
        self._patience = patience
        self._inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._outbox = Outbox(link)
        self._at: At | None = None
        self._said: list[str] = []
        self._too_late: list[str] = []
        self._events = Arrivals(work, lambda: self._tell("spent"))
        self._incoming = Incoming(self._events.take)
        self._give_up_at: float | None = None
        self._gap_since: float | None = None
        self._waits_since: float | None = None

    def run(self) -> RunResult:
        """Do the task on a worker.

        Raises ``TaskLost`` where that is gone, ``TaskError`` and ``WorkspaceError`` where it could not be sent.
        """
        work, account = self._work, self._work.account
        assert work.workspace is not None
        packed = pack_all(work.workspace)
        work.cancel.check()
        for text in packed.left_out:
            self._notice(f"Not sent: {text}.")
        self._link.listen(
            work.id,
            lambda run, kind, fields: self._inbox.put(("said", run, kind, fields)),
            lambda worker: self._inbox.put(("gone", worker)),
        )
        future: Future[Any] | None = None
        unread: list[str] = []
        try:
            key = f"pygent-task-{work.id}-{uuid4().hex[:8]}"
            future = self._link.submit(key, pickle.dumps(self._order), packed.data, __version__)
            future.add_done_callback(lambda _future: self._inbox.put(("done",)))
            with (
                work.cancel.on_cancel(lambda: self._inbox.put(("cancel",))),
                work.messages(lambda text: self._inbox.put(("say", text))),
                account.working() if account is not None else contextlib.nullcontext(),
            ):
                outcome = self._follow(future)
            unread = list(outcome.unread)
            return self._finish(outcome)
        finally:
            self._link.forget(work.id)
            late = self._outbox.close(self._at.run if self._at is not None else "")
            for text in (*unread, *late, *self._unheard()):
                work.task.inbox.put(text)
            self._events.end("the worker is gone")
            work.task.agent.history.replay(self._events.taken, work.id)
            if future is not None:
                let_go(future)

    def _follow(self, future: Future[Any]) -> Outcome:
        """Do what comes in until the child has ended."""
        self._waits_since = time.monotonic()
        while not future.done():
            with contextlib.suppress(queue.Empty):
                self._take(self._inbox.get(timeout=TICK))
            self._say_whether_it_waits()
            self._look_for_gaps()
            if not future.done():
                self._check_limits()
        while not self._inbox.empty():  # what came before the end
            self._take(self._inbox.get())
        return outcome_of(future, self._link, self._work.cancel)

    def _take(self, item: tuple[Any, ...]) -> None:
        match item:
            case ("said", run, kind, fields):
                self._hear(run, kind, fields)
            case ("say", text):
                self._said.append(text)
                self._tell("say", text=text)
            case ("gone", worker):
                if self._at is not None and self._at.worker == worker:
                    self._worker_gone()
            case ("cancel",):
                self._give_up_at = time.monotonic() + self._patience
                if self._at is None:
                    self._work.cancel.check()
                self._tell("cancel", reason=str(self._work.cancel.error or "the task was stopped"))

    def _hear(self, run: str, kind: str, fields: Mapping[str, Any]) -> None:
        at = self._at
        if kind == "here":
            if at is not None and at.run != run:
                self._worker_gone()
            over = self._work.cancel.child()
            self._begin(At(str(fields["worker"]), run, str(fields["host"]), over=over))
        elif at is None or at.run != run:  # of a run that is given up
            return
        elif kind == "ready":
            at.roots, at.confined = tuple(fields["roots"]), bool(fields["confined"])
            with_what = f"commands run in: {fields['sandbox']}, model: {fields['model']}"
            self._notice(f"Task {self._work.id} runs on {at.host} ({at.worker}); {with_what}", "info")
            if fields["network"]:
                self._notice(f"On {at.host}: {fields['network']}")
            if fields["missing"]:
                self._notice(f"The worker has no tool {', '.join(fields['missing'])}.")
        elif kind == "events":
            self._incoming.add(int(fields["first"]), list(fields["events"]))
        elif kind == "ask":
            threading.Thread(target=self._decide, args=(at, dict(fields)), daemon=True).start()

    def _begin(self, at: At) -> None:
        self._at = at
        self._events = Arrivals(self._work, lambda: self._tell("spent"))
        self._incoming = Incoming(self._events.take)
        self._gap_since = None
        limit = self._order.limits.max_time
        if limit is not None and self._give_up_at is None:
            self._give_up_at = time.monotonic() + limit + LATE_SECONDS
        self._tell("go")
        for text in self._said:
            self._tell("say", text=text)
        if self._work.cancel.cancelled:
            self._tell("cancel", reason=str(self._work.cancel.error))

    def _worker_gone(self) -> None:
        """Let the task run again where it may; Dask has sent it to another worker already."""
        at, self._at = self._at, None
        assert at is not None
        at.over.cancel("the worker is gone")
        why = f"the worker {at.worker} on {at.host} is gone"
        self._events.end(why)
        self._work.cancel.check()
        if self._reruns <= 0:
            raise TaskLost(f"{why}; what it had told stands here, what it had changed is lost with it")
        self._reruns -= 1
        self._notice(f"{why[0].upper()}{why[1:]}; the task begins again on another one.")

    def _decide(self, at: At, asked: Mapping[str, Any]) -> None:
        """Ask policy and person here, on a thread of its own, and send the answer."""
        call = PendingCall(str(asked["call_id"]), str(asked["tool"]), dict(asked["arguments"]))
        try:
            answer = judge(self._work, at, call, asked)
        except Exception as error:  # whatever fails here, the child must not wait for ever
            log.exception("an approval of task %s failed", self._work.id)
            answer = Answer("deny", by="nobody", reason=str(error))
        if not at.over.cancelled:
            self._outbox.put(at.worker, at.run, {"do": "answer", "id": asked["id"], **asdict(answer)})

    def _look_for_gaps(self) -> None:
        """Ask again for events that others have overtaken, and go on without them where they do not come."""
        gap = self._incoming.gap
        if gap is None:
            self._gap_since = None
        elif self._gap_since is None:
            self._gap_since = time.monotonic()
            self._tell("again", first=gap[0], last=gap[1])
        elif time.monotonic() - self._gap_since > MISSING_SECONDS:
            self._gap_since = None
            self._missing(self._incoming.skip())

    def _missing(self, count: int) -> None:
        if count:
            self._notice(f"{count} events of this task were lost on the way from its worker.")

    def _check_limits(self) -> None:
        if self._link.lost:
            raise TaskLost(scheduler_lost(self._link))
        if self._give_up_at is None or time.monotonic() < self._give_up_at:
            return
        self._work.cancel.check()
        where = self._at.worker if self._at is not None else "its worker"
        raise TaskLost(f"{where} did not say how the task ended, long after its time limit")

    def _finish(self, outcome: Outcome) -> RunResult:
        """Take in what is still on its way, and write the changes back."""
        until = time.monotonic() + MISSING_SECONDS
        if self._incoming.next <= outcome.events:
            self._tell("again", first=self._incoming.next, last=outcome.events)
        while self._incoming.next <= outcome.events and time.monotonic() < until:
            try:
                item = self._inbox.get(timeout=0.1)
            except queue.Empty:
                continue
            if item[0] == "said":
                self._hear(*item[1:])
            elif item[0] == "say":
                self._too_late.append(item[1])
        while missed := self._incoming.skip():
            self._missing(missed)
        self._missing(outcome.events + 1 - self._incoming.next)
        workspace = self._work.workspace
        assert workspace is not None
        remove(workspace, outcome.deleted)
        if outcome.archive:
            unpack(outcome.archive, workspace, repositories=False)
        for note in outcome.notes:
            self._notice(f"Not fetched: {note}")
        if outcome.result is None:
            where = self._at.host if self._at is not None else "the worker"
            raise PygentError(f"on {where}: {outcome.error or 'it ended without a result'}")
        return outcome.result

    def _say_whether_it_waits(self) -> None:
        """Tell the person, once, where no worker has begun with the task for some time."""
        if self._at is not None or self._waits_since is None:
            return
        if time.monotonic() - self._waits_since < WAIT_SECONDS:
            return
        self._waits_since = None
        try:
            count = len(self._link.workers())
        except (PygentError, OSError):
            return
        have = "none" if not count else "one, which is busy" if count == 1 else f"{count}, all busy"
        self._notice(f"Waits for a worker; the cluster has {have}.", "info")

    def _unheard(self) -> list[str]:
        """What was said since nobody listens any longer."""
        texts = self._too_late
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._inbox.get_nowait()
                if item[0] == "say":
                    texts.append(item[1])
        return texts

    def _tell(self, do: str, **fields: Any) -> None:
        if self._at is not None:
            self._outbox.put(self._at.worker, self._at.run, {"do": do, **fields})

    def _notice(self, text: str, level: Level = "warning") -> None:
        self._work.publish(Notice(agent_id=self._work.id, level=level, text=text))
