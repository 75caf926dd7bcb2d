"""What a task on the cluster consists of in its session: where it runs, what is told to it, what it may do."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pygent.approvals import EFFECTS, Answer, Approvals, Effect, PendingCall, Rights
from pygent.cancellation import CancelToken
from pygent.cluster.link import Link
from pygent.cluster.messages import Outcome
from pygent.errors import TaskError, TaskLost

if TYPE_CHECKING:
    from distributed import Future

    from pygent.tasks.executors import TaskWork

log = logging.getLogger(__name__)

FETCH_SECONDS = 60.0
"""How long how a task ended, and what it changed, may take from its worker."""

CLOSE_SECONDS = 2.0
"""How long the end of a task waits for messages on their way."""


@dataclass(slots=True)
class At:
    """Where a task runs: a worker, and which of the times that it was begun. ``over`` ends when that is gone."""

    worker: str
    run: str
    host: str
    roots: tuple[str, ...] = ()
    confined: bool = False
    over: CancelToken = field(default_factory=CancelToken)


class Outbox:
    """Sends messages to children, in order, on a thread of its own: a worker that hangs holds up nothing else."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: queue.SimpleQueue[tuple[str, str, Mapping[str, Any]] | None] = queue.SimpleQueue()
        self._too_late: list[tuple[str, str]] = []
        self._thread = threading.Thread(target=self._work, name="pygent-cluster-outbox", daemon=True)
        self._thread.start()

    def put(self, worker: str, run: str, told: Mapping[str, Any]) -> None:
        """Send a message; does not block."""
        self._waiting.put((worker, run, told))

    def close(self, run: str) -> list[str]:
        """Send no more than what waits already; answers what was said to that child when it had ended."""
        self._waiting.put(None)
        self._thread.join(CLOSE_SECONDS)
        return [text for other, text in list(self._too_late) if other == run]

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            taken = False
            try:
                taken = self._link.deliver(*item)
            except Exception as error:  # the worker is gone: what becomes of the task is told by Dask
                log.info("a message did not reach %s: %s", item[0], error)
            if not taken and item[2]["do"] == "say":
                self._too_late.append((item[1], str(item[2]["text"])))


@dataclass(frozen=True, slots=True)
class _Tool:
    """A tool of the worker's, as a policy wants to know it."""

    name: str
    effect: Effect


def judge(work: TaskWork, at: At, call: PendingCall, asked: Mapping[str, Any]) -> Answer:
    """What policy and person here say about a call of a child; blocks while a person is asked.

    Where commands are held by a sandbox here but not on the worker, at most the mode ``ask`` holds there.
    """
    approvals: Approvals | None = work.task.agent.wiring.approvals
    if approvals is None:
        return Answer("allow_once")
    there = approvals.within(at.roots)
    there.on_wait = approvals.on_wait
    if approvals.policy.confined and not at.confined:
        there.rights = there.rights.narrowed(Rights("ask"))
    if asked.get("question"):
        return there.ask(call, agent_id=work.id, cancel=at.over) or Answer("deny", by="nobody")
    effect = asked.get("effect")
    if effect not in EFFECTS:
        return Answer("deny", reason=f"the worker asks for {effect!r}, which is nothing that a tool does")
    return there.decide(_Tool(call.tool, effect), call, agent_id=work.id, cancel=at.over)


def outcome_of(future: Future[Any], link: Link, cancel: CancelToken) -> Outcome:
    """How a child ended, from Dask's task, which is done.

    Raises ``TaskLost`` where nobody knows, ``TaskError`` where it could not be begun, and what ``cancel`` raises.
    """
    if future.status == "finished":
        try:
            outcome = future.result(timeout=FETCH_SECONDS)
        except Exception as error:  # its worker died before anybody fetched it, or Dask could not
            raise TaskLost(f"how the task ended could not be fetched from its worker: {error}") from error
        if isinstance(outcome, Outcome):
            return outcome
    cancel.check()
    if future.status in {"cancelled", "lost"}:
        raise TaskLost(scheduler_lost(link))
    failure = future.exception(timeout=FETCH_SECONDS)
    if type(failure).__name__ == "KilledWorker":
        raise TaskLost(f"each worker that it was sent to is gone: {failure}")
    if isinstance(failure, ModuleNotFoundError) and (failure.name or "").startswith("pygent"):
        raise TaskError("a worker of the cluster has no Pygent: pip install 'pygent[cluster]' there")
    raise TaskError(f"the cluster could not run it: {type(failure).__name__}: {failure}") from failure


def scheduler_lost(link: Link) -> str:
    """What is said where the scheduler has gone."""
    return f"the connection to the scheduler at {link.address} was lost"


def let_go(future: Future[Any]) -> None:
    """Forget a task of Dask's. One that has not ended is cancelled, which nobody waits for."""
    if future.done():
        future.release()
        return

    def cancel() -> None:
        try:
            future.cancel()
        except Exception as error:  # without a scheduler there is nothing to cancel
            log.info("a task of the cluster could not be cancelled: %s", error)

    threading.Thread(target=cancel, name="pygent-cluster-cancel", daemon=True).start()
