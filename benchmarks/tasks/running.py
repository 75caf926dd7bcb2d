"""Attempts at tasks, one after the other or a few at a time, each recorded as soon as it is over."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.tasks.agents import Agent, Limits, Server, Work
from benchmarks.tasks.place import verify, workspace
from benchmarks.tasks.proxy import CountingProxy
from benchmarks.tasks.task import Task

RESULTS = "results.jsonl"


class ResultsError(Exception):
    """The file of results cannot be used; the text names it."""


class ServerLost(Exception):
    """The model's server does not answer any more: what was going on proves nothing and is not recorded."""


@dataclass(frozen=True)
class Result:
    """One attempt. The fields are those of a line of ``results.jsonl``."""

    agent: str
    task: str
    kind: str
    level: str
    half: str
    check: bool
    """Whether the task has a check that the agent may run."""
    attempt: int
    solved: bool
    missing: str
    """What the verifier found missing."""
    requests: int
    prompt_tokens: int
    completion_tokens: int
    estimated: int
    seconds: float
    code: int
    note: str
    model: str
    session: str | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        return self.agent, self.task, self.attempt


def read_results(folder: Path) -> list[Result]:
    """The attempts recorded in a folder; none where there is no file. A last line that was cut off is left out.

    Raises ``ResultsError``.
    """
    path = folder / RESULTS
    if not path.exists():
        return []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path}: {error}") from error
    results = []
    for number, line in enumerate(lines, 1):
        try:
            results.append(Result(**json.loads(line)))
        except (ValueError, TypeError) as error:
            if number < len(lines):
                raise ResultsError(f"{path}:{number}: not a result: {error}") from error
    return results


def _cut_half_a_line(path: Path) -> None:
    """Take away what a stop in the middle of writing has left at the end, or the next result would join that line."""
    if path.exists() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        path.write_bytes(data[: data.rfind(b"\n") + 1])


class Runner:
    """Runs attempts and records them in a folder."""

    def __init__(
        self, folder: Path, server: Server, limits: Limits, say: Callable[[str], None] = lambda line: None
    ) -> None:
        self.folder, self.server, self.limits, self.say = folder, server, limits, say
        self._lock = threading.Lock()
        self._over = 0
        self._stopping = False
        self._proxies: set[CountingProxy] = set()

    def run(self, agents: Sequence[Agent], tasks: Sequence[Task], attempts: int = 1, jobs: int = 1) -> list[Result]:
        """Make all attempts that are not recorded; answers all that are, also from before, of these agents and tasks.

        Raises ``ServerLost`` where the server goes away, ``AgentError`` where an agent cannot be started.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        _cut_half_a_line(self.folder / RESULTS)
        done = {result.key for result in read_results(self.folder)}
        wanted = [(agent, task, number) for agent in agents for number in range(1, attempts + 1) for task in tasks]
        left = [one for one in wanted if (one[0].name, one[1].name, one[2]) not in done]
        if len(left) < len(wanted):
            self.say(f"{len(wanted) - len(left)} of {len(wanted)} attempts are recorded already")
        with ThreadPoolExecutor(jobs) as pool:
            futures = [pool.submit(self._attempt, *one, len(left)) for one in left]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                self._stop()
                pool.shutdown(cancel_futures=True)
                raise
        keys = {(agent.name, task.name, number) for agent, task, number in wanted}
        return [result for result in read_results(self.folder) if result.key in keys]

    def _stop(self) -> None:
        """End the attempts that are going on; they are not recorded."""
        with self._lock:
            self._stopping = True
            for proxy in self._proxies:
                proxy.abort()

    def _attempt(self, agent: Agent, task: Task, number: int, total: int) -> None:
        keep = self.folder / agent.name / f"{task.name}.{number}"
        if keep.exists():
            shutil.rmtree(keep)  # of an attempt that was cut off
        keep.mkdir(parents=True)
        result = self.attempt(agent, task, number, keep)
        line = json.dumps(asdict(result), ensure_ascii=False)
        with self._lock:
            if self._stopping:
                return
            with (self.folder / RESULTS).open("a", encoding="utf-8") as out:
                out.write(line + "\n")
            self._over += 1
            self.say(f"[{self._over}/{total}] {describe(result)}")

    @contextlib.contextmanager
    def _stoppable(self, proxy: CountingProxy) -> Iterator[None]:
        with self._lock:
            self._proxies.add(proxy)
        try:
            yield
        finally:
            with self._lock:
                self._proxies.discard(proxy)

    def attempt(self, agent: Agent, task: Task, number: int, keep: Path) -> Result:
        """One attempt at one task."""
        proxy = CountingProxy(
            self.server.base_url,
            keep / "requests.jsonl",
            limit=self.limits.requests,
            answer_tokens=self.limits.answer_tokens,
        )
        with workspace(task) as (folder, env):
            started = time.monotonic()
            with proxy, self._stoppable(proxy):
                server = Server(proxy.url, self.server.key, self.server.model)
                outcome = agent.work(Work(task, folder, env, server, proxy, self.limits, keep))
            seconds = time.monotonic() - started
            if proxy.lost is not None:
                raise ServerLost(proxy.lost)
            missing = verify(task, folder, env, outcome.answer)
            if not task.setup:
                shutil.copytree(folder, keep / "workspace", symlinks=True, ignore_dangling_symlinks=True)
        counts = proxy.counts
        return Result(
            agent=agent.name,
            task=task.name,
            kind=task.kind,
            level=task.level,
            half=task.half,
            check=task.check is not None,
            attempt=number,
            solved=missing is None,
            missing=missing or "",
            requests=counts.requests,
            prompt_tokens=counts.prompt_tokens,
            completion_tokens=counts.completion_tokens,
            estimated=counts.estimated,
            seconds=round(seconds, 1),
            code=outcome.code,
            note=outcome.note,
            model=self.server.model,
            session=outcome.session,
        )


def describe(result: Result) -> str:
    """A line about one attempt."""
    verdict = "solved" if result.solved else f"not solved: {_last_line(result.missing)}"
    tokens = f"{result.prompt_tokens}+{result.completion_tokens} tokens"
    cost = f"{result.requests} requests, {tokens}, {result.seconds:.0f} s"
    note = f" ({_last_line(result.note)})" if result.note else ""
    return f"{result.agent} {result.task} {cost}, code {result.code}{note}: {verdict}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:100] if lines else ""
