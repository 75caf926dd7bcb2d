"""The connection of a session to the scheduler of a cluster, through Dask's own client."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pygent.cluster.messages import Sealed, read
from pygent.errors import TaskError

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0

Listener = Callable[[str, str, dict[str, Any]], object]
"""Called with run, kind and fields of each message of one task, on Dask's thread: it must not block."""


class Link:
    """One client of the scheduler at ``address``; made by ``open``, shared by all tasks of a session. Thread-safe.

    What workers say comes under a topic of the client's own id, which the scheduler empties when the client is gone.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._listeners: dict[str, Listener] = {}
        self._watchers: dict[str, Callable[[str], object]] = {}

    def open(self) -> Client:
        """The client, connected. Raises ``TaskError``, which names the address, where there is no scheduler."""
        with self._lock:
            client = self._client
            if client is not None and client.status != "running":  # it lost the scheduler, and tries to find it again
                threading.Thread(target=_leave, args=(client,), name="pygent-cluster-leave", daemon=True).start()
                client = None
            if client is None:
                self._client = None
                client = self._client = _connect(self.address)
            client.subscribe_topic(client.id, self._heard)
            client.subscribe_topic("all", self._told)
            return client

    @property
    def lost(self) -> bool:
        """True where the scheduler was reached once and is not any more."""
        client = self._client
        return client is None or client.status in {"closing", "closed"}

    def close(self) -> None:
        """Leave the cluster; what runs for this session there is ended."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            _leave(client)

    def listen(self, task_id: str, heard: Listener, worker_gone: Callable[[str], object]) -> None:
        """Hand on what is said of a task, and the addresses of workers that leave or die."""
        self._listeners[task_id] = heard
        self._watchers[task_id] = worker_gone

    def forget(self, task_id: str) -> None:
        """End ``listen``."""
        self._listeners.pop(task_id, None)
        self._watchers.pop(task_id, None)

    def submit(self, key: str, order: bytes, archive: bytes, version: str) -> Future[Any]:
        """Send a task. Dask runs it again by itself where a worker dies; a child then waits for leave to begin."""
        import dask  # noqa: PLC0415 - only where there is a cluster

        from pygent.cluster.worker import run_task  # noqa: PLC0415

        client = self.open()
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "4GiB"}):
            return client.submit(run_task, version, Sealed(order), Sealed(archive), key=key, pure=False, retries=0)

    def deliver(self, worker: str, run: str, told: Mapping[str, Any]) -> bool:
        """Hand a message to a child, through the scheduler; False where it is not there any more.

        Raises ``OSError`` where the worker cannot be reached, and whatever Dask does.
        """
        from pygent.cluster.worker import deliver  # noqa: PLC0415

        return bool(self._connected().run(deliver, run, dict(told), workers=[worker]).get(worker))

    def workers(self) -> dict[str, int]:
        """The workers that the scheduler knows, by address, and how many tasks each does at once."""
        found = self._connected().scheduler_info()["workers"]
        return {address: int(worker["nthreads"]) for address, worker in found.items()}

    def versions(self) -> dict[str, str]:
        """The version of Pygent on each worker, "" where there is none."""
        from pygent.cluster.worker import pygent_version  # noqa: PLC0415

        found = self._connected().run(pygent_version, on_error="return")
        return {address: answer if isinstance(answer, str) else "" for address, answer in found.items()}

    def _connected(self) -> Client:
        """The client as it is. Raises ``OSError`` where there is none any more."""
        client = self._client
        if client is None:
            raise OSError(f"the cluster at {self.address} was left")
        return client

    def _heard(self, event: tuple[float, Any]) -> None:
        found = read(event[1])
        if found is None:
            return
        task_id, run, kind, fields = found
        listener = self._listeners.get(task_id)
        if listener is not None:
            listener(run, kind, fields)

    def _told(self, event: tuple[float, Any]) -> None:
        told = event[1]
        if isinstance(told, dict) and told.get("action") == "remove-worker":
            for watcher in list(self._watchers.values()):
                watcher(str(told.get("worker", "")))


def _connect(address: str) -> Client:
    first = "distributed" not in sys.modules
    try:
        from distributed import Client  # noqa: PLC0415 - slow, and not always installed
    except ImportError as error:
        text = "A cluster needs the package 'distributed': pip install 'pygent[cluster]'"
        raise TaskError(f"{text} ({error})") from None
    if first:
        _keep_off_the_screen()
    try:
        _knock(address)
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="pygent")
    except (OSError, ValueError, RuntimeError, TimeoutError) as error:
        text = f"The cluster cannot be used: no scheduler answers at {address}"
        hint = "Start one with `dask scheduler`, or unset PYGENT_CLUSTER"
        raise TaskError(f"{text} ({str(error) or type(error).__name__}). {hint}.") from error


def _leave(client: Client) -> None:
    for topic in (client.id, "all"):  # the scheduler would go on sending to a client that is gone
        with contextlib.suppress(Exception):  # no scheduler is there any more
            client.unsubscribe_topic(topic)
    with contextlib.suppress(Exception):
        client.close(timeout=5)


def _knock(address: str) -> None:
    """See whether anybody listens there; Dask itself tries for long. Raises ``OSError``."""
    host, _, port = address.partition("://")[2].partition("/")[0].rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()


def _keep_off_the_screen() -> None:
    """Dask writes its log to standard error, which is the screen; it goes to the log of diagnostics instead."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"distributed", "tornado", "bokeh"}:
            logger = logging.getLogger(name)
            for handler in list(logger.handlers):
                if type(handler) is logging.StreamHandler:
                    logger.removeHandler(handler)
            logger.propagate = True
    for name in ("distributed", "tornado"):
        logging.getLogger(name).addHandler(logging.NullHandler())
