"""A task from its order to its end: states, the queue, messages, questions, retries, and what its parent is told."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent import Agent, Runtime, TaskError, TaskManager, WorkspaceError
from pygent.approvals import Approvals, Broker, Policy
from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.events import ApprovalRequested, Event, MessageFinished, Notice, TaskFinished, TaskStarted, TaskUpdated
from pygent.wiring import Wiring
from tests.fakes.invariants import check_events, check_history
from tests.fakes.models import ScriptedModel, call, say

STOP = call(("stop", {}))
SECONDS = 10


class Gate:
    """A line of a script that waits until it is opened."""

    def __init__(self, then: Any = STOP) -> None:
        self.reached, self.opened, self._then = threading.Event(), threading.Event(), then

    def __call__(self, messages: list[dict[str, Any]]) -> Any:
        self.reached.set()
        assert self.opened.wait(SECONDS)
        return self._then


class Family:
    """A parent agent with a workspace, and children that say what their scripts say, by prompt."""

    def __init__(self, tmp_path: Path, **wiring: Any) -> None:
        self.events: list[Event] = []
        self.bus = EventBus()
        self.bus.subscribe(self.events.append)
        self.scripts: dict[str, list[Any]] = {}
        self.runtime = Runtime(use_docker=False, workspace=tmp_path / "parent")
        self.agent = Agent(self.runtime, self, wiring=Wiring(bus=self.bus, **wiring))
        self.tasks = self.agent.tasks
        self.requests: list[list[dict[str, Any]]] = []
        self._lock = threading.Lock()

    def chat(self, messages: list[dict[str, Any]], model: Any, tools: Any) -> Any:
        """The model of all: the prompt that is the name of a script says whose turn it is."""
        lines = "\n".join(message["content"] for message in messages if message["role"] == "user").splitlines()
        name = next(line for line in lines if line in self.scripts)
        with self._lock:
            self.requests.append([dict(message) for message in messages])
            line = self.scripts[name].pop(0)
        return line(messages) if callable(line) else line

    def start(self, prompt: str, *script: Any, **options: Any) -> str:
        self.scripts[prompt] = list(script)
        return self.tasks.start_task(prompt, self.runtime, **options)

    def run(self, *script: Any) -> Any:
        self.scripts["parent"] = list(script)
        return self.agent.run_until_stop("parent")

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def states(self, task_id: str) -> list[str]:
        kinds = (TaskStarted, TaskUpdated, TaskFinished)
        return [event.state for event in self.events if isinstance(event, kinds) and event.task_id == task_id]

    def close(self) -> None:
        children = [task.agent for task in self.tasks.tasks.values() if task.agent is not None]
        self.agent.close()
        if self.events:
            check_events(self.events)
        for agent in (self.agent, *children):
            check_history(agent.history)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("pygent-task")]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    family = Family(tmp_path)
    yield family
    family.close()


def test_a_task_works_in_a_copy_and_its_parent_is_told_once(family: Family) -> None:
    family.runtime.write_file("a.txt", "one\n")
    family.runtime.write_file("src/b.txt", "two\n")
    task = family.start(
        "child",
        call(("bash", {"cmd": "cat a.txt src/b.txt"}), ("write_file", {"path": "a.txt", "content": "new\n"})),
        say("I changed a.txt."),
        STOP,
        workspace="copy",
    )
    assert family.tasks.wait(task, SECONDS)
    known = family.tasks.tasks[task]
    assert (known.state, known.status, known.steps, known.last_tool) == ("finished", "finished", 3, "stop")
    assert known.usage.total_tokens == 42
    assert "one\ntwo\n" in next(m["content"] for m in known.agent.history if m["role"] == "tool")
    assert family.runtime.read_file("a.txt") == "one\n"
    assert family.tasks.result(task) == "I changed a.txt."
    family.run(STOP)
    (told,) = [event.message["content"] for event in family.of(MessageFinished) if event.origin == "task"]
    assert told.startswith(f"Task {task} (")
    assert "I changed a.txt." in told
    family.run(STOP)
    assert len([event for event in family.of(MessageFinished) if event.origin == "task"]) == 1


def test_named_files_come_along_and_a_missing_one_is_an_error(family: Family) -> None:
    family.runtime.write_file("docs/a.txt", "a")
    family.runtime.write_file("b.txt", "b")
    task = family.start("child", STOP, files=["docs"])
    assert family.tasks.wait(task, SECONDS)
    child = family.tasks.tasks[task].agent.runtime
    assert child.read_file("docs/a.txt") == "a"
    assert not child.workspace.exists("b.txt")
    with pytest.raises(WorkspaceError, match=r"nothing.txt"):
        family.start("other", STOP, files=["nothing.txt"])
    assert list(family.tasks.tasks) == [task]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workspace": "all"}, "files, copy"),
        ({"workspace": "copy", "files": ["a"]}, "brings all files"),
        ({"persona": "nobody"}, "there is no persona 'nobody'; there are: "),
        ({"parent_depth": 1}, "nested"),
    ],
)
def test_what_cannot_be_started_says_what_is_accepted(family: Family, options: dict[str, Any], words: str) -> None:
    with pytest.raises(TaskError, match=words):
        family.start("child", STOP, **options)
    assert family.events == []


@pytest.mark.hostile(40)
def test_twelve_threads_at_once_start_no_more_tasks_than_may_run(family: Family) -> None:
    family.tasks.max_tasks = 3
    gates = [Gate() for _ in range(12)]
    line = threading.Barrier(12)
    started: list[str] = []
    refused: list[str] = []

    def start(number: int) -> None:
        line.wait(SECONDS)
        try:
            started.append(family.start(f"t{number}", gates[number]))
        except TaskError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=start, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert (len(started), len(refused)) == (3, 9)
    assert {text.partition(";")[0] for text in refused} == {"max 3 tasks run at once"}
    assert sum(isinstance(event, TaskStarted) for event in family.events) == 3
    for gate in gates:
        gate.opened.set()
    assert all(family.tasks.wait(task, SECONDS) for task in started)


def test_a_task_in_the_queue_waits_for_its_turn(family: Family) -> None:
    family.tasks.max_tasks = 1
    gate = Gate()
    first = family.start("first", gate)
    with pytest.raises(TaskError, match="max 1 tasks"):
        family.start("second", STOP)
    second = family.start("second", STOP, queue=True)
    third = family.start("third", STOP, queue=True)
    assert gate.reached.wait(SECONDS)
    assert [family.tasks.status(task) for task in (first, second, third)] == ["running", "queued", "queued"]
    assert not family.tasks.wait(second, 0.05)
    assert family.tasks.cancel(third)
    assert family.tasks.status(third) == "cancelled"
    gate.opened.set()
    assert family.tasks.wait(second, SECONDS)
    assert family.states(second) == ["queued", "running", "finished", "finished"]
    assert family.states(third) == ["queued", "cancelled", "cancelled"]
    assert family.states(first) == ["running", "finished", "finished"]


def test_a_task_that_cannot_be_prepared_fails_when_its_turn_comes(family: Family) -> None:
    family.tasks.max_tasks = 1
    gate = Gate()
    first = family.start("first", gate)
    second = family.start("second", STOP, queue=True, files=["missing.txt"])
    gate.opened.set()
    assert family.tasks.wait(first, SECONDS)
    assert family.tasks.wait(second, SECONDS)
    assert family.tasks.status(second).startswith("error: 'missing.txt'")
    assert family.tasks.tasks[second].state == "failed"


def test_a_message_comes_at_the_next_step(family: Family) -> None:
    gate = Gate(call(("bash", {"cmd": "true"})))
    task = family.start("child", gate, STOP)
    assert gate.reached.wait(SECONDS)
    family.tasks.send(task, "use tabs")
    gate.opened.set()
    assert family.tasks.wait(task, SECONDS)
    assert family.requests[-1][-1] == {"role": "user", "content": "use tabs"}
    with pytest.raises(TaskError, match="is over"):
        family.tasks.send(task, "too late")
    with pytest.raises(TaskError, match="empty"):
        family.tasks.send(task, " ")
    with pytest.raises(TaskError, match="not found"):
        family.tasks.send("nobody", "hello")


def test_a_question_that_nobody_can_answer_waits_and_the_answer_goes_on_with_it(family: Family) -> None:
    family.tasks.max_tasks = 1
    task = family.start("child", call(("continue", {"question": "tabs or spaces?"})), STOP)
    assert family.tasks.wait(task, SECONDS)
    assert family.tasks.status(task) == "waiting"
    assert family.tasks.running() == []
    assert "nobody can answer it here:\n```\ntabs or spaces?\n```" in family.tasks.take_reports()[0]
    other = family.start("other", STOP)  # it holds no place meanwhile
    assert family.tasks.wait(other, SECONDS)
    family.tasks.send(task, "tabs")
    assert family.tasks.wait(task, SECONDS)
    assert family.tasks.status(task) == "finished"
    assert family.requests[-1][-1] == {"role": "user", "content": "tabs"}
    assert family.states(task) == ["running", "waiting", "queued", "running", "finished", "finished"]


def test_a_task_that_waits_for_an_answer_ends_with_its_parent(family: Family) -> None:
    task = family.start("child", call(("continue", {"question": "well?"})))
    assert family.tasks.wait(task, SECONDS)
    family.agent.close()
    assert family.tasks.status(task) == "cancelled"


def test_a_task_can_be_done_again(family: Family) -> None:
    family.runtime.write_file("a.txt", "a")
    gate = Gate()
    task = family.start("child", gate, files=["a.txt"])
    with pytest.raises(TaskError, match="has not ended"):
        family.tasks.retry(task)
    assert family.tasks.cancel(task)
    gate.opened.set()
    assert family.tasks.wait(task, SECONDS)
    family.scripts["child"] = [STOP]
    again = family.tasks.retry(task)
    assert family.tasks.wait(again, SECONDS)
    assert family.tasks.tasks[again].agent.runtime.read_file("a.txt") == "a"
    assert family.of(TaskStarted)[-1].retry_of == task
    assert family.tasks.status(task) == "cancelled"


@pytest.mark.parametrize("limits", [{"task_timeout": 0.2}, {"step_timeout": 0.2}])
def test_a_task_at_its_time_limit_gets_one_step_to_say_what_it_did(family: Family, limits: dict[str, float]) -> None:
    task = family.start("child", call(("bash", {"cmd": "sleep 5"})), say("I slept."), **limits)
    assert family.tasks.wait(task, SECONDS)
    assert re.fullmatch(r"timeout after [0-3]\.\ds", family.tasks.status(task))
    assert family.tasks.result(task) == "I slept."
    assert "limit of time" in family.requests[-1][-1]["content"]


def test_a_task_at_its_limit_of_steps_is_offered_no_tools_any_more(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYGENT_MAX_STEPS", "2")
    manager = TaskManager(lambda persona: Agent(Runtime(temporary=True), model, persona=persona), parent=family.agent)
    look = call(("bash", {"cmd": "true"}))
    model = ScriptedModel([look, call(("bash", {"cmd": "false"})), call(("bash", {"cmd": "touch x"}), text="Two.")])
    task = manager.start_task("go", family.runtime)
    assert manager.wait(task, SECONDS)
    assert manager.status(task).startswith("timeout after ")
    assert manager.tasks[task].state == "timeout"
    assert manager.result(task) == "Two."
    assert model.tools[-1] is None
    assert not manager.tasks[task].agent.runtime.workspace.exists("x")
    manager.close()


def test_a_last_step_that_fails_changes_nothing(family: Family) -> None:
    def fails(messages: Any) -> Any:
        raise RuntimeError("the server is gone")

    task = family.start("child", call(("bash", {"cmd": "sleep 5"}), text="I sleep."), fails, task_timeout=0.2)
    assert family.tasks.wait(task, SECONDS)
    assert (family.tasks.status(task), family.tasks.result(task)) == ("timeout after 0.2s", "I sleep.")


def test_the_parent_waits_for_its_tasks_without_polling(family: Family) -> None:
    gate = Gate(say("Done here."))
    delegate = call(("delegate_task", {"prompt": "child"}))
    family.scripts["child"] = [gate, STOP]
    opener = threading.Timer(0.1, gate.opened.set)
    opener.start()
    family.run(delegate, call(("wait_for_tasks", {})), STOP)
    results = [message["content"] for message in family.agent.history if message["role"] == "tool"]
    assert results[1].startswith("Task ")
    assert "Done here." in results[1]
    assert not [event for event in family.of(MessageFinished) if event.origin == "task"]
    assert len([request for request in family.requests if {"role": "user", "content": "parent"} in request]) == 3


def test_a_report_goes_on_with_a_run_that_would_have_ended(family: Family) -> None:
    gate = Gate(say("I found it."))
    family.scripts["child"] = [gate, STOP]

    def stop_late(messages: Any) -> Any:
        gate.opened.set()
        assert family.tasks.wait(next(iter(family.tasks.tasks)), SECONDS)
        return STOP

    result = family.run(call(("delegate_task", {"prompt": "child"})), stop_late, say("It was found."), STOP)
    assert result.reason == "stopped"
    assert "I found it." in family.requests[-2][-1]["content"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"task_ids": ["nobody"]}, "Task nobody not found"),
        ({}, "No task is running."),
    ],
)
def test_waiting_for_nothing_says_so(family: Family, arguments: dict[str, Any], words: str) -> None:
    family.run(call(("wait_for_tasks", arguments)), STOP)
    assert words in next(message["content"] for message in family.agent.history if message["role"] == "tool")


def test_waiting_has_a_time_limit_and_ends_with_the_run(family: Family) -> None:
    gate = Gate()
    task = family.start("child", gate)
    said = family.tasks.wait_for(None, CancelToken(), 0.05)
    assert said.endswith(f"{family.tasks.tasks[task].persona.name}): running.")
    assert family.tasks.wait_for([task], CancelToken(0.6)).endswith("running.")
    threading.Timer(0.1, family.agent.cancel).start()
    result = family.run(call(("wait_for_tasks", {})))
    assert result.reason == "cancelled"
    gate.opened.set()


def asked(family: Family) -> Callable[[], Any]:
    """Waits for the next question to a person."""
    arrived: list[ApprovalRequested] = []
    there = threading.Condition()

    def sink(event: Event) -> None:
        if isinstance(event, ApprovalRequested):
            with there:
                arrived.append(event)
                there.notify_all()

    family.bus.subscribe(sink)

    def following() -> ApprovalRequested:
        with there:
            assert there.wait_for(lambda: arrived, SECONDS)
            return arrived.pop(0)

    return following


@pytest.fixture
def attended(tmp_path: Path) -> Iterator[Family]:
    """A family with a person who answers."""
    family = Family(tmp_path)
    broker = Broker(family.bus.publish)
    family.agent.join(Wiring(bus=family.bus, approvals=Approvals(Policy("auto"), broker), at_stop="ask"))
    family.broker = broker  # type: ignore[attr-defined]
    yield family
    family.close()


@pytest.mark.parametrize("by_message", [True, False])
def test_a_question_of_a_task_comes_to_the_person(attended: Family, by_message: bool) -> None:
    family, following = attended, asked(attended)
    task = family.start("child", call(("continue", {"question": "tabs or spaces?"})), STOP)
    request = following()
    assert (request.agent_id, request.tool, request.arguments) == (task, "continue", {"question": "tabs or spaces?"})
    assert request.summary == "Question: tabs or spaces?"
    assert family.tasks.tasks[task].state == "waiting"
    if by_message:
        family.tasks.send(task, "tabs")
    else:
        assert family.broker.resolve(request.request_id, "allow_once", "tabs")  # type: ignore[attr-defined]
    assert family.tasks.wait(task, SECONDS)
    assert family.requests[-1][-1]["content"] == "The user answers: tabs"
    assert family.states(task) == ["running", "waiting", "running", "finished", "finished"]


@pytest.mark.parametrize(("decision", "runs"), [("deny", 3), ("allow_session", 2)])
def test_stopping_while_tasks_run_asks_first(attended: Family, decision: Any, runs: int) -> None:
    family, following = attended, asked(attended)
    gate = Gate()
    family.scripts["child"] = [gate]

    def answer() -> None:
        request = following()
        assert "1 task still runs" in request.summary
        family.broker.resolve(request.request_id, decision, "wait for it")  # type: ignore[attr-defined]
        if decision == "deny":
            gate.opened.set()

    person = threading.Thread(target=answer)
    person.start()
    result = family.run(call(("delegate_task", {"prompt": "child"})), STOP, call(("wait_for_tasks", {})), STOP)
    person.join(SECONDS)
    gate.opened.set()
    assert result.reason == "stopped"
    asked_for = [message["content"] for message in family.agent.history if message["role"] == "tool"]
    assert ("Not stopped: 1 task still runs" in asked_for[1]) == (decision == "deny")
    assert len(family.scripts["parent"]) == (0 if decision == "deny" else 2)


def test_without_a_person_the_end_waits_for_tasks_and_goes_on_with_their_reports(tmp_path: Path) -> None:
    family = Family(tmp_path, at_stop="wait", settle_tasks=True)
    gate = Gate(say("I found it."))
    family.scripts["child"] = [gate, STOP]

    def stop(messages: Any) -> Any:
        gate.opened.set()
        return STOP

    result = family.run(call(("delegate_task", {"prompt": "child"})), stop, say("It was found."), STOP)
    assert result.reason == "stopped"
    assert "I found it." in family.requests[-2][-1]["content"]
    family.close()


def test_where_nobody_is_a_task_that_asks_is_told_so_and_waits_the_second_time(tmp_path: Path) -> None:
    family = Family(tmp_path, approvals=Approvals(Policy("auto")))
    ask = call(("continue", {"question": "what next?"}))
    goes_on = family.start("done", ask, STOP)
    assert family.tasks.wait(goes_on, SECONDS)
    assert family.tasks.status(goes_on) == "finished"
    assert "Nobody is there to answer. If the task is done, call stop." in str(family.requests[-1])
    asks_again = family.start("stuck", ask, ask)
    assert family.tasks.wait(asks_again, SECONDS)
    assert family.tasks.status(asks_again) == "waiting"
    family.agent.close()


def test_a_parent_that_says_no_more_is_told_what_it_has_not_taken_over(family: Family) -> None:
    family.scripts["child"] = [call(("write_file", {"path": "new.txt", "content": "x"})), STOP]
    delegate = call(("delegate_task", {"prompt": "child"}))
    family.run(delegate, call(("wait_for_tasks", {"timeout": 1})), say("```\nall done\n```"), STOP)
    (task,) = family.tasks.tasks.values()
    reminded = f'is not in your workspace: apply_task(task_id="{task.id}") takes it over.'
    assert reminded in family.requests[-1][-1]["content"]
    family.tasks.apply(task.id)
    assert family.tasks.to_do() == ""


def test_where_nobody_watches_a_stop_that_leaves_work_is_questioned_once(tmp_path: Path) -> None:
    family = Family(tmp_path, approvals=Approvals(Policy("auto")), autonomous=True)
    family.scripts["child"] = [call(("write_file", {"path": "new.txt", "content": "x"})), STOP]
    delegate = call(("delegate_task", {"prompt": "child"}))
    apply = call(("apply_task", {"task_id": "<the id>", "paths": ["other.txt"]}))
    result = family.run(delegate, call(("wait_for_tasks", {"task_ids": ["<the id>"]})), apply, STOP, STOP)
    assert (result.reason, result.steps) == ("stopped", 5)
    *_, failed, questioned, _ = [one["content"] for one in family.agent.history if one["role"] == "tool"]
    assert "it changed: new.txt" in failed or "Changed are: 'new.txt'" in failed  # a placeholder means the only task
    assert questioned.startswith("Not stopped: What task ")
    family.agent.close()


def test_tasks_that_are_over_keep_no_files_open(tmp_path: Path) -> None:
    family = Family(tmp_path)
    family.tasks.folder = tmp_path / "places"
    before = len(os.listdir("/proc/self/fd"))
    for number in range(5):
        assert family.tasks.wait(family.start(f"child {number}", STOP, workspace="copy"), SECONDS)
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    assert len(os.listdir(tmp_path / "places")) == 5
    family.agent.close()
    assert os.listdir(tmp_path / "places") == []


def test_a_task_tells_what_it_changed(family: Family) -> None:
    family.runtime.write_file("a.txt", "one\n")
    family.runtime.write_file("b.txt", "two\n")
    family.runtime.bash("ln -s b.txt link")
    change = call(
        ("write_file", {"path": "a.txt", "content": "new\n"}), ("bash", {"cmd": "echo c > c.txt; rm b.txt"})
    )
    for number, options in enumerate(({"workspace": "copy"}, {"files": ["a.txt", "link"]})):
        task = family.start(f"child {number}", change, STOP, **options)
        assert family.tasks.wait(task, SECONDS)
        ended = family.of(TaskFinished)[-1]
        assert ended.changes == [
            {"path": "a.txt", "kind": "changed"},
            {"path": "b.txt", "kind": "deleted"},
            {"path": "c.txt", "kind": "added"},
        ]
        (told,) = family.tasks.take_reports()
        assert "\n  M a.txt\n  D b.txt\n  A c.txt\n" in told


@pytest.mark.parametrize("ignored", [False, True])
def test_a_copy_has_what_is_not_ignored_and_all_by_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignored: bool
) -> None:
    monkeypatch.setenv("PYGENT_TASKS_COPY_IGNORED", str(ignored))
    family = Family(tmp_path)
    for path in (".gitignore", "a.txt", "new.txt", "build/out.o"):
        family.runtime.write_file(path, "build/\n")
    family.runtime.bash("git init -q . && git add a.txt .gitignore")
    task = family.start(
        "child", call(("bash", {"cmd": "mkdir -p build; echo x > build/new.o"})), STOP, workspace="copy"
    )
    assert family.tasks.wait(task, SECONDS)
    child = family.tasks.tasks[task]
    copied = {path for path in child.agent.runtime.workspace.walk() if not path.startswith(".git/")}
    assert copied == {".gitignore", "a.txt", "new.txt", "build/new.o"} | ({"build/out.o"} if ignored else set())
    assert child.changes is not None
    assert child.changes.paths == (("build/new.o",) if ignored else ())
    family.close()


def test_a_folder_that_happens_to_lie_in_a_repository_hides_nothing(tmp_path: Path) -> None:
    family = Family(tmp_path)
    (tmp_path / ".gitignore").write_text("tasks\n")
    family.runtime.bash(f"git init -q {tmp_path}")
    family.tasks.folder = tmp_path / "tasks"
    task = family.start("child", call(("write_file", {"path": "new.txt", "content": "x"})), STOP, workspace="copy")
    assert family.tasks.wait(task, SECONDS)
    changes = family.tasks.tasks[task].changes
    assert changes is not None
    assert changes.paths == ("new.txt",)
    family.close()


def test_what_cannot_be_copied_is_told(family: Family) -> None:
    family.runtime.bash("mkfifo pipe; echo a > a.txt; git init -q .")
    task = family.start("child", STOP, files=["."])
    assert family.tasks.wait(task, SECONDS)
    (told,) = [event.text for event in family.of(Notice)]
    assert told.startswith(f"Not copied for task {task}: ")
    assert "pipe" in told


@pytest.mark.parametrize("queue", [False, True])
def test_no_more_run_at_once_than_may_however_many_threads_start_them(family: Family, queue: bool) -> None:
    gate, started, refused = Gate(), list[str](), list[TaskError]()
    together = threading.Barrier(12)

    def start(number: int) -> None:
        together.wait(SECONDS)
        try:
            started.append(family.start(f"child {number}", gate, queue=queue))
        except TaskError as error:
            refused.append(error)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert gate.reached.wait(SECONDS)
    states = [task.state for task in family.tasks.tasks.values()]
    assert (states.count("running"), states.count("queued"), len(refused)) == ((3, 9, 0) if queue else (3, 0, 9))
    gate.opened.set()
    assert all(family.tasks.wait(task, SECONDS) for task in started)
    at_once = most = 0
    for event in family.events:
        at_once += (event.type == "run.started") - (event.type == "run.finished")
        most = max(most, at_once)
    assert most == 3


def test_the_report_of_a_task_that_a_person_started_says_so(family: Family) -> None:
    family.tasks.wait(family.start("child", STOP), SECONDS)
    assert "You did not start this task" in family.tasks.take_reports()[0]
    family.scripts["child"] = [STOP]
    family.run(call(("delegate_task", {"prompt": "child"})), call(("wait_for_tasks", {})), STOP)
    assert "You did not start" not in str(family.agent.history)


def test_what_a_repository_around_the_workspace_ignores_is_no_change(tmp_path: Path) -> None:
    family = Family(tmp_path)
    (tmp_path / ".gitignore").write_text("build/\n*.log\n/parent/top.txt\n")
    family.runtime.write_file(".gitignore", "!kept.log\n")
    family.runtime.bash(f"git init -q {tmp_path}; echo '*.tmp' > {tmp_path}/.git/info/exclude")
    made = "mkdir -p build sub; touch build/x sub/a.log kept.log b.tmp top.txt sub/top.txt new.txt"
    task = family.start("child", call(("bash", {"cmd": made})), STOP, workspace="copy")
    assert family.tasks.wait(task, SECONDS)
    changes = family.tasks.diff(task)
    assert changes.paths == ("kept.log", "new.txt", "sub/top.txt")
    assert [change["path"] for change in family.of(TaskFinished)[0].changes] == list(changes.paths)
    family.close()
