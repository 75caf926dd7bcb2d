"""``Cluster``: what a ``TaskManager`` is given so that its tasks run on the workers of a Dask cluster."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pygent._version import __version__
from pygent.agent import Agent
from pygent.budget import Budget
from pygent.cluster.link import Link
from pygent.cluster.messages import ModelChoice, Order
from pygent.cluster.remote import Remote
from pygent.errors import TaskError
from pygent.loop import RunResult

if TYPE_CHECKING:
    from pygent.tasks.executors import TaskWork


class Cluster:
    """Runs tasks on the workers of a Dask cluster.

    ``address`` is the scheduler's, such as ``tcp://host:8786``; with ``tls://`` Dask's own settings name the
    certificates. ``reruns`` says how often a task begins again where its worker died; 0 makes it ``lost``. ``model``
    is the server that workers shall ask instead of their own; it is sent to them, key and all. A child that was told
    to end is waited for ``patience`` seconds at most.

    ``open`` connects; without it the first task does.
    """

    remote = True

    def __init__(
        self, address: str, *, reruns: int = 0, model: ModelChoice | None = None, patience: float = 20.0
    ) -> None:
        self.address = address
        self._reruns = reruns
        self._model = model
        self._patience = patience
        self._link = Link(address)
        self.closed = threading.Event()
        """Set once the cluster was left."""

    def open(self) -> None:
        """Connect to the scheduler. Raises ``TaskError``, which names the address, where it cannot be reached."""
        self._link.open()

    def summary(self) -> str:
        """How many workers there are, in words. Raises ``TaskError`` and ``OSError`` where the scheduler is gone."""
        workers = self._link.workers()
        places = sum(workers.values())
        if not workers:
            return f"the cluster at {self.address}, which has no worker yet"
        one = "1 worker" if len(workers) == 1 else f"{len(workers)} workers"
        return f"the cluster at {self.address}: {one}, {places} {'task' if places == 1 else 'tasks'} at once"

    def odd_workers(self) -> dict[str, str]:
        """The workers that cannot do tasks of this Pygent: their address, and the version they have, "" for none."""
        return {address: version for address, version in self._link.versions().items() if version != __version__}

    def run(self, work: TaskWork) -> RunResult | None:
        """See ``TaskExecutor``. Raises ``TaskError`` also where the workspace is too large to be sent."""
        agent = work.task.agent
        if not isinstance(agent, Agent) or work.workspace is None:
            raise TaskError("only an Agent in a Runtime can work on a cluster; this task's are of another make")
        order = Order(
            task_id=work.id,
            topic=self._link.open().id,
            prompt=work.prompt,
            persona=work.persona,
            limits=work.limits,
            asks=work.permission_mode is not None,
            person=getattr(agent.wiring.approvals, "broker", None) is not None,
            tools=tuple(agent.tool_names()),
            model_name=work.model_name,
            named=work.persona.model is not None,
            model=self._model,
            prices=dict(work.prices),
            budget=Budget() if work.account is None else work.account.left(),
            past=tuple(message for message in agent.history if message["role"] != "system"),
        )
        return Remote(work, self._link, order, reruns=self._reruns, patience=self._patience).run()

    def close(self) -> None:
        """Leave the cluster. Does not wait for a scheduler that does not answer."""
        threading.Thread(target=self._leave, name="pygent-cluster-close", daemon=True).start()

    def _leave(self) -> None:
        try:
            self._link.close()
        finally:
            self.closed.set()
