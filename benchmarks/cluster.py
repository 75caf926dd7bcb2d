"""What a task on a Dask cluster costs: against a bare Dask submit of a function that does nothing."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, medians, missing, ms
from tests.fakes.dask_cluster import DaskCluster
from tests.fakes.models import ScriptedModel
from tests.fakes.openai_server import FakeOpenAI, reply

REPEATS = 15
FILES = 1000
GOAL, GOAL_FILES = 0.25, 1.0


def measure() -> list[Row]:
    whats = ("a task of one step on a cluster of two workers", f"… with {FILES:,} files sent and one fetched")
    try:
        import distributed  # noqa: F401
    except ImportError:
        return [missing(what, "", "distributed is not installed") for what in whats]
    with _cluster() as address:
        bare, empty, full = _times(address)
    rows = [(whats[0], empty, GOAL), (whats[1], full, GOAL_FILES)]
    floor = f"{ms(bare)} bare submit"
    return [
        Row(what, floor, f"{ms(bare + more)} (+ {ms(more)})", f"≤ + {ms(goal)}", more <= goal)
        for what, more, goal in rows
    ]


def nothing() -> None:
    """What is submitted for comparison."""


@contextlib.contextmanager
def _cluster() -> Iterator[str]:
    def answer(request: dict[str, list[dict[str, object]]]) -> object:
        if "touch" in str(request["messages"]) and len(request["messages"]) < 3:
            return reply("", tool_calls=[("write_file", {"path": "new.txt", "content": "new"}), ("stop", {})])
        return reply("", tool_calls=[("stop", {})])

    with (
        tempfile.TemporaryDirectory(prefix="pygent-bench-") as folder,
        FakeOpenAI(answer) as server,  # type: ignore[arg-type]
        DaskCluster(Path(folder), server.url) as cluster,
    ):
        cluster.need(2)
        yield cluster.address


def _times(address: str) -> tuple[float, float, float]:
    """Seconds: a bare submit, and how much longer an empty task and one with files take."""
    from distributed import Client

    from pygent import Agent, Runtime
    from pygent.cluster import Cluster

    executor = Cluster(address)
    client = Client(address, set_as_default=False)
    agents = []
    for count in (0, FILES):
        agent = Agent(Runtime(use_docker=False, temporary=True), ScriptedModel([]))
        for number in range(count):
            agent.runtime.write_file(f"{number // 100}/{number}.py", f"print({number})\n" * 20)
        agent.tasks.executor = executor
        agents.append(agent)

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
        first, second = (agents[0].tasks.start_task("warm up", agents[0].runtime) for _ in range(2))
        assert agents[0].tasks.wait(first, 60)
        assert agents[0].tasks.wait(second, 60)
    try:
        bare, empty, full = medians(
            REPEATS, submit, lambda: task(agents[0], "nothing"), lambda: task(agents[1], "touch one")
        )
    finally:
        for agent in agents:
            agent.close()
        client.close()
        executor.closed.wait(10)
    return bare, empty - bare, full - bare
