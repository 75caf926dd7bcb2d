"""What a task on a Dask cluster costs: against a bare Dask submit of a function that does nothing."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, medians, missing, ms
from tests.fakes.dask_cluster import DaskCluster
from tests.fakes.models import ScriptedModel, call
from tests.fakes.openai_server import FakeOpenAI, reply

REPEATS = 9
MEMORY = "/dev/shm"
"""Where all files lie: how long a disk takes to make a file differs from folder to folder."""

FILES = 1000
GOAL, GOAL_FILES = 0.25, 0.5


def measure() -> list[Row]:
    whats = (
        "a task of one step on a cluster of two workers",
        f"a task with a copy of {FILES:,} files on the cluster, one of them fetched",
    )
    try:
        import distributed  # noqa: F401
    except ImportError:
        return [missing(what, "", "distributed is not installed") for what in whats]
    with _cluster() as address:
        bare, empty, here, there = _times(address)
    return [
        _more(whats[0], "bare Dask submit", bare, empty, GOAL),
        _more(whats[1], "on a thread here", here, there, GOAL_FILES),
    ]


def _more(what: str, floor_name: str, floor: float, value: float, goal: float) -> Row:
    """A time that may be so many seconds above its floor."""
    more = value - floor
    return Row(
        what, f"{ms(floor)} {floor_name}", f"{ms(value)} (+ {ms(more)})", f"≤ floor + {ms(goal)}", more <= goal
    )


def nothing() -> None:
    """What is submitted for comparison."""


@contextlib.contextmanager
def _temporary(folder: str) -> Iterator[None]:
    """Let temporary workspaces lie in `folder`."""
    before, tempfile.tempdir = tempfile.tempdir, folder
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def _cluster() -> Iterator[str]:
    def answer(request: dict[str, list[dict[str, object]]]) -> object:
        if "touch" in str(request["messages"]) and len(request["messages"]) < 3:
            return reply("", tool_calls=[("write_file", {"path": "new.txt", "content": "new"}), ("stop", {})])
        return reply("", tool_calls=[("stop", {})])

    with (
        tempfile.TemporaryDirectory(prefix="pygent-bench-", dir=MEMORY if os.path.isdir(MEMORY) else None) as folder,
        _temporary(folder),
        FakeOpenAI(answer) as server,  # type: ignore[arg-type]
        DaskCluster(Path(folder), server.url) as cluster,
    ):
        cluster.need(2)
        yield cluster.address


def _times(address: str) -> tuple[float, float, float, float]:
    """Seconds: a bare submit, an empty task; one with files on a thread of this process, and on the cluster."""
    from distributed import Client

    from pygent import Agent, Runtime
    from pygent.cluster import Cluster

    executor = Cluster(address)
    client = Client(address, set_as_default=False)
    done = [call(("write_file", {"path": "new.txt", "content": "new"}), ("stop", {}))] * (2 * REPEATS)
    empty, here, there = (Agent(Runtime(use_docker=False, temporary=True), ScriptedModel(done)) for _ in range(3))
    for agent in (here, there):
        for number in range(FILES):
            agent.runtime.write_file(f"{number // 100}/{number}.py", f"print({number})\n" * 20)
    for agent in (empty, there):
        agent.tasks.executor = executor

    def submit() -> float:
        begun = time.perf_counter()
        client.submit(nothing, pure=False).result()
        return time.perf_counter() - begun

    def task(agent: Agent, prompt: str) -> float:
        begun = time.perf_counter()
        task_id = agent.tasks.start_task(prompt, agent.runtime, workspace="copy")
        assert agent.tasks.wait(task_id, 60)
        assert agent.tasks.status(task_id) == "finished", agent.tasks.status(task_id)
        return time.perf_counter() - begun

    for _ in range(4):  # both workers load what an agent needs
        both = [empty.tasks.start_task("warm up", empty.runtime) for _ in range(2)]
        assert all(empty.tasks.wait(one, 60) for one in both)
    try:
        bare, alone, local, remote = medians(
            REPEATS, submit, lambda: task(empty, "nothing"), lambda: task(here, "touch"), lambda: task(there, "touch")
        )
    finally:
        for agent in (empty, here, there):
            agent.close()
        client.close()
        executor.closed.wait(10)
    return bare, alone, local, remote
