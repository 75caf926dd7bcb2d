"""Many loops at once against the prepared server.

`python -m benchmarks.children_at_work KIND PORT COUNT STEPS PAUSE` prints a JSON list: seconds, and the MiB
that they took at their height. PAUSE are the seconds that a model takes for a step beside a parent.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import threading
import time
from typing import Any

from benchmarks.loops import NOTE, RESULT, SCHEMA, bare_loop
from tests.fakes.models import call


def note(rt: object, text: str) -> str:
    return RESULT


def height() -> float:
    """MiB that were resident at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bare(url: str, count: int, steps: int, _: float) -> tuple[float, float]:
    """Threads of which each has the client's loop."""
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key="none", max_retries=0)
    bare_loop(url, steps, client)  # imports, and what is made once
    before, begun = height(), time.perf_counter()
    threads = [threading.Thread(target=bare_loop, args=(url, steps, client)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun, height() - before


def tasks(url: str, count: int, steps: int, _: float) -> tuple[float, float]:
    """The same as tasks of one parent."""
    from pygent import Agent, OpenAIModel, Runtime, TaskManager, register_tool

    register_tool("note", NOTE, SCHEMA, note)
    with tempfile.TemporaryDirectory() as workspace:
        agent = Agent(Runtime(use_docker=False, workspace=workspace), OpenAIModel(url, "none"), "bench")
        agent.tasks.max_tasks = count
        manager: TaskManager = agent.tasks
        manager.wait(manager.start_task("Take notes.", agent.runtime), 60)
        before, begun = height(), time.perf_counter()
        ids = [manager.start_task("Take notes.", agent.runtime) for _ in range(count)]
        for task_id in ids:
            manager.wait(task_id, 120)
        took, grown = time.perf_counter() - begun, height() - before
        ends = {manager.status(task_id) for task_id in ids}
        assert ends == {"finished"}, ends
        agent.close()
    return took, grown


class Slow:
    """A model that thinks for a while and calls ``note``, as long as it is asked."""

    def __init__(self, pause: float) -> None:
        self.asked = 0
        self._pause = pause

    def chat(self, messages: Any, model: Any, tools: Any) -> Any:
        self.asked += 1
        time.sleep(self._pause)
        return call(("note", {"text": f"part {self.asked}"}))  # a model that repeats itself is stopped


def parent(url: str, count: int, steps: int, pause: float) -> tuple[float, float]:
    """A step of an agent, with ``count`` tasks at work beside it."""
    from pygent import Agent, OpenAIModel, Runtime, register_tool

    times: list[float] = []

    def timed(rt: object, text: str) -> str:
        if threading.current_thread() is threading.main_thread():
            times.append(time.perf_counter())
        return RESULT

    register_tool("note", NOTE, SCHEMA, timed)
    with tempfile.TemporaryDirectory() as workspace:
        runtime = Runtime(use_docker=False, workspace=workspace)
        agent = Agent(runtime, OpenAIModel(url, "none"), "bench")
        slow = Slow(pause)
        others = Agent(runtime, slow, "bench")
        others.tasks.max_tasks = count
        for _ in range(count):
            others.tasks.start_task("Take notes.", runtime)
        time.sleep(2 * pause)
        before = slow.asked
        agent.run_until_stop("Take notes.", max_steps=steps + 10)
        assert len(others.tasks.running()) == count, "tasks ended before their parent"
        assert slow.asked - before >= count, "tasks did nothing"
        others.tasks.stop_all()
        others.close()
        agent.close()
    return (times[-1] - times[0]) / (len(times) - 1), height()


if __name__ == "__main__":
    kind, port, count, steps = sys.argv[1], *map(int, sys.argv[2:5])
    address = f"http://127.0.0.1:{port}/v1"
    print(
        json.dumps({"bare": bare, "tasks": tasks, "parent": parent}[kind](address, count, steps, float(sys.argv[5])))
    )
