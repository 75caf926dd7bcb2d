"""`pygent -p` as a script sees it: what is on which stream, and the exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pygent.events import from_dict
from tests.fakes.invariants import check_events
from tests.fakes.openai_server import FakeOpenAI, Step, reply, silent, status

Run = Callable[..., subprocess.CompletedProcess[str]]
STOP = reply("All done.", tool_calls=[("stop", {})])


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a person who never started Pygent."""
    keep = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "PYTHONPATH", "LANG", "DOCKER_HOST", "PYGENT_LOCAL_SANDBOX")
    }
    (tmp_path / "work").mkdir()
    return {**keep, "HOME": str(tmp_path), "PYGENT_USE_DOCKER": "0", "OPENAI_API_KEY": "test-key"}


@pytest.fixture
def pygent(home: dict[str, str], tmp_path: Path) -> Run:
    def run(*options: str, script: Sequence[Step] = (), text: str | None = None, **env: str) -> Any:
        with FakeOpenAI(script) as server:
            return subprocess.run(
                [sys.executable, "-m", "pygent", *options],
                cwd=tmp_path / "work",
                env={**home, "OPENAI_BASE_URL": server.url, **env},
                input=text,
                stdin=subprocess.DEVNULL if text is None else None,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

    return run


def _work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def test_the_answer_is_on_standard_output_and_nothing_else(pygent: Run, tmp_path: Path) -> None:
    script = [reply("I write.", tool_calls=[("write_file", {"path": "a.txt", "content": "hi\n"})]), STOP]
    done = pygent("-p", "write a.txt", "--permission-mode", "auto", script=script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "All done.\n", "")
    assert (_work(tmp_path) / "a.txt").read_text() == "hi\n"


def test_the_prompt_may_come_from_standard_input(pygent: Run) -> None:
    assert pygent("-p", "-", text="do it\n", script=[STOP]).returncode == 0
    empty = pygent("-p", "-", text="  \n")
    assert empty.returncode == 2
    assert "prompt is empty" in empty.stderr


def test_json_is_one_object(pygent: Run) -> None:
    done = pygent("-p", "go", "--output-format", "json", script=[STOP])
    answer = json.loads(done.stdout)
    assert answer["type"] == "run.finished"
    assert (answer["reason"], answer["text"], answer["steps"]) == ("stopped", "All done.", 1)
    assert answer["usage"]["total_tokens"] == 110


def test_an_output_that_cannot_say_a_character_is_no_failure(pygent: Run) -> None:
    answer = reply("Größe → 3", tool_calls=[("stop", {})])
    done = pygent("-p", "go", script=[answer], PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, "Gr??e ? 3\n")
    done = pygent("-p", "go", "--output-format", "json", script=[answer], PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)["text"] == "Größe → 3"


def test_stream_json_is_the_events_and_ends_with_the_run(pygent: Run) -> None:
    script = [reply(tool_calls=[("bash", {"cmd": "echo one; echo two"})]), STOP]
    done = pygent("-p", "go", "--output-format", "stream-json", "--permission-mode", "auto", script=script)
    events = [from_dict(json.loads(line)) for line in done.stdout.splitlines()]
    check_events(events)
    assert events[0].type == "session.started"
    assert events[-1].type == "run.finished"
    assert "tool.output" in {event.type for event in events}


@pytest.mark.bubblewrap
@pytest.mark.hostile(41, 45)
def test_in_the_systems_sandbox_commands_need_no_approval_and_see_no_key(pygent: Run, tmp_path: Path) -> None:
    """The main agent's and a task's, whose workspace lies in Pygent's own folder."""
    (tmp_path / "letter").write_text("personal")
    look = "env; cat /proc/[0-9]*/environ ../letter ~/letter; ls -R ~/.local; echo 1 > made"
    hand_over = [("delegate_task", {"prompt": "look"}), ("wait_for_tasks", {})]

    def script(request: dict[str, Any]) -> Step:
        messages = json.dumps(request["messages"])
        if "hand over" not in messages:
            return STOP if "made" in messages else reply(tool_calls=[("bash", {"cmd": look})])
        calls = [[("bash", {"cmd": look})], hand_over]
        done = sum(message["role"] == "assistant" for message in request["messages"])
        return reply(tool_calls=calls[done]) if done < len(calls) else STOP

    done = pygent("-p", "hand over", "--output-format", "stream-json", script=script)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout[-3000:]
    assert events[0]["sandbox"] == "bubblewrap"
    assert not [event for event in events if event["type"] == "approval.requested"]
    outputs = [
        event["output"] for event in events if event["type"] == "tool.finished" and event["output"][:2] == "$ "
    ]
    assert len(outputs) == 2
    for output in outputs:
        assert "test-key" not in output
        assert "personal" not in output
        assert output.endswith("[exit status: 0]"), output
    assert (_work(tmp_path) / "made").read_text() == "1\n"
    finished = [event for event in events if event["type"] == "files.changed"]
    assert {path for event in finished for path in event["paths"]} <= {"made"}


@pytest.mark.hostile(39)
def test_what_would_ask_is_denied_and_exits_with_3(pygent: Run, tmp_path: Path) -> None:
    script = [reply(tool_calls=[("write_file", {"path": "a.txt", "content": "hi"})]), STOP]
    done = pygent("-p", "go", "--output-format", "stream-json", "--permission-mode", "ask", script=script)
    assert done.returncode == 3
    assert not (_work(tmp_path) / "a.txt").exists()
    events = [json.loads(line) for line in done.stdout.splitlines()]
    check_events([from_dict(event) for event in events])
    assert [event["by"] for event in events if event["type"] == "approval.resolved"] == ["nobody"]
    finished = next(event for event in events if event["type"] == "tool.finished")
    assert (finished["status"], "nobody can answer" in finished["output"]) == ("denied", True)
    assert events[-1]["denied"] == 1


def test_continue_exits_with_3(pygent: Run) -> None:
    done = pygent("-p", "go", script=[reply("Which file?", tool_calls=[("continue", {})])])
    assert (done.returncode, done.stdout) == (3, "Which file?\n")


def test_a_limit_exits_with_124(pygent: Run) -> None:
    again = reply(tool_calls=[("bash", {"cmd": "true"})])
    done = pygent("-p", "go", "--max-steps", "2", "--permission-mode", "auto", script=[again, again])
    assert done.returncode == 124
    assert "--max-steps" in done.stderr
    slow = pygent("-p", "go", "--max-time", "1", script=[silent()])
    assert slow.returncode == 124


def test_a_budget_ends_the_run_with_124_and_the_last_line_has_the_totals(pygent: Run) -> None:
    again = reply(tool_calls=[("bash", {"cmd": "true"})])
    options = ("--permission-mode", "auto", "--output-format", "json")
    done = pygent("-p", "go", "--budget", "tokens=200", *options, script=[again] * 9)
    end = json.loads(done.stdout)
    assert (done.returncode, end["reason"]) == (124, "budget")
    assert end["total_usage"] == end["usage"] == {"prompt_tokens": 300, "completion_tokens": 30, "total_tokens": 330}
    assert "The budget of the session is spent: 330 of 200 tokens." in done.stderr
    wrong = pygent("-p", "go", "--budget", "token=2")
    assert wrong.returncode == 2
    assert "--budget: a budget has no 'token'" in wrong.stderr
    assert pygent("-p", "go", *options, script=[again] * 3, PYGENT_BUDGET="steps=2").returncode == 124


def test_the_last_line_adds_up_what_the_tasks_cost(pygent: Run, tmp_path: Path) -> None:
    def answer(request: dict[str, Any]) -> Step:
        messages = request["messages"]
        said = sum(one["role"] == "assistant" for one in messages)
        if "the whole work" not in str(messages[1]["content"]):
            return STOP if said else reply(tool_calls=[("read_file", {"path": "c.yaml"})])
        if said == 0:
            return reply(tool_calls=[("delegate_persona_task", {"prompt": "a part", "persona": "frugal"})] * 2)
        started = re.findall(r"started (\w+)", str(messages))
        return reply(tool_calls=[("wait_for_tasks", {"task_ids": started})]) if said == 1 else STOP

    config = tmp_path / "c.yaml"
    config.write_text(
        "prices: {gpt-4.1-mini: {input: 10000, output: 0}}\n"  # 1 for a request
        "personas: [{name: frugal, max_steps: 5, deny: [bash], budget: {money: 50}}]\n"
    )
    options = ("--config", str(config), "--permission-mode", "auto", "--output-format", "stream-json")
    done = pygent("-p", "the whole work", *options, script=answer)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    called = [event for event in events if event["type"] == "tool.finished" and event["agent_id"] == "main"]
    refused = [event["output"] for event in called if event["status"] != "ok"]
    assert (done.returncode, refused) == (0, []), done.stderr
    tasks = [event for event in events if event["type"] == "task.finished"]
    assert [(task["state"], task["steps"], task["cost"]) for task in tasks] == [("finished", 2, 2.0)] * 2
    end = events[-1]
    assert (end["type"], end["cost"], end["total_cost"]) == ("run.finished", 3.0, 7.0)
    assert end["total_usage"]["total_tokens"] == 7 * 110
    assert sum(event["cost"] for event in events if event["type"] == "step.finished") == 7.0


def test_a_refusal_of_the_server_exits_with_1_and_says_what_to_check(pygent: Run) -> None:
    done = pygent("-p", "go", script=[status(401, "bad key")])
    assert done.returncode == 1
    assert "key" in done.stderr
    assert "test-key" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_busy_server_is_asked_again_and_exits_with_75(pygent: Run) -> None:
    busy = status(429, "slow down", headers={"Retry-After": "0"})
    assert pygent("-p", "go", script=[busy, busy, STOP]).returncode == 0
    done = pygent("-p", "go", script=[busy] * 20)
    assert done.returncode == 75
    assert "429" in done.stderr


def test_settings_that_cannot_be_used_exit_with_2(pygent: Run) -> None:
    done = pygent("-p", "go", PYGENT_MAX_STEPS="many")
    assert done.returncode == 2
    assert "PYGENT_MAX_STEPS" in done.stderr
    assert pygent("-p", "go", "--permision-mode", "auto").returncode == 2


def test_docker_that_is_asked_for_and_not_there_is_an_error(pygent: Run, tmp_path: Path) -> None:
    done = pygent("-p", "go", "--docker", DOCKER_HOST=f"unix://{tmp_path}/no.sock")
    assert done.returncode == 1
    assert "--no-docker" in done.stderr
    line = pygent("-p", "go", "--docker", "--output-format", "stream-json", DOCKER_HOST=f"unix://{tmp_path}/no.sock")
    assert json.loads(line.stdout.splitlines()[-1])["reason"] == "failed"


@pytest.mark.hostile(30, 32)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_the_run_and_its_command(home: dict[str, str], tmp_path: Path, number: int) -> None:
    pid_file = _work(tmp_path) / "pid"
    script = [reply(tool_calls=[("bash", {"cmd": f"echo $$ > {pid_file.name}; sleep 60"})])]
    with FakeOpenAI(script) as server:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pygent",
                "-p",
                "go",
                "--permission-mode",
                "auto",
                "--output-format",
                "stream-json",
            ],
            cwd=_work(tmp_path),
            env={**home, "OPENAI_BASE_URL": server.url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 20
        while not (pid_file.exists() and pid_file.read_text().strip()) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    events = [from_dict(json.loads(line)) for line in out.splitlines()]
    check_events(events)
    assert events[-1].reason == "cancelled"  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_a_run_under_nohup_goes_on_when_its_terminal_has_gone(home: dict[str, str], tmp_path: Path) -> None:
    go_on = _work(tmp_path) / "go_on"
    wait = "touch begun; until [ -e go_on ]; do sleep 0.02; done"
    with FakeOpenAI([reply(tool_calls=[("bash", {"cmd": wait})]), STOP]) as server:
        process = subprocess.Popen(
            ["nohup", sys.executable, "-m", "pygent", "-p", "go", "--permission-mode", "auto"],
            cwd=_work(tmp_path),
            env={**home, "OPENAI_BASE_URL": server.url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 20
        while not go_on.with_name("begun").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGHUP)
        go_on.touch()
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out == "All done.\n"


def test_a_reader_that_goes_away_is_no_traceback(home: dict[str, str], tmp_path: Path) -> None:
    with FakeOpenAI([reply("word " * 2000, chunk_size=5), STOP]) as server:
        command = f"{sys.executable} -m pygent -p go --output-format stream-json | head -1"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=_work(tmp_path),
            env={**home, "OPENAI_BASE_URL": server.url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_the_demo_needs_no_prompt_and_no_key(pygent: Run) -> None:
    done = pygent("--demo", "-p", "--output-format", "stream-json", OPENAI_API_KEY="")
    assert done.returncode == 0
    events = [from_dict(json.loads(line)) for line in done.stdout.splitlines()]
    check_events(events)
    tools = [(event.tool, event.agent_id == "main") for event in events if event.type == "tool.started"]  # type: ignore[attr-defined]
    assert ("wait_for_tasks", True) in tools
    assert ("apply_task", True) in tools
    assert ("write_file", False) in tools
    assert "demo" in events[-1].text  # type: ignore[attr-defined]


def test_a_run_is_stored_listed_exported_and_gone_on_with(pygent: Run) -> None:
    assert pygent("-p", "remember the number 7", script=[STOP]).returncode == 0
    listed = pygent("sessions").stdout
    assert "remember the number 7" in listed
    session_id = listed.split()[0]
    exported = pygent("sessions", "export", session_id, "jsonl").stdout
    assert json.loads(exported.splitlines()[0])["type"] == "session.started"
    seen: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> Step:
        seen.append(request)
        return STOP

    again = pygent("-c", "-p", "which number?", script=answer)  # type: ignore[arg-type]
    assert again.returncode == 0
    told = [message["content"] for message in seen[0]["messages"] if message["role"] == "user"]
    assert told == ["remember the number 7", "which number?"]
    deleted = pygent("sessions", "delete", session_id)
    assert deleted.returncode == 0
    assert pygent("sessions").stdout == "No sessions.\n"


def test_a_change_of_the_to_dos_is_a_line_of_its_own(pygent: Run) -> None:
    todos = [{"text": "look", "state": "completed"}, {"text": "mend it", "state": "in_progress"}]
    script = [reply(tool_calls=[("update_todos", {"todos": todos})]), reply("Half.", tool_calls=[("stop", {})]), STOP]
    done = pygent("-p", "go", script=script)
    assert (done.returncode, done.stdout) == (0, "All done.\n")
    assert done.stderr == "to-dos: 1 of 2 done, next: mend it\n"


def test_a_plan_is_the_answer_and_nothing_is_written(pygent: Run, tmp_path: Path) -> None:
    plan = "1. Write `a.txt`.\n2. Look at it."
    script = [
        reply(tool_calls=[("write_file", {"path": "a.txt", "content": "hi"})]),
        reply("Here it is.", tool_calls=[("present_plan", {"plan": plan})]),
    ]
    done = pygent("-p", "plan it", "--permission-mode", "plan", script=script)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{plan}\n", "")
    assert list(_work(tmp_path).iterdir()) == []
    done = pygent("-p", "plan it", "--permission-mode", "plan", script=[reply(plan)])
    assert (done.returncode, done.stdout) == (0, f"{plan}\n")
