"""Tasks on a real Dask cluster: a scheduler and two workers, each a process, and a model's server that they ask."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pygent import Agent, Persona, Runtime, TaskManager
from pygent.approvals import Approvals, Broker, Policy
from pygent.budget import Budget
from pygent.bus import EventBus
from pygent.changes import ChangeSet
from pygent.cluster import Cluster, ModelChoice
from pygent.cluster.messages import message
from pygent.commands.cluster_check import cluster
from pygent.errors import TaskError
from pygent.events import (
    ApprovalRequested,
    Event,
    MessageFinished,
    Notice,
    RunFinished,
    RunStarted,
    StepStarted,
    TaskFinished,
    TaskStarted,
    ToolFinished,
    ToolStarted,
    from_dict,
)
from pygent.ledger import Account
from pygent.settings import Settings
from pygent.tasks.task import Task
from pygent.wiring import Wiring
from tests.fakes.dask_cluster import ROOT, DaskCluster
from tests.fakes.docker_engine import BASH_IMAGE, DockerEngine
from tests.fakes.invariants import check_events
from tests.fakes.models import ScriptedModel
from tests.fakes.openai_server import FakeOpenAI, Step, reply, status

Line = Step | Callable[[dict[str, Any]], Step]
DONE = reply("Done.", tool_calls=[("stop", {})])


class Models:
    """The server that the workers ask. What it answers goes by the task's prompt and the number of the step."""

    def __init__(self) -> None:
        self.scripts: dict[str, Sequence[Line]] = {}
        self.server = FakeOpenAI(self._next)

    def _next(self, request: dict[str, Any]) -> Step:
        said = " ".join(str(one["content"]) for one in request["messages"] if one["role"] == "user")
        script = next(script for word, script in self.scripts.items() if word in said)
        step = sum(one["role"] == "assistant" for one in request["messages"])
        line = script[min(step, len(script) - 1)]
        return line(request) if callable(line) else line

    def requests(self, word: str) -> list[dict[str, Any]]:
        return [request for request in self.server.requests if word in str(request["messages"])]


@pytest.fixture(scope="session")
def models() -> Iterator[Models]:
    made = Models()
    with made.server:
        yield made


@pytest.fixture(scope="session")
def _dask(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path_factory.mktemp("cluster"), models.server.url) as cluster:
        yield cluster


@pytest.fixture
def dask(_dask: DaskCluster) -> DaskCluster:
    _dask.need(2)
    return _dask


class Home:
    """A parent whose tasks run on the cluster: its workspace, its events, its queue of questions."""

    def __init__(
        self,
        folder: Path,
        executor: Cluster,
        *,
        mode: str | None = None,
        confined: bool = False,
        budget: Budget | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.events: list[Event] = []
        self.bus = EventBus()
        self.bus.subscribe(self.events.append)
        self.broker = Broker(self.bus.publish)
        approvals = None if mode is None else Approvals(Policy(mode, confined, deny=["bash(rm *)"]), self.broker)
        wiring = Wiring(bus=self.bus, approvals=approvals, budget=Account(budget))
        self.runtime = Runtime(use_docker=False, workspace=folder)
        self.agent = Agent(self.runtime, ScriptedModel([]), "the-session-s-model", wiring=wiring)
        self.tasks = self.agent.tasks
        self.tasks.executor = executor

    def start(self, prompt: str, **options: Any) -> Task:
        options.setdefault("workspace", "copy")
        return self.tasks.tasks[self.tasks.start_task(prompt, self.runtime, **options)]

    def wait(self, *tasks: Task, seconds: float = 30) -> None:
        for task in tasks:
            assert self.tasks.wait(task.id, seconds), f"{task.prompt}: {task.status}, {self.events[-5:]}"
        until(lambda: all(any(e.task_id == task.id for e in self.of(TaskFinished)) for task in tasks))

    def of(self, kind: type[Any], task: Task | None = None) -> list[Any]:
        found = [event for event in list(self.events) if isinstance(event, kind)]
        return found if task is None else [event for event in found if event.agent_id == task.id]

    def notices(self, task: Task) -> str:
        return "\n".join(event.text for event in self.of(Notice, task))

    def where(self, task: Task) -> str:
        """The address of the worker that the task runs on."""
        until(lambda: " runs on " in self.notices(task))
        return self.notices(task).rpartition(" runs on ")[2].partition("(")[2].partition(")")[0]


def until(true: Callable[[], object], seconds: float = 20) -> None:
    end_by = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_by, "it did not come to that in time"
        time.sleep(0.02)


@pytest.fixture
def executor(dask: DaskCluster) -> Iterator[Cluster]:
    made = Cluster(dask.address)
    yield made
    made.close()
    assert made.closed.wait(10)


@pytest.fixture
def home(tmp_path: Path, executor: Cluster) -> Iterator[Home]:
    made = Home(tmp_path / "home", executor)
    yield made
    made.agent.close()


def changes(task: Task) -> dict[str, str]:
    assert isinstance(task.changes, ChangeSet)
    return {change.path: change.kind for change in task.changes.files}


def test_three_children_on_two_workers_and_their_changes_come_home(home: Home, models: Models) -> None:
    folder = home.runtime.base_dir
    (folder / "shared.txt").write_text("one\ntwo\n")
    (folder / "gone.txt").write_text("x")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    work = "echo {} >> shared.txt; echo {} > {}.txt; rm gone.txt; chmod 755 run.sh"
    tasks = []
    for name in ("alpha", "beta", "gamma"):
        models.scripts[f"do {name}"] = [
            reply(f"I am {name}.", tool_calls=[("bash", {"cmd": work.format(name, name, name)})]),
            reply(f"{name} is done.", tool_calls=[("stop", {})]),
        ]
        tasks.append(home.start(f"do {name}"))
    home.wait(*tasks)
    for task in tasks:
        name = task.prompt.removeprefix("do ")
        assert (task.state, task.status, task.text) == ("finished", "finished", f"{name} is done."), task.status
        kinds = {"shared.txt": "changed", "gone.txt": "deleted", "run.sh": "changed", f"{name}.txt": "added"}
        assert changes(task) == kinds
        root = task.agent.runtime.base_dir
        assert (root / "shared.txt").read_text() == f"one\ntwo\n{name}\n"
        assert (root / "run.sh").stat().st_mode & 0o777 == 0o755
        assert task.steps == 2
        assert task.usage.total_tokens == 220
        outputs = home.of(ToolFinished, task)
        assert [event.status for event in outputs] == ["ok", "ok"]
        requests = models.requests(f"do {name}")
        assert {request["model"] for request in requests} == {"the-workers-model"}
    keys = {headers.get("authorization") for headers in models.server.headers}
    assert keys == {"Bearer the worker's own key"}
    assert len({home.where(task) for task in tasks}) == 2, "three tasks at once need both workers of two threads"
    assert (folder / "shared.txt").read_text() == "one\ntwo\n"
    check_events(home.events)


def slow_command(seconds: int = 60) -> Step:
    return reply("I wait.", tool_calls=[("bash", {"cmd": f"echo begun; sleep {seconds}", "timeout": 100})])


def begun(home: Home, task: Task) -> None:
    until(lambda: home.of(ToolStarted, task))


def test_a_cancelled_child_ends_within_seconds_and_its_work_is_fetched(home: Home, models: Models) -> None:
    write = reply("First this.", tool_calls=[("write_file", {"path": "half.txt", "content": "half"})])
    models.scripts["work long"] = [write, slow_command()]
    task = home.start("work long")
    until(lambda: any(event.tool == "bash" for event in home.of(ToolStarted, task)))
    since = time.monotonic()
    assert home.tasks.cancel(task.id)
    home.wait(task)
    assert time.monotonic() - since < 5
    assert (task.state, task.status) == ("cancelled", "cancelled")
    assert changes(task) == {"half.txt": "added"}
    assert home.of(ToolFinished, task)[-1].status == "cancelled"
    check_events(home.events)


def test_a_message_is_read_at_the_next_step(home: Home, models: Models) -> None:
    gate = threading.Event()

    def wait(request: dict[str, Any]) -> Step:
        gate.wait(10)
        return reply("I look.", tool_calls=[("bash", {"cmd": "echo looked"})])

    models.scripts["listen"] = [wait, DONE]
    task = home.start("listen")
    until(lambda: home.of(StepStarted, task))
    home.tasks.send(task.id, "mind the gap")
    time.sleep(0.2)  # the way to the worker
    gate.set()
    home.wait(task)
    said = [event for event in home.of(MessageFinished, task) if "mind the gap" in str(event.message["content"])]
    assert len(said) == 1
    assert "mind the gap" in str(models.requests("listen")[-1]["messages"])
    check_events(home.events)


def test_what_is_said_too_late_is_gone_on_with_on_the_cluster(home: Home, models: Models) -> None:
    hold = threading.Event()

    def last(request: dict[str, Any]) -> Step:
        hold.wait(10)
        return DONE

    answer = reply("That too.", tool_calls=[("write_file", {"path": "too.txt", "content": "x"})])
    models.scripts["end early"] = [
        reply("One.", tool_calls=[("write_file", {"path": "one.txt", "content": "1"})]), last, answer, DONE,
    ]  # fmt: skip
    task = home.start("end early")
    until(lambda: len(home.of(StepStarted, task)) == 2)
    hold.set()
    while task.running:
        try:
            home.tasks.send(task.id, "and one more thing")
        except TaskError:
            break
        if "one more" in str(models.requests("end early")[-1]["messages"]):
            break
        time.sleep(0.01)
    home.wait(task)
    final = models.requests("end early")[-1]["messages"]
    if "one more" in str(final):  # it was taken: then nothing of what came before is forgotten
        assert "Wrote one.txt" in str(final)
    check_events(home.events)


def test_an_approval_of_a_child_stands_in_the_queue_at_home(
    tmp_path: Path, executor: Cluster, models: Models
) -> None:
    home = Home(tmp_path / "asking", executor, mode="ask")
    models.scripts["ask first"] = [
        reply("May I?", tool_calls=[("write_file", {"path": "a.txt", "content": "a"})]),
        reply("And this?", tool_calls=[("write_file", {"path": "b.txt", "content": "b"})]),
        reply("Then this.", tool_calls=[("bash", {"cmd": "rm a.txt"})]),
        DONE,
    ]
    task = home.start("ask first")
    until(lambda: home.broker.waiting)
    asked: ApprovalRequested = home.of(ApprovalRequested)[0]
    assert (asked.agent_id, asked.tool, asked.arguments["path"]) == (task.id, "write_file", "a.txt")
    assert task.state == "waiting"
    assert home.broker.resolve(asked.request_id, "allow_once")
    until(lambda: len(home.of(ApprovalRequested)) == 2)
    assert home.broker.resolve(home.broker.waiting[0], "deny", "only one file")
    home.wait(task)
    statuses = [(event.status, event.output) for event in home.of(ToolFinished, task)]
    assert [status for status, _ in statuses] == ["ok", "denied", "denied", "ok"]
    assert "only one file" in statuses[1][1]
    assert "rule" in statuses[2][1], "a rule of the session denies what a mode would only ask for"
    assert changes(task) == {"a.txt": "added"}
    check_events(home.events)
    home.agent.close()


def test_a_worker_without_a_sandbox_asks_where_home_has_one(
    tmp_path: Path, executor: Cluster, models: Models
) -> None:
    home = Home(tmp_path / "asking", executor, mode="auto", confined=True)
    models.scripts["held at home"] = [reply("x", tool_calls=[("bash", {"cmd": "touch x"})]), DONE]
    task = home.start("held at home")
    until(lambda: home.broker.waiting)
    assert home.broker.resolve(home.broker.waiting[0], "allow_once")
    home.wait(task)
    assert changes(task) == {"x": "added"}
    home.agent.close()


@pytest.mark.bubblewrap
def test_a_worker_s_sandbox_holds_its_commands_and_goes_with_its_session(tmp_path: Path, models: Models) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    mark = tmp_path / "outside"
    sleep = f"31415.{os.getpid()}"
    models.scripts["boxed"] = [
        reply("x", tool_calls=[("bash", {"cmd": f"touch x; touch {mark}"})]),
        reply("y", tool_calls=[("bash", {"cmd": f"sleep {sleep}", "timeout": 100})]),
    ]
    with DaskCluster(folder, models.server.url, environ={"PYGENT_LOCAL_SANDBOX": "on"}) as own:
        own.need(1)
        home = Home(tmp_path / "home", Cluster(own.address), mode="auto", confined=True)
        task = home.start("boxed")
        until(lambda: sleeping(sleep))
        assert not home.broker.waiting, "a worker with a sandbox asks no more than home does"
        assert "commands run in: bubblewrap" in home.notices(task)
        home.agent.close()
        until(lambda: not sleeping(sleep))
        assert changes(task) == {"x": "added"}
    assert not mark.exists()


def sleeping(seconds: str) -> bool:
    """Whether a process of this machine, in a sandbox or not, sleeps so long."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes() == f"sleep\0{seconds}\0".encode():
                return True
    return False


def test_a_question_of_a_child_is_answered_at_home(tmp_path: Path, executor: Cluster, models: Models) -> None:
    home = Home(tmp_path / "asking", executor, mode="yolo")
    models.scripts["colour"] = [reply("Hm.", tool_calls=[("continue", {"question": "Which colour?"})]), DONE]
    task = home.start("colour")
    until(lambda: home.broker.waiting)
    home.tasks.send(task.id, "blue")
    home.wait(task)
    assert task.state == "finished"
    assert "blue" in home.of(ToolFinished, task)[0].output
    home.agent.close()


def test_a_worker_that_is_killed_makes_its_task_lost(home: Home, models: Models, dask: DaskCluster) -> None:
    (home.runtime.base_dir / "mine.txt").write_text("mine")
    models.scripts["die"] = [slow_command()]
    models.scripts["live on"] = [reply("x", tool_calls=[("bash", {"cmd": "sleep 1.5; echo y > y.txt"})]), DONE]
    task, other = home.start("die"), home.start("live on")
    begun(home, task)
    begun(home, other)
    assert home.where(task) != home.where(other)
    since = time.monotonic()
    dask.kill(home.where(task))
    home.wait(task)
    assert time.monotonic() - since < 5
    assert task.state == "lost"
    assert home.where(task) in task.status
    assert home.of(ToolFinished, task)[-1].status == "cancelled"
    assert (task.agent.runtime.base_dir / "mine.txt").read_text() == "mine"
    home.wait(other)
    assert (other.state, changes(other)) == ("finished", {"y.txt": "added"})
    assert len(models.requests("die")) == 1, "it was not begun again"
    check_events(home.events)


def test_a_task_that_may_be_run_again_is_and_comes_to_its_end(
    tmp_path: Path, dask: DaskCluster, models: Models
) -> None:
    executor = Cluster(dask.address, reruns=1)
    home = Home(tmp_path / "again", executor)
    times: list[str] = []

    def first(request: dict[str, Any]) -> Step:
        times.append("begun")
        return (
            slow_command() if len(times) == 1 else reply("Again.", tool_calls=[("bash", {"cmd": "echo z > z.txt"})])
        )

    models.scripts["persist"] = [first, DONE]
    task = home.start("persist")
    begun(home, task)
    home.tasks.send(task.id, "a word to whoever does it")
    dask.kill(home.where(task))
    home.wait(task)
    assert (task.state, task.text, changes(task)) == ("finished", "Done.", {"z.txt": "added"})
    assert len(home.of(RunStarted, task)) == 2
    assert "begins again on another one" in home.notices(task)
    assert "a word to whoever does it" in str(models.requests("persist")[-1]["messages"])
    check_events(home.events)
    home.agent.close()


def test_a_budget_holds_on_the_cluster(tmp_path: Path, executor: Cluster, models: Models) -> None:
    home = Home(tmp_path / "dear", executor, budget=Budget(tokens=1000))
    models.scripts["spend"] = [
        lambda request: reply("More.", tool_calls=[("bash", {"cmd": f"echo {len(request['messages'])}"})])
    ]
    task = home.start("spend", budget={"steps": 4})
    home.wait(task)
    assert task.state == "timeout"
    assert task.steps == 5, "four, and one to say what it did"
    account = home.agent.wiring.budget
    assert account.used().tokens == task.usage.total_tokens > 0
    check_events(home.events)
    home.agent.close()


def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path) -> None:
    executor = Cluster("tcp://127.0.0.1:1")
    with pytest.raises(TaskError, match=r"no scheduler answers at tcp://127\.0\.0\.1:1"):
        executor.open()
    home = Home(tmp_path / "alone", executor)
    task = home.start("nothing")
    home.wait(task)
    assert task.state == "failed"
    assert "tcp://127.0.0.1:1" in task.status
    home.agent.close()


def test_a_question_that_nobody_can_answer_now_rests_and_is_gone_on_with(home: Home, models: Models) -> None:
    models.scripts["rest"] = [
        reply("First.", tool_calls=[("write_file", {"path": "first.txt", "content": "1"})]),
        reply("Hm.", tool_calls=[("continue", {"question": "Which?"})]),
        reply("So.", tool_calls=[("bash", {"cmd": "cat first.txt > second.txt"})]),
        DONE,
    ]
    task = home.start("rest")
    until(lambda: task.question)
    assert (task.state, task.question) == ("waiting", "Which?")
    home.tasks.send(task.id, "the second")
    until(lambda: home.of(TaskFinished))
    assert (task.state, changes(task)) == ("finished", {"first.txt": "added", "second.txt": "added"})
    final = str(models.requests("rest")[-1]["messages"])
    assert "Wrote first.txt" in final, "what was said before is not forgotten"
    assert "the second" in final
    check_events(home.events)


def test_what_a_worker_has_no_business_to_say_is_left_out(home: Home, models: Models, dask: DaskCluster) -> None:
    models.scripts["odd"] = [slow_command()]
    task = home.start("odd")
    begun(home, task)
    link = home.tasks.executor._link  # type: ignore[attr-defined]
    client = link.open()
    until(lambda: home.notices(task))
    strange = [
        {"v": 1, "type": "files.changed", "agent_id": "main", "paths": ["/etc/passwd"]},
        {"v": 1, "type": "task.finished", "agent_id": task.id, "task_id": task.id, "status": "finished"},
        {"v": 9, "type": "from.the.future"},
    ]
    run = next(value for value in client.run(_runs).values() if value)
    client.log_event(client.id, message(task.id, run, "events", first=900, events=strange))
    client.log_event(client.id, message(task.id, "another run", "events", first=1, events=strange))
    client.log_event(client.id, message("no such task", run, "ask", id="x"))
    client.log_event(client.id, "no message at all")
    for _ in range(3):  # events that come again are not told again
        link.deliver(home.where(task), run, {"do": "again", "first": 1, "last": 5})
    until(lambda: "no event of this task" in home.notices(task))
    assert "were lost on the way" in home.notices(task)
    assert not home.of(TaskFinished)
    assert all(event.agent_id != "main" for event in home.events if event.type == "files.changed")
    home.tasks.cancel(task.id)
    home.wait(task)
    check_events(home.events)


def _runs() -> str:
    """Called on a worker: the run of the child that is at work there."""
    from pygent.cluster import worker

    return next(iter(worker._children), "")


HOME = """
import sys, time
from pygent import Agent, Persona, Runtime, TaskManager
from pygent.cluster import Cluster
from tests.fakes.models import ScriptedModel
agent = Agent(Runtime(use_docker=False, temporary=True), ScriptedModel([]))
agent.tasks.executor = Cluster(sys.argv[1])
agent.tasks.start_task("orphan", agent.runtime)
time.sleep(60)
"""


def test_a_child_ends_when_its_session_is_killed(dask: DaskCluster, models: Models, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    models.scripts["orphan"] = [
        reply("x", tool_calls=[("bash", {"cmd": f"echo $$ > {pid_file}; exec sleep 100", "timeout": 200})])
    ]
    with subprocess.Popen([sys.executable, "-c", HOME, dask.address], cwd=ROOT) as session:
        try:
            until(lambda: pid_file.exists() and pid_file.read_text().strip())
            pid = int(pid_file.read_text())
            os.kill(pid, 0)
        finally:
            session.kill()
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_without_its_scheduler_a_task_is_lost_and_nothing_hangs(tmp_path: Path, models: Models) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    pid_file = tmp_path / "pid"
    cmd = f"echo $$ > {pid_file}; exec sleep 100"
    models.scripts["headless chicken"] = [reply("x", tool_calls=[("bash", {"cmd": cmd, "timeout": 200})])]
    with DaskCluster(folder, models.server.url) as own:
        executor = Cluster(own.address)
        home = Home(tmp_path / "home", executor)
        task, other = home.start("headless chicken"), home.start("never begun")
        until(lambda: "Waits for a worker; the cluster has none." in home.notices(task))
        home.tasks.cancel(other.id)
        home.wait(other, seconds=3)
        assert (other.state, other.steps) == ("cancelled", 0)
        own.need(1)
        until(lambda: pid_file.exists() and pid_file.read_text().strip())
        own.kill_scheduler()
        home.wait(task, seconds=20)
        assert task.state == "lost"
        assert f"the scheduler at {own.address} was lost" in task.status
        check_events(home.events)
        until(lambda: not Path(f"/proc/{int(pid_file.read_text())}").exists())
        later = home.start("too late")
        home.wait(later, seconds=10)
        assert (later.state, f"no scheduler answers at {own.address}" in later.status) == ("failed", True)
        since = time.monotonic()
        home.agent.close()
        assert time.monotonic() - since < 2


def test_a_worker_that_hangs_holds_up_no_stop(tmp_path: Path, dask: DaskCluster, models: Models) -> None:
    home = Home(tmp_path / "home", Cluster(dask.address, patience=0.5))
    models.scripts["freeze"] = [slow_command()]
    task = home.start("freeze")
    begun(home, task)
    where = home.where(task)
    dask.kill(where, signal.SIGSTOP)
    home.tasks.cancel(task.id)
    home.wait(task, seconds=5)
    assert task.state == "cancelled"
    check_events(home.events)
    dask.kill(where)
    home.agent.close()


def test_the_session_s_own_model_server_is_used_where_the_settings_say_so(
    tmp_path: Path, dask: DaskCluster, models: Models
) -> None:
    with FakeOpenAI([DONE]) as mine:
        executor = Cluster(dask.address, model=ModelChoice(mine.url, "my key", {"X-Team": "blue"}))
        home = Home(tmp_path / "home", executor)
        task = home.start("with mine")
        home.wait(task)
        assert task.state == "finished"
        (request,) = mine.requests
        assert request["model"] == "the-session-s-model"
        assert mine.headers[0]["authorization"] == "Bearer my key"
        assert mine.headers[0]["x-team"] == "blue"
        home.agent.close()


def test_a_persona_s_model_is_asked_for_at_the_worker_s_server(home: Home, models: Models) -> None:
    models.scripts["choosy"] = [DONE]
    task = home.start("choosy", persona=Persona("picky", model="a-better-one", tools=("bash",)))
    home.wait(task)
    (request,) = models.requests("choosy")
    assert request["model"] == "a-better-one"
    assert {tool["function"]["name"] for tool in request["tools"]} == {"bash", "stop", "continue"}


def test_a_workspace_that_is_too_large_is_an_error_that_says_what_to_do(
    home: Home,
) -> None:
    with (home.runtime.base_dir / "huge").open("wb") as file:
        file.truncate(1 << 33)
    task = home.start("too much", workspace="copy")
    home.wait(task)
    assert task.state == "failed"
    assert "'huge' is too large to be sent" in task.status


def headless(folder: Path, models: Models, prompt: str, **environ: str) -> subprocess.CompletedProcess[str]:
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "notes.txt").write_text("notes\n")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYGENT_USE_DOCKER": "0",
        "PYGENT_LOCAL_SANDBOX": "off",
        "PYGENT_MODEL": "the-session-s-model",
        "OPENAI_BASE_URL": models.server.url,
        "OPENAI_API_KEY": "mine",
        **environ,
    }
    options = ["--permission-mode", "yolo", "--output-format", "stream-json", "-w", str(workspace)]
    command = [sys.executable, "-m", "pygent", "-p", prompt, *options]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_a_headless_run_delegates_to_the_cluster_of_its_settings(
    tmp_path: Path, dask: DaskCluster, models: Models
) -> None:
    write = "echo {0} >> notes.txt; echo {0} > {0}.txt"
    names = ("eins", "zwei", "drei")
    calls = [("delegate_task", {"prompt": f"note {name}"}) for name in names]
    models.scripts["run the show"] = [
        reply("You three.", tool_calls=calls),
        reply("I wait.", tool_calls=[("wait_for_tasks", {})]),
        reply("All done.", tool_calls=[("stop", {})]),
        reply("I leave their work to be reviewed.", tool_calls=[("stop", {})]),
    ]
    for name in names:
        cmd = {"cmd": write.format(name)}
        models.scripts[f"note {name}"] = [reply("I note.", tool_calls=[("bash", cmd)]), DONE]
    done = headless(tmp_path, models, "run the show", PYGENT_CLUSTER=dask.address)
    assert done.returncode == 0, done.stderr
    events = [from_dict(json.loads(line)) for line in done.stdout.splitlines()]
    check_events(events)
    started = {event.task_id: event.prompt for event in events if isinstance(event, TaskStarted)}
    assert sorted(started.values()) == sorted(f"note {name}" for name in names)
    for task_id, prompt in started.items():
        own = [event for event in events if event.agent_id == task_id]
        assert {"run.started", "step.started", "message.delta", "tool.finished", "run.finished"} <= {
            event.type for event in own
        }
        where = next(event.text for event in own if isinstance(event, Notice))
        assert where.startswith(f"Task {task_id} runs on ")
        assert where in done.stderr
        (ended,) = [event for event in events if isinstance(event, TaskFinished) and event.task_id == task_id]
        name = prompt.removeprefix("note ")
        assert {change["path"] for change in ended.changes} == {"notes.txt", f"{name}.txt"}
    assert f"Tasks run on the cluster at {dask.address}: 2 workers, 4 tasks at once." in done.stderr
    assert sorted(path.name for path in (tmp_path / "workspace").iterdir()) == ["notes.txt"]
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.total_usage["total_tokens"] == 4 * 110 + 3 * 2 * 110


def test_a_headless_run_without_its_scheduler_says_where_it_looked(tmp_path: Path, models: Models) -> None:
    done = headless(tmp_path, models, "nothing", PYGENT_CLUSTER="tcp://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith("pygent: The cluster cannot be used: no scheduler answers at tcp://127.0.0.1:1")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_cluster_with_dask_s_own_tls_settings(tmp_path: Path, models: Models) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    where = ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=dask"]
    subprocess.run([*command, *where], check=True, capture_output=True)
    tls = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(cert), "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true"}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        tls[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = str(cert)
        tls[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = str(key)
    models.scripts["sealed"] = [
        reply("You.", tool_calls=[("delegate_task", {"prompt": "under seal"})]),
        reply("I wait.", tool_calls=[("wait_for_tasks", {})]),
        DONE,
    ]
    models.scripts["under seal"] = [DONE]
    folder = tmp_path / "own"
    folder.mkdir()
    with DaskCluster(folder, models.server.url, protocol="tls", environ=tls) as own:
        assert own.address.startswith("tls://")
        own.need(1)
        done = headless(tmp_path, models, "sealed", PYGENT_CLUSTER=own.address, **tls)
        assert done.returncode == 0, done.stderr
        (ended,) = [json.loads(line) for line in done.stdout.splitlines() if '"task.finished"' in line]
        assert ended["state"] == "finished"


@pytest.mark.docker
def test_a_worker_with_docker_runs_commands_in_a_container_of_its_own(
    tmp_path: Path, models: Models, docker_engine: DockerEngine
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    image = docker_engine.image(BASH_IMAGE)
    environ = {"PYGENT_USE_DOCKER": "1", "PYGENT_IMAGE": image, "DOCKER_HOST": docker_engine.host}
    models.scripts["contained"] = [
        reply("x", tool_calls=[("bash", {"cmd": "pwd; cat notes.txt; echo made > made.txt"})]), DONE
    ]  # fmt: skip
    with DaskCluster(folder, models.server.url, environ=environ) as own:
        own.need(1)
        home = Home(tmp_path / "home", Cluster(own.address))
        (home.runtime.base_dir / "notes.txt").write_text("notes of mine")
        task = home.start("contained")
        home.wait(task, seconds=60)
        assert task.state == "finished", task.status
        assert "/workspace\nnotes of mine" in home.of(ToolFinished, task)[0].output
        assert "commands run in: docker" in home.notices(task)
        assert changes(task) == {"made.txt": "added"}
        assert docker_engine.containers() == []
        home.agent.close()


def test_what_fails_on_a_worker_is_told_with_its_name(home: Home, models: Models) -> None:
    models.scripts["refused"] = [status(401, "no such key")]
    task = home.start("refused")
    home.wait(task)
    assert task.state == "failed"
    assert f"on {socket.gethostname()}: " in task.status
    assert "no such key" in task.status
    check_events(home.events)


def test_the_doctor_looks_at_the_cluster(dask: DaskCluster) -> None:
    (check,) = cluster(Settings(cluster=dask.address))
    text = f"the cluster at {dask.address}: 2 workers, 4 tasks at once"
    assert (check.name, check.state, check.text) == ("cluster", "ok", text)
    (check,) = cluster(Settings(cluster="tcp://127.0.0.1:1"))
    assert (check.state, "no scheduler answers at tcp://127.0.0.1:1" in check.text) == ("fail", True)
    assert list(cluster(Settings())) == []


def test_changes_that_were_made_on_the_cluster_are_applied_and_discarded(home: Home, models: Models) -> None:
    folder = home.runtime.base_dir
    (folder / "text.txt").write_text("one\ntwo\nthree\n")
    for name, line in (("first", "s/one/ONE/"), ("last", "s/three/THREE/")):
        cmd = f"sed -i {line} text.txt; echo {name} > {name}.txt"
        models.scripts[f"change the {name}"] = [reply("x", tool_calls=[("bash", {"cmd": cmd})]), DONE]
    first, last = home.start("change the first"), home.start("change the last")
    home.wait(first, last)
    assert home.tasks.overlaps(first.id) == {"text.txt": (last.id,)}
    assert home.tasks.apply(first.id).paths == ("first.txt", "text.txt")
    assert home.tasks.apply(last.id, paths=["text.txt"]).merged == ("text.txt",)
    assert (folder / "text.txt").read_text() == "ONE\ntwo\nTHREE\n"
    home.tasks.discard(last.id)
    assert sorted(path.name for path in folder.iterdir()) == ["first.txt", "text.txt"]


def test_a_budget_that_others_spend_ends_a_child_on_the_cluster(
    tmp_path: Path, executor: Cluster, models: Models
) -> None:
    home = Home(tmp_path / "shared", executor, budget=Budget(tokens=1200))
    models.scripts["burn"] = [
        lambda request: reply("More.", tool_calls=[("bash", {"cmd": f"sleep 0.1; echo {len(request['messages'])}"})])
    ]
    tasks = [home.start("burn") for _ in range(2)]
    home.wait(*tasks)
    assert [task.state for task in tasks] == ["timeout", "timeout"]
    assert {event.reason for event in home.of(RunFinished)} == {"budget"}
    used = home.agent.wiring.budget.used().tokens
    assert used == sum(task.usage.total_tokens for task in tasks)
    assert 1200 <= used <= 1200 + 2 * 4 * 110, "each may be a step on its way, and has one to say what it did"
    check_events(home.events)
    home.agent.close()


def test_nothing_that_was_sent_stands_in_a_worker_s_log(dask: DaskCluster, executor: Cluster) -> None:
    future = executor._link.submit("another-version", b"a key in here", b"", "0.0.0")
    assert "the session has 0.0.0" in str(future.exception(timeout=10))
    until(lambda: "Compute Failed" in dask.log())
    assert "a key in here" not in dask.log()


def test_an_agent_of_another_make_is_an_error_that_says_so(executor: Cluster) -> None:
    class Own:
        runtime = None

        def run_until_stop(self, prompt: str, **limits: Any) -> None: ...

    manager = TaskManager(lambda persona: Own(), executor=executor)
    task = manager.start_task("go", None)
    assert manager.wait(task, 10)
    assert "only an Agent in a Runtime" in manager.status(task)
