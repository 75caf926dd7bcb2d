"""The user's check: a model that says it is done is held to it; a small model gets what it needs to pass it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pygent import Agent, Runtime
from pygent.check import ATTEMPTS, HOPELESS, NOTHING_DONE, files_of
from pygent.events import ToolFinished
from pygent.models import OpenAIModel
from pygent.models.attempts import BEGIN_AGAIN, CHECK_FAILED, NEXT_FILE
from tests.core.doubling import CHECK, RIGHT, TEST, WRONG, Case, broken
from tests.fakes.models import ScriptedModel, call, say
from tests.fakes.openai_server import FakeOpenAI, Step, reply


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with broken(tmp_path) as made:
        yield made


def write(content: str, path: str = "double.py") -> Any:
    return call(("write_file", {"path": path, "content": content}))


STOP = call(("stop", {}), text="It works.")


def test_a_claim_that_is_wrong_is_answered_with_what_fails(runtime: Runtime) -> None:
    case = Case(runtime, ScriptedModel([STOP, write(RIGHT), STOP]))
    result = case.run()
    assert (result.reason, result.check, case.checks()) == ("stopped", "passed", 2)
    (told,) = case.told()
    assert told.startswith(f"{CHECK_FAILED}: `{CHECK}`")
    assert "double(2) is 2" in told
    assert "[exit status: 1]" in told


def test_a_reply_without_a_call_is_a_claim_too(runtime: Runtime) -> None:
    case = Case(runtime, ScriptedModel([say("Done."), say("Done."), write(RIGHT), STOP]))
    assert case.run().check == "passed"
    assert len(case.told()) == 1


def test_limits_end_what_never_passes(runtime: Runtime) -> None:
    script = [line for number in range(10) for line in (write(f"{WRONG}# {number}\n"), STOP)]
    result = Case(runtime, ScriptedModel(script)).run(max_steps=6)
    assert (result.reason, result.check, result.steps) == ("max_steps", "failed", 6)


def test_a_model_that_changes_nothing_is_not_asked_for_ever(runtime: Runtime) -> None:
    case = Case(runtime, ScriptedModel([STOP] * 10))
    result = case.run()
    assert (result.reason, result.check, result.steps) == ("stopped", "failed", HOPELESS)
    assert case.checks() == 1  # nothing changed, so nothing can have become right


def test_without_a_check_nothing_is_run(runtime: Runtime) -> None:
    case = Case(runtime, ScriptedModel([STOP]), check="")
    assert case.run().check == ""
    assert case.checks() == 0


def test_somebody_who_reads_along_is_not_checked_for_a_question(runtime: Runtime) -> None:
    case = Case(runtime, ScriptedModel([say("It doubles."), write(RIGHT), say("Mended.")]))
    assert case.agent.converse("What does it do?").check == ""
    assert case.agent.converse("Mend it.").check == "passed"


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("python3 test_double.py", {"test_double.py"}),
        ("./check.sh && make", {"check.sh", "test_double.py"}),
        ("python -m unittest", {"test_double.py", "tests/data.json", "pkg/thing_test.go"}),
    ],
)
def test_files_of_a_check(command: str, files: set[str]) -> None:
    paths = ["check.sh", "double.py", "pkg/thing_test.go", "test_double.py", "tests/data.json"]
    tests = {"test_double.py", "tests/data.json", "pkg/thing_test.go"}
    assert files_of(command, paths) == (files | tests)


@pytest.mark.parametrize(
    "command", ["python double.py", "./double.py | diff - expected.txt", "! grep -q 'TODO' double.py"]
)
def test_a_program_that_the_check_only_runs_may_be_mended(command: str) -> None:
    assert "double.py" not in files_of(command, ["double.py", "expected.txt"])
    assert ("expected.txt" in command) == ("expected.txt" in files_of(command, ["double.py", "expected.txt"]))


def test_a_check_that_the_task_names_may_be_changed_but_no_test() -> None:
    paths = ["check.py", "test_double.py"]
    assert files_of("python check.py", paths, "Let check.py, as it is now, be quick.") == {"test_double.py"}
    assert files_of("python test_double.py", paths, "Make test_double.py pass.") == {"test_double.py"}


def small(server: FakeOpenAI) -> OpenAIModel:
    return OpenAIModel(server.url, "key", profile="small")


def block(content: str, path: str = "double.py") -> Step:
    return reply(f"Here it is.\n\n{path}\n```python\n{content}```\n")


def requests(server: FakeOpenAI) -> Sequence[list[dict[str, Any]]]:
    return [request["messages"] for request in server.requests]


def test_a_small_model_is_shown_the_files_and_why_the_check_fails(runtime: Runtime) -> None:
    with FakeOpenAI([block(RIGHT)]) as server:
        case = Case(runtime, small(server))
        result = case.run()
    assert (result.reason, result.check, result.steps) == ("stopped", "passed", 1)
    assert case.content() == RIGHT
    system, user = requests(server)[0]
    assert "tools" not in server.requests[0]
    assert "fenced block" in system["content"]
    assert len(system["content"]) < 800
    assert user["content"].endswith("all of double.py, complete, in one fenced block.")
    for part in (f"double.py\n```python\n{WRONG}```", "test_double.py\n```python", "double(2) is 2", "Mend it."):
        assert part in user["content"]


def test_attempts_begin_anew_with_the_files_as_they_were(runtime: Runtime) -> None:
    with FakeOpenAI(
        [block("def double(x):\n    return 'a'\n"), block("x = 1\n", "other.py"), block(RIGHT)]
    ) as server:
        case = Case(runtime, small(server))
        assert case.run().check == "passed"
    assert [told.endswith(BEGIN_AGAIN) for told in case.told()] == [True, True]
    assert not runtime.workspace.exists("other.py")
    assert [len(messages) for messages in requests(server)] == [2, 2, 2]
    first, second, third = (request["temperature"] for request in server.requests)
    assert first < second < third


@pytest.mark.parametrize("steps", [2, 3, 100])
def test_the_last_attempt_stays(runtime: Runtime, steps: int) -> None:
    attempts = [block(f"def double(x):\n    return 'attempt {number}'\n") for number in range(1, 100)]
    with FakeOpenAI(attempts) as server:
        result = Case(runtime, small(server)).run(max_steps=steps)
    assert (result.check, result.steps) == ("failed", min(steps, ATTEMPTS))
    assert f"attempt {result.steps}'" in runtime.workspace.read_text("double.py")


def test_what_somebody_else_changed_meanwhile_is_not_put_back(runtime: Runtime) -> None:
    with FakeOpenAI([block(RIGHT)] * 2) as server:
        Case(runtime, small(server), "printf mine > double.py; exit 1").run(max_steps=2)
    assert runtime.workspace.read_text("double.py") == "mine"


def test_the_test_is_not_made_to_pass_by_changing_it(runtime: Runtime) -> None:
    with FakeOpenAI([block("pass\n", "test_double.py"), block(RIGHT)]) as server:
        case = Case(runtime, small(server))
        assert case.run().check == "passed"
    assert case.content("test_double.py") == TEST
    refused = [event.output for event in case.events if isinstance(event, ToolFinished) and event.status == "error"]
    assert any("test_double.py says what is right" in output for output in refused)


def test_an_endless_wrong_model_ends(runtime: Runtime) -> None:
    with FakeOpenAI([block(WRONG + "# so\n")], repeat=True) as server:
        result = Case(runtime, small(server)).run(max_steps=None)
    assert (result.check, result.steps) == ("failed", ATTEMPTS)


def test_files_are_shown_once_until_they_change(runtime: Runtime) -> None:
    with FakeOpenAI([reply("It doubles."), reply("It still does."), reply("Mine now.")]) as server:
        agent = Agent(runtime, small(server), "m")
        agent.converse("What does double.py do?")
        agent.converse("And now?")
        runtime.workspace.write_text("double.py", "# mine\n")
        agent.converse("And double.py now?")
    last = requests(server)[-1]
    assert sum(WRONG in message["content"] for message in last) == 1
    assert "# mine" in last[-1]["content"]
    assert "# mine" not in json.dumps(last[:-1])


def test_large_files_are_named_only_and_many_are_not_all_named(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("x" * 20_000)
    for number in range(100):
        (tmp_path / f"note{number:03}.txt").write_text(f"secret {number}")
    with (
        Runtime(use_docker=False, workspace=tmp_path) as runtime,
        FakeOpenAI([reply("Read.")]) as server,
    ):
        Agent(runtime, small(server), "m").converse("Look at note042.txt and large.txt.")
    text = requests(server)[0][-1]["content"]
    assert "secret 42" in text
    assert text.count("secret") == 1
    assert "xxx" not in text
    assert "and 41 more" in text


def test_of_data_the_beginning_is_shown_and_of_a_repository_its_state(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("".join(f"line {number}\n" for number in range(200)))
    for command in ("init -q -b trunk", "-c user.name=A -c user.email=a@b commit -q --allow-empty -m First"):
        subprocess.run(["git", "-C", tmp_path, *command.split()], check=True)
    with (
        Runtime(use_docker=False, workspace=tmp_path) as runtime,
        FakeOpenAI([reply("200.")]) as server,
    ):
        Agent(runtime, small(server), "m").converse("How many lines has app.log? Commit it.")
    text = requests(server)[0][-1]["content"]
    assert "app.log begins like this; it has 200 lines:" in text
    assert "line 4" in text
    assert "line 5" not in text
    assert "On branch trunk." in text
    assert "Changed: ? app.log" in text
    assert "First" in text


def test_a_file_that_is_to_be_written_needs_no_path(runtime: Runtime) -> None:
    with FakeOpenAI(
        [reply("It adds.\n\n```python\ndef add(a, b):\n    return a + b\n```\nUse it so:\n```python\nadd(1, 2)\n```")]
    ) as server:
        case = Case(runtime, small(server), "python3 -c 'from add import add; assert add(1, 2) == 3'")
        result = case.run("Write add.py with a function add.")
    assert (result.reason, result.check) == ("stopped", "passed")
    assert requests(server)[0][-1]["content"].endswith("give the code: all of add.py, complete, in one fenced block.")


def test_a_check_that_passed_before_has_to_pass_when_the_model_is_done(runtime: Runtime) -> None:
    runtime.workspace.write_text("double.py", RIGHT)
    renamed = RIGHT.replace("double", "twice")
    with FakeOpenAI([block(renamed), block(f"{renamed}\n\ndouble = twice\n"), reply("Renamed.")]) as server:
        case = Case(runtime, small(server))
        result = case.run("Rename double in double.py to twice, and keep the old name.")
    assert (result.reason, result.check, result.steps) == ("completed", "passed", 3)
    assert "The check passes: " in requests(server)[0][-1]["content"]
    assert case.content().startswith("def twice")


def test_where_nothing_is_broken_every_file_may_change(runtime: Runtime) -> None:
    runtime.workspace.write_text("double.py", RIGHT)
    runtime.workspace.write_text("use.py", "from double import double\n")
    with FakeOpenAI([reply("No need.")]) as server:
        Case(runtime, small(server)).run("Rename double in double.py to twice.")
    assert "Then give every file that changes" in requests(server)[0][-1]["content"]


def test_several_files_are_asked_for_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("A = 0\n")
    (tmp_path / "two.py").write_text("B = 0\n")
    command = "python3 -B -c 'import one, two, three; assert one.A == two.B == three.C == 1'"
    answers = [
        block("B = 1\n", "two.py"),
        reply("So:\n\n```python\nC = 1\n```\n"),
        block("A = 1\n", "one.py"),
    ]
    with Runtime(use_docker=False, workspace=tmp_path) as runtime, FakeOpenAI(answers) as server:
        case = Case(runtime, small(server), command)
        assert case.run("Set A in one.py, B in two.py and C in three.py to 1.").check == "passed"
    asked = [messages[-1]["content"] for messages in requests(server)]
    assert [len(messages) for messages in requests(server)] == [2] * 3
    assert "Then give every file that changes" in asked[0]
    assert asked[1].endswith("all of three.py, complete, in one fenced block.")
    assert asked[2].endswith("all of one.py, complete, in one fenced block.")
    assert "two.py\n```python\nB = 1\n```" in asked[1]
    assert "No module named 'three'" in asked[1]
    assert "three.py\n```python\nC = 1\n```" in asked[2]
    assert "B = 0" not in asked[2]
    assert "No module named 'three'" not in asked[2]
    assert all("Set A in one.py, B in two.py and C in three.py to 1." in text for text in asked)


def test_after_the_last_file_everything_begins_anew(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text("A = 0\n")
    answers = [reply("No."), block("A = 2\n", "one.py"), reply("No.")]
    with Runtime(use_docker=False, workspace=tmp_path) as runtime, FakeOpenAI(answers, repeat=True) as server:
        case = Case(runtime, small(server), "python3 -B -c 'import one, two; assert one.A == two.A == 1'")
        case.run("Set A to 1 in one.py and two.py.", max_steps=4)
    assert [text.splitlines()[-1] for text in case.told()] == [NEXT_FILE, NEXT_FILE, BEGIN_AGAIN]
    assert case.content("one.py") == "A = 0\n"
    asked = [messages[-1]["content"] for messages in requests(server)]
    assert "A = 2" in asked[2]
    assert "A = 2" not in asked[3]


def test_taken_back_attempts_are_no_success(runtime: Runtime) -> None:
    runtime.workspace.write_text("double.py", RIGHT)
    with FakeOpenAI(
        [block("oh no\n"), reply("It has to change."), block(RIGHT + "# twice\n"), reply("Done.")]
    ) as server:
        case = Case(runtime, small(server))
        result = case.run("Write a comment into double.py.")
    assert (result.reason, result.check, result.steps) == ("completed", "passed", 4)
    assert [told.splitlines()[0] for told in case.told()][-1] == NOTHING_DONE
    assert case.content().endswith("# twice\n")


def test_the_words_of_a_form_are_no_content(runtime: Runtime) -> None:
    answer = f"double.py\n```python\n{RIGHT}```\nLike this:\n\ndouble.py\n```\n(all of double.py)\n```\n"
    with FakeOpenAI([reply(answer)]) as server:
        case = Case(runtime, small(server))
        assert case.run().check == "passed"
    assert case.content() == RIGHT
