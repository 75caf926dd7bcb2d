"""The runner of the tasks: what each agent is given, how its work is counted, and what a run leaves."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.tasks import alone
from benchmarks.tasks.__main__ import main
from benchmarks.tasks.agents import AgentError, Alone, CommandLine, Limits, Pygent, Server, chosen
from benchmarks.tasks.merging import merged
from benchmarks.tasks.place import workspace
from benchmarks.tasks.proxy import CountingProxy
from benchmarks.tasks.report import table
from benchmarks.tasks.running import Result, ResultsError, Runner, ServerLost, read_results
from benchmarks.tasks.task import SUITE, Task, load
from tests.fakes.openai_server import FakeOpenAI, raw, reply, silent, sse, status

MEDIAN = load(SUITE / "fix_median")
GOOD = (MEDIAN.folder / "solution" / "stats.py").read_text()
PYTHON = sys.executable


def run(server: FakeOpenAI, folder: Path, agent: Any, task: Task = MEDIAN, limits: Limits | None = None) -> Result:
    runner = Runner(folder, Server(server.url, "a key", "small"), limits or Limits(100))
    return runner.run([agent], [task])[0]


def post(url: str, **request: Any) -> str:
    body = json.dumps({"model": "small", "messages": [{"role": "user", "content": "hello"}], **request}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/chat/completions", body), timeout=20) as response:
        return str(response.read().decode())


def agent(folder: Path, code: str) -> CommandLine:
    """An agent that is a Python program."""
    program = folder / "program.py"
    program.write_text(ASKS + code)
    return CommandLine("program", f"'{PYTHON}' '{program}' {{prompt}}")


ASKS = """
import json, os, sys, time, urllib.request
body = json.dumps({"model": "small", "messages": [{"role": "user", "content": sys.argv[1]}]}).encode()
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
ask = lambda: json.load(urllib.request.urlopen(url, body))["choices"][0]["message"]["content"]
"""


class TestAlone:
    def test_a_good_reply_solves_the_task(self, tmp_path: Path) -> None:
        with FakeOpenAI([reply(f"Two values are needed.\n\nstats.py\n```python\n{GOOD}```\n")]) as server:
            result = run(server, tmp_path, Alone())
            prompt = str(server.requests[0]["messages"][-1]["content"])
        assert (result.solved, result.requests, result.prompt_tokens, result.completion_tokens) == (True, 1, 100, 10)
        assert prompt.startswith(MEDIAN.prompt)
        assert "def spread(values)" in prompt, "the file is shown"
        assert "AssertionError: 4 != 3.5" in prompt, "the failing output is shown"
        assert (tmp_path / "alone" / "fix_median.1" / "workspace" / "stats.py").read_text() == GOOD

    def test_a_bad_reply_does_not(self, tmp_path: Path) -> None:
        with FakeOpenAI([reply("I would look at the median.")]) as server:
            result = run(server, tmp_path, Alone())
        assert not result.solved
        assert (result.note, "ended with 1" in result.missing) == ("wrote nothing", True)

    def test_a_script_is_run(self, tmp_path: Path) -> None:
        script = "git add README.md\ngit commit -m 'Explain the set-up'"
        with FakeOpenAI([reply(f"```bash\n{script}\n```")]) as server:
            result = run(server, tmp_path, Alone(), load(SUITE / "operate_commit"))
            assert "Show the sensors" in str(server.requests[0]["messages"][-1]["content"]), "the log is shown"
        assert result.solved, result.missing

    def test_an_answer_is_looked_for(self, tmp_path: Path) -> None:
        with FakeOpenAI([reply("It listens on port 7423.")]) as server:
            assert run(server, tmp_path, Alone(), load(SUITE / "find_port")).solved

    def test_a_server_that_refuses_is_told(self, tmp_path: Path) -> None:
        with FakeOpenAI([status(400, "too long")]) as server:
            result = run(server, tmp_path, Alone())
        assert (result.solved, result.code, "too long" in result.note) == (False, 1, True)

    @pytest.mark.parametrize(
        "text",
        [
            "stats.py\n```python\nx = 1\n```",
            "**`stats.py`**:\n\n```\nx = 1\n```",
            "### File: ./stats.py\n```py\nx = 1\n```",
            "```python stats.py\nx = 1\n```",
            "Here it is:\n```python\nx = 1\n```\nIt is right.",
            "stats.py\n```python\nx = 1\n",
            "stats.py\n````\nx = 1\n````",
        ],
    )
    def test_many_ways_to_head_a_block_are_read(self, text: str, tmp_path: Path) -> None:
        assert alone.files(MEDIAN, tmp_path, alone.blocks(text)) == {"stats.py": "x = 1\n"}

    def test_one_block_with_several_files_is_read(self, tmp_path: Path) -> None:
        text = "```python\n# todo.py\nx = 1\n\n# report.py\ny = 2\n# that is it\n```"
        found = alone.files(load(SUITE / "several_new_field"), tmp_path, alone.blocks(text))
        assert found == {"todo.py": "# todo.py\nx = 1\n", "report.py": "# report.py\ny = 2\n# that is it\n"}

    def test_files_outside_are_not_written(self, tmp_path: Path) -> None:
        found = alone.blocks("../../etc/motd.txt\n```\nx\n```\n\nnew/part.py\n```\ny\n```")
        assert alone.files(MEDIAN, tmp_path, found) == {"new/part.py": "y\n", "stats.py": "x\n"}


class TestMerging:
    FILE = '"""A file."""\n\nX = 1\n\n\n@cache\ndef a():\n    return 1\n\n\ndef b():\n    return 2\n'

    def test_one_function_is_put_into_its_file(self) -> None:
        text = merged(self.FILE, "@cache\ndef a():\n    return 3")
        assert text == self.FILE.replace("return 1", "return 3")

    def test_what_comes_with_it_is_kept(self) -> None:
        text = merged(self.FILE, "import re\n\ndef b():\n    return c()\n\ndef c():\n    return re\n")
        assert text.startswith('"""A file."""\nimport re\n')
        assert text.endswith("def b():\n    return c()\n\n\ndef c():\n    return re\n")

    @pytest.mark.parametrize(
        "whole", ["def b(): pass\n\ndef a(): pass\n", "def other(): pass\n", "no Python", "X = 2\n"]
    )
    def test_a_whole_file_stays_one(self, whole: str) -> None:
        assert merged(self.FILE, whole) == whole


class TestOtherAgents:
    def test_a_command_line_works_in_the_workspace(self, tmp_path: Path) -> None:
        works = agent(tmp_path, 'open("stats.py", "w").write(ask()); print("done")')
        with FakeOpenAI([reply(GOOD)]) as server:
            result = run(server, tmp_path, works)
            assert server.requests[0]["messages"][0]["content"] == MEDIAN.prompt
            assert server.headers[0].get("authorization") is None
        assert (result.solved, result.requests, result.code) == (True, 1, 0)
        assert (tmp_path / "program" / "fix_median.1" / "output.txt").read_text() == "done\n"

    def test_what_it_may_ask_is_limited(self, tmp_path: Path) -> None:
        with FakeOpenAI([reply("go on")], repeat=True) as server:
            result = run(server, tmp_path, agent(tmp_path, "while True: ask()"), limits=Limits(60, requests=3))
            assert len(server.requests) == 3
        assert (result.requests, result.solved) == (3, False)

    def test_its_time_is_limited(self, tmp_path: Path) -> None:
        with FakeOpenAI() as server:
            result = run(server, tmp_path, agent(tmp_path, "time.sleep(60)"), limits=Limits(0.3))
        assert (result.code, result.note) == (124, "ended: out of time")

    def test_placeholders(self, tmp_path: Path) -> None:
        show = "import sys; print(*sys.argv[1:], sep=chr(10))"
        line = (
            f"{PYTHON} -c '{show}' {{model}} [[ --test {{check}} ]] {{files}} --read={{tests}} {{prompt_with_check}}"
        )
        with FakeOpenAI() as server:
            run(server, tmp_path, CommandLine("one", line))
            run(server, tmp_path, CommandLine("one", line), load(SUITE / "operate_merge_csv"))
        told = [
            (tmp_path / "one" / f"{name}.1" / "output.txt").read_text().splitlines()
            for name in ("fix_median", "operate_merge_csv")
        ]
        files = ["stats.py", "test_stats.py", "--read=test_stats.py"]
        assert told[0][:6] == ["small", "--test", str(MEDIAN.check), *files]
        assert told[0][6].endswith(f"Check it with `{MEDIAN.check}`.")
        assert told[1][:4] == ["small", "january.csv", "february.csv", "march.csv"]

    def test_pygent_works_and_keeps_its_session(self, tmp_path: Path) -> None:
        calls = [("write_file", {"path": "stats.py", "content": GOOD})]
        script = [reply("I fix it.", tool_calls=calls), reply("The median is right.", tool_calls=[("stop", {})])]
        with FakeOpenAI(script) as server:
            result = run(server, tmp_path, Pygent())
        assert (result.solved, result.requests, result.prompt_tokens, result.code) == (True, 2, 200, 0), result
        assert result.session
        assert list((tmp_path / "pygent-data").rglob("*.db*"))

    @pytest.mark.parametrize(
        ("wanted", "told"),
        [
            (["nobody"], "no agent is named 'nobody'; there are alone, pygent, aider"),
            (["x="], "expected NAME=COMMAND LINE"),
            (["x=run {promt}"], "known are {prompt},"),
            (["x=run 'it"], "No closing quotation"),
            (["alone", "alone"], "the same name"),
        ],
    )
    def test_a_wrong_description_is_told(self, wanted: list[str], told: str) -> None:
        with pytest.raises(AgentError) as caught:
            chosen(wanted)
        assert told in str(caught.value)

    def test_those_of_the_file_are_valid(self) -> None:
        assert [one.name for one in chosen(["aider", "mini-swe-agent"])] == ["aider", "mini-swe-agent"]


class TestProxy:
    def test_usage_is_asked_for_and_kept_from_those_who_did_not(self, tmp_path: Path) -> None:
        with FakeOpenAI([reply("hello there")]) as server, CountingProxy(server.url, tmp_path / "log") as proxy:
            seen = post(proxy.url, stream=True)
            assert server.requests[0]["stream_options"] == {"include_usage": True}
        assert "usage" not in seen
        assert seen.rstrip().endswith("data: [DONE]")
        assert (proxy.counts.prompt_tokens, proxy.counts.completion_tokens, proxy.counts.estimated) == (100, 10, 0)
        line = json.loads((tmp_path / "log").read_text())
        assert (line["answer"]["text"], line["usage"], line["request"]["stream"]) == ("hello there", [100, 10], True)

    def test_usage_that_was_asked_for_passes(self, tmp_path: Path) -> None:
        with FakeOpenAI([reply("hello")]) as server, CountingProxy(server.url, tmp_path / "log") as proxy:
            assert '"usage"' in post(proxy.url, stream=True, stream_options={"include_usage": True})

    def test_calls_are_kept(self, tmp_path: Path) -> None:
        for stream in (True, False):
            script = [reply("I look.", tool_calls=[("bash", {"cmd": "ls"})])]
            with FakeOpenAI(script) as server, CountingProxy(server.url, tmp_path / "log") as proxy:
                post(proxy.url, stream=stream)
        for line in (tmp_path / "log").read_text().splitlines():
            calls = json.loads(line)["answer"]["tool_calls"]
            assert [(call["name"], json.loads(call["arguments"])) for call in calls] == [("bash", {"cmd": "ls"})]

    def test_an_answer_without_usage_is_estimated(self, tmp_path: Path) -> None:
        script = [reply("x" * 400, usage=None)]
        with FakeOpenAI(script) as server, CountingProxy(server.url, tmp_path / "log") as proxy:
            post(proxy.url)
        assert (proxy.counts.completion_tokens, proxy.counts.estimated) == (100, 1)

    def test_an_answer_is_capped(self, tmp_path: Path) -> None:
        with FakeOpenAI([reply("a")], repeat=True) as server:
            with CountingProxy(server.url, tmp_path / "log", answer_tokens=50) as proxy:
                post(proxy.url)
                post(proxy.url, max_completion_tokens=20)
                post(proxy.url, max_tokens=200)
            sent = [(one.get("max_tokens"), one.get("max_completion_tokens")) for one in server.requests]
        assert sent == [(50, None), (None, 20), (50, None)]

    def test_the_list_of_models_passes_and_is_not_counted(self, tmp_path: Path) -> None:
        with FakeOpenAI(models=["small"]) as server, CountingProxy(server.url, tmp_path / "log") as proxy:
            answer = urllib.request.urlopen(f"{proxy.url}/models").read()
        assert json.loads(answer)["data"][0]["id"] == "small"
        assert proxy.counts.requests == 0

    def test_closing_ends_what_the_server_still_answers(self, tmp_path: Path) -> None:
        endless = raw([sse({"choices": [{"index": 0, "delta": {"content": "a"}}]}, done=False)], end="stay")
        for step in (silent(), endless):
            with FakeOpenAI([step]) as server:
                with CountingProxy(server.url, tmp_path / "log") as proxy:
                    asking = threading.Thread(target=swallow, args=(lambda url=proxy.url: post(url, stream=True),))
                    asking.start()
                    assert eventually(lambda: len(server.requests) == 1)
                asking.join(10)
                assert not asking.is_alive()
                assert server.gone.wait(10)

    def test_a_server_that_is_gone_is_told(self, tmp_path: Path) -> None:
        with FakeOpenAI() as server:
            pass
        with pytest.raises(ServerLost):
            run(server, tmp_path, Alone())
        with FakeOpenAI([status(503, "loading")]) as server, pytest.raises(ServerLost):
            run(server, tmp_path, Alone())
        with socket.create_server(("127.0.0.1", 0)) as listener:
            hangs_up = threading.Thread(target=hang_up, args=(listener,))
            hangs_up.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
            with pytest.raises(ServerLost):
                Runner(tmp_path, Server(url, "none", "small"), Limits(20)).run([Alone()], [MEDIAN])
            hangs_up.join()
        assert read_results(tmp_path) == []

    def test_a_server_that_comes_back_is_not_lost(self, tmp_path: Path) -> None:
        code = "import contextlib\nwith contextlib.suppress(OSError): ask()\nask()"
        with FakeOpenAI([status(503, "loading"), reply("ready")]) as server:
            assert run(server, tmp_path, agent(tmp_path, code)).requests == 2


class TestResults:
    def test_a_run_goes_on_where_it_was(self, tmp_path: Path) -> None:
        tasks = [MEDIAN, load(SUITE / "find_port")]
        told: list[str] = []
        with FakeOpenAI([reply("It is 7423.")], repeat=True) as server:
            runner = Runner(tmp_path, Server(server.url, "none", "small"), Limits(60), told.append)
            runner.run([Alone()], tasks[:1])
            with (tmp_path / "results.jsonl").open("a") as file:
                file.write('{"agent": "al')  # as a machine that stops leaves it
            results = runner.run([Alone()], tasks, jobs=2)
            assert len(server.requests) == 2
        assert [(result.task, result.solved) for result in results] == [("fix_median", False), ("find_port", True)]
        assert "1 of 2 attempts are recorded already" in told

    def test_an_interrupt_ends_the_agent_and_records_nothing(self, tmp_path: Path) -> None:
        """Two attempts at a time: one is interrupted, the other is ended with it."""

        class Interrupted(Alone):
            def work(self, work: Any) -> Any:
                assert eventually((tmp_path / "sleeps").exists)
                raise KeyboardInterrupt

        with FakeOpenAI() as server:
            runner = Runner(tmp_path, Server(server.url, "none", "small"), Limits(90))
            sleeps = agent(tmp_path, f"open({str(tmp_path / 'sleeps')!r}, 'w'); time.sleep(80)")
            begun = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                runner.run([Interrupted(), sleeps], [MEDIAN], jobs=2)
        assert time.monotonic() - begun < 60
        assert read_results(tmp_path) == []

    def test_a_file_that_is_none_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "results.jsonl").write_text("{}\n{}\n")
        with pytest.raises(ResultsError, match=r"results\.jsonl:1"):
            read_results(tmp_path)

    def test_the_table(self) -> None:
        rows = table([result("dev", True), result("dev", False), result("held", True)], markdown=True).splitlines()
        cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
        assert cells[0][:4] == ["agent", "half", "solved", "with a check"]
        assert [row[1:4] for row in cells[2:]] == [
            ["dev", "1 of 2", "1 of 2"],
            ["held", "1 of 1", "1 of 1"],
            ["all", "2 of 3", "2 of 3"],
        ]
        assert cells[2][-4:] == ["4", "440", "440", "1"]

    def test_the_program_prints_it(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with FakeOpenAI([reply("It is 7423.")], models=["small"]) as server:
            line = ["--base-url", server.url, "--model", "small", "--agent", "alone", "--task", "find_port"]
            assert main([*line, "--out", str(tmp_path)]) == 0
        assert "[1/1] alone find_port 1 requests, 100+10 tokens" in capsys.readouterr().err
        assert main(["--report", str(tmp_path)]) == 0
        assert "1 of 1" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            (["--report", "/nowhere"], "there are no results"),
            (
                ["--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--agent", "alone"],
                "--base-url http://127.0.0.1:9",
            ),
            (["--base-url", "nonsense", "--model", "m", "--agent", "alone"], "unknown url type"),
            (
                ["--base-url", "u", "--model", "m", "--agent", "x=no-such-program {prompt}"],
                "not found on PATH: no-such",
            ),
            (["--base-url", "u", "--model", "m", "--agent", "alone", "--task", "y"], "no such task: y"),
        ],
    )
    def test_bad_input_is_told(self, line: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(line) == 2
        assert told in capsys.readouterr().err

    def test_what_is_needed_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["--agent", "alone"])
        assert "needed: --base-url, --model" in capsys.readouterr().err


def test_a_workspace_knows_nothing_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("PYGENT_MODEL", "other")
    with workspace(MEDIAN) as (folder, env):
        assert not {"OPENAI_API_KEY", "PYGENT_MODEL"} & set(env)
        assert not Path(env["HOME"]).is_relative_to(folder)


def result(half: str, solved: bool) -> Result:
    return Result(
        agent="one",
        task="t",
        kind="fix",
        level="easy",
        half=half,
        check=True,
        attempt=1,
        solved=solved,
        missing="",
        requests=2,
        prompt_tokens=200,
        completion_tokens=20,
        estimated=0,
        seconds=30.0,
        code=0,
        note="",
        model="small",
    )


def hang_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


def swallow(call: Callable[[], object]) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        call()


def eventually(fact: Callable[[], bool], seconds: float = 10) -> bool:
    pause = threading.Event()
    return any(fact() or pause.wait(0.02) for _ in range(int(seconds / 0.02)))
