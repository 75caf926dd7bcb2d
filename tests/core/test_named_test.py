"""The test that a task names is the check of a small model that was given none, where nobody has to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent import Persona, Runtime
from pygent.approvals import Approvals, Policy
from pygent.events import ApprovalRequested, Notice
from pygent.models import OpenAIModel
from pygent.named_test import named_test
from pygent.workspace import Workspace
from tests.core.doubling import CHECK, RIGHT, Case, broken
from tests.fakes.openai_server import FakeOpenAI, Step, reply

TASK = "test_double.py fails. Fix double.py."
FAILS = f"The check fails: `{CHECK}`"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    with broken(tmp_path) as made:
        yield made


def block(content: str) -> Step:
    return reply(f"Here it is.\n\ndouble.py\n```python\n{content}```\n")


class Ran:
    """What a run of a small model was sent, what it told, and how it ended."""

    def __init__(
        self,
        runtime: Runtime,
        *replies: Step,
        task: str = TASK,
        profile: str = "small",
        script: Callable[[dict[str, Any]], Step] | None = None,
        check: str = "",
        **wiring: Any,
    ) -> None:
        with FakeOpenAI(script or replies) as server:
            case = Case(runtime, OpenAIModel(server.url, "key", profile=profile), check, **wiring)
            self.result = case.run(task, max_steps=3)
        self.events, self.checks = case.events, case.commands()
        self.sent = [str(request["messages"][-1]["content"]) for request in server.requests]
        self.warnings = [one.text for one in self.events if isinstance(one, Notice) and one.level == "warning"]


def test_it_is_shown_what_fails_and_held_to_it(runtime: Runtime) -> None:
    case = Ran(runtime, block("def double(x):\n    return 'a'\n"), block(RIGHT))
    assert FAILS in case.sent[0]
    assert "double(2) is 2" in case.sent[0]
    assert case.sent[0].endswith("all of double.py, complete, in one fenced block.")
    assert (case.result.reason, case.result.steps, len(case.checks)) == ("stopped", 2, 3)
    assert runtime.workspace.read_text("double.py") == RIGHT


def test_it_is_no_check_of_the_users(runtime: Runtime) -> None:
    case = Ran(runtime, *[block("def double(x):\n    return 'a'\n")] * 3)
    assert case.result.check == ""
    assert case.warnings == ["The test that the task names still fails: python3 test_double.py"]
    assert not Ran(runtime, block(RIGHT)).warnings


def test_a_check_that_was_given_is_the_only_one(runtime: Runtime) -> None:
    case = Ran(runtime, block(RIGHT), check="grep -q 2 double.py")
    assert set(case.checks) == {"grep -q 2 double.py"}
    assert case.result.check == "passed"


@pytest.mark.parametrize("task", ["Why does test_double.py fail, and is double.py wrong?", "Explain double.py."])
def test_a_question_changes_nothing(runtime: Runtime, task: str) -> None:
    case = Ran(runtime, reply("It returns x."), task=task)
    assert (case.checks, case.result.steps) == ([], 1)


def test_a_larger_model_finds_tests_by_itself(runtime: Runtime) -> None:
    assert not Ran(runtime, reply("", tool_calls=[("stop", {})]), profile="full").checks


@pytest.mark.parametrize(
    "wiring",
    [
        {"approvals": Approvals(Policy("ask"))},
        {"approvals": Approvals(Policy("yolo", deny=["bash(python3 *)"]))},
        {"persona": Persona("writer", "Writes.", tools=("write_file",))},
    ],
    ids=["ask", "a rule", "a persona"],
)
def test_what_needs_somebodys_word_is_not_run(runtime: Runtime, wiring: dict[str, Any]) -> None:
    case = Ran(runtime, reply("I cannot run it."), **wiring)
    assert (case.checks, case.warnings) == ([], [])
    assert not any(isinstance(event, ApprovalRequested) for event in case.events)
    assert "The check" not in case.sent[0]


def test_a_test_that_cannot_be_run_is_none(runtime: Runtime) -> None:
    runtime.workspace.write_text("test_double.py", "raise SystemExit('/usr/bin/python3: No module named pytest')\n")
    case = Ran(runtime, block(RIGHT), reply("Done."))
    assert (len(case.checks), case.warnings, case.result.reason) == (1, [], "completed")
    assert "The check" not in case.sent[0]


def test_one_that_may_no_longer_be_run_ends_nothing(runtime: Runtime) -> None:
    policy = Policy("yolo")

    def answer(request: dict[str, Any]) -> Step:
        policy.add_rule("deny", "bash(python3 *)")
        return reply("Done.") if len(request["messages"]) > 2 else block(RIGHT)

    case = Ran(runtime, script=answer, approvals=Approvals(policy))
    assert (len(case.checks), case.warnings, case.result.steps) == (1, [], 2)


UNITTEST = "import unittest\n"
FILES = {
    "a.py": "",
    "test_a.py": UNITTEST,
    "test_b.py": "def test_b():\n    pass\n",
    "test_c.py": "assert True\n",
    "tests/test_d.py": UNITTEST,
    "a.test.js": "",
    "test_a b.py": UNITTEST,
}


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("test_a.py fails, fix a.py", "python3 -m unittest -q test_a"),
        ("Fix ./a.py so that ./test_b.py passes.", "python3 -m pytest -q test_b.py"),
        ("Write new.py with the function new that test_c.py tests.", "python3 test_c.py"),
        ("Mend a.py; see tests/test_d.py", "python3 -m unittest discover -q -s tests -t . -p test_d.py"),
        ("Mend a.py; see test_d.py", "python3 -m unittest discover -q -s tests -t . -p test_d.py"),
        ("In a.py, old items show up again. Fix it so that test_c.py passes.", "python3 test_c.py"),
        ("Fix a.py", ""),
        ("Fix test_a.py", ""),
        ("Fix a.py so that test_a.py and test_b.py pass", ""),
        ("Is a.py right? test_a.py fails, fix it", ""),
        ("Run test_a.py on a.py", ""),
        ("Explain what is to change in a.py for test_a.py to pass", ""),
        ("Add a case to the test test_a.py for a.py", ""),
        ("Write a test for a.py in test_a.py", ""),
        ("Fix a.py for a.test.js", ""),
        ("Fix a.py so that test_none.py passes", ""),
    ],
)
def test_which_command_it_is(tmp_path: Path, words: str, command: str) -> None:
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    assert named_test(words, list(FILES), Workspace(tmp_path)) == command
