"""One call from start to end: exactly one end for each start, and an error is a result that helps."""

import json
import threading
import time
from types import SimpleNamespace

import pytest

from pygent.approvals import Approvals, Broker, Policy
from pygent.cancellation import CancelToken
from pygent.errors import Cancelled, DeadlineExceeded, ToolError, WorkspaceError
from pygent.events import ApprovalResolved
from pygent.openai_compat import ToolCall, ToolCallFunction
from pygent.tools import BUILTIN
from pygent.tools.results import RESULT_LIMIT
from pygent.tools.teaching import example_arguments
from tests.fakes.bench import NAME, Bench
from tests.fakes.invariants import check_events


def test_a_call_runs_and_is_told():
    bench = Bench(lambda rt, name, n=1: f"Hello {name}{n} from {rt}", NAME)
    outcome = bench.run(arguments={"name": "you"}, runtime="here", agent_id="task7")
    assert (outcome.status, outcome.output, outcome.control, outcome.denied) == (
        "ok",
        "Hello you1 from here",
        None,
        False,
    )
    started, finished = bench.events
    assert (started.type, started.agent_id, started.tool, started.arguments) == (
        "tool.started", "task7", "custom", {"name": "you"}
    )  # fmt: skip
    assert (finished.agent_id, finished.call_id) == ("task7", "c1")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(no output)"), ("", "(no output)"), ({"a": [1, "é"]}, '{"a": [1, "é"]}'), ([1, 2], "[1, 2]"),
        (5, "5"), (True, "True"), (b"abc\xff", "abc\ufffd"), ("half \ud800", "half \ufffd"), ((1, {2}), '[1, "{2}"]'),
    ],
)  # fmt: skip
def test_whatever_a_tool_returns_is_text(value, text):
    assert Bench(lambda rt: value).run().output == text


def test_an_async_tool_and_an_unprintable_value_are_errors():
    async def later(rt):
        return "x"

    class Bad:
        def __str__(self):
            raise RuntimeError("no")

    assert "plain functions" in Bench(later).run().output
    assert Bench(lambda rt: Bad()).run().status == "error"


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (KeyError("x"), "error", "Error: KeyError: 'x'"),
        (ToolError("do it so"), "error", "Error: do it so"),
        (WorkspaceError("no such file"), "error", "Error: no such file"),
        (RuntimeError(), "error", "Error: RuntimeError"),
        (SystemExit(3), "error", "Error: the tool tried to end the program (exit 3)"),
        (Cancelled("by the user"), "cancelled", "Stopped before it was done: by the user."),
        (DeadlineExceeded("x"), "timeout", "Stopped: the time limit was reached."),
        (RecursionError("deep"), "error", "Error: RecursionError: deep"),
    ],
)
def test_whatever_a_tool_throws_is_a_result(error, status, says):
    def fail(rt):
        raise error

    outcome = Bench(fail).run()
    assert (outcome.status, outcome.output) == (status, says)


def test_an_interrupt_from_the_keyboard_passes_after_the_end_was_told():
    def fail(rt):
        raise KeyboardInterrupt

    bench = Bench(fail)
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    check_events(bench.events)
    assert bench.events[-1].status == "cancelled"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            "{}",
            '\'name\' is required. custom takes: name (string), n (integer, optional). Example: {"name": "<name>"}',
        ),
        ('{"name": ["x"]}', "'name' must be a string"),
        ('{"name": "x", "n": "many"}', "'n' must be an integer"),
        ('{"name": "x", "color": 1}', "there is no argument color. custom takes: name (string)"),
        ('{"name": ', "not valid JSON"),
        ("[1]", "must be a JSON object"),
    ],
)
def test_arguments_that_do_not_fit(arguments, says):
    outcome = Bench(lambda rt, name, n=1: "never", NAME).run(arguments=arguments)
    assert outcome.status == "error"
    assert says in outcome.output
    assert "custom takes: name (string), n (integer, optional)." in outcome.output


def test_arguments_are_mended_where_that_is_safe():
    bench = Bench(lambda rt, name, n=1: f"{name!r} {n!r}", NAME)
    assert bench.run(arguments='{"name": "x", "n": "5",}').output == "'x' 5"
    assert bench.run("stop", arguments="").status == "ok"
    assert bench.run("stop", arguments="null").status == "ok"
    assert bench.run("stop", arguments='{"message": "bye"}').status == "ok"


def test_raw_arguments_that_cannot_be_read_are_still_shown():
    bench = Bench(lambda rt, name: "", NAME)
    bench.run(arguments='{"name": \ud800')
    assert bench.events[0].arguments == {"raw": '{"name": ?'}


def test_a_tool_with_open_arguments_gets_them():
    bench = Bench(lambda rt, name, **more: json.dumps(more), NAME)
    assert bench.run(arguments={"name": "x", "color": "red"}).output == '{"color": "red"}'


@pytest.mark.parametrize("name", ["", "bahs"])
def test_an_unknown_name_is_answered_with_the_tools(name):
    outcome = Bench().run(name)
    assert outcome.status == "error"
    assert "bash, write_file" in outcome.output
    assert "custom" in outcome.output


def test_only_allowed_tools_run():
    outcome = Bench().run("custom", allowed={"bash", "stop"})
    assert outcome.output == "Error: There is no tool named 'custom'. The tools are: bash, stop."


def test_stop_and_continue_steer_the_loop():
    assert Bench().run("stop").control == "stop"
    outcome = Bench().run("continue", arguments={"question": "which?"})
    assert (outcome.control, outcome.output) == ("continue", "Waiting for the user: which?")
    assert Bench(effect="control").run().control is None


def test_long_results_keep_head_and_tail():
    outcome = Bench(lambda rt: "a" * 50_000 + "b" * 50_000).run()
    assert RESULT_LIMIT - 100 <= len(outcome.output) < RESULT_LIMIT + 200
    assert outcome.output.startswith("aaa")
    assert outcome.output.endswith("bbb")
    assert " characters left out; to see more, ask for a smaller part" in outcome.output


def test_a_long_result_keeps_what_tells_of_a_failure():
    lines = [f"line {number} of a long output" for number in range(4000)]
    lines[2000] = "FAILED tests/test_basket.py::test_total - assert 12 == 7"
    outcome = Bench(lambda rt: "\n".join(lines)).run()
    assert lines[2000] in outcome.output
    assert (outcome.output.startswith(lines[0]), outcome.output.endswith(lines[-1])) == (True, True)


@pytest.mark.hostile(36)
def test_a_tool_cannot_change_what_was_shown():
    def change(rt, items):
        items.append("more")
        return "ok"

    schema = {"type": "object", "properties": {"items": {"type": "array"}}}
    bench = Bench(change, schema)
    bench.run(arguments={"items": [1]})
    assert bench.events[0].arguments == {"items": [1]}


@pytest.mark.hostile(36)
def test_what_was_approved_is_what_runs():
    bench = Bench(lambda rt, name: name, NAME, approvals=Approvals(Policy("yolo")))
    bench.bus.subscribe(lambda event: event.type == "tool.started" and event.arguments.update(name="other"))
    assert bench.run(arguments={"name": "mine"}).output == "mine"


def test_a_call_of_a_cancelled_run_does_not_start():
    token = CancelToken()
    token.cancel("stopped by the user")
    ran = []
    outcome = Bench(lambda rt: ran.append(1)).run(cancel=token)
    assert (outcome.status, outcome.denied, ran) == ("cancelled", False, [])
    assert Bench().run(cancel=CancelToken(0)).status == "timeout"


def test_an_error_that_comes_of_a_cancel_is_a_cancel():
    token = CancelToken()

    def fail(rt):
        token.cancel("enough")
        raise OSError("broken pipe")

    assert Bench(fail).run(cancel=token).status == "cancelled"


class Scoped:
    """A runtime whose scoped view reports how the last command ended."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.scopes = []

    def scoped(self, scope):
        self.scopes.append(scope)
        scope.outcome = self.outcome
        return SimpleNamespace(scope=scope, bash=lambda cmd, timeout=30: f"$ {cmd}")


@pytest.mark.parametrize("outcome", [None, "timeout", "error", "cancelled"])
def test_a_real_runtime_gets_a_scope_and_may_report_the_outcome(outcome):
    pytest.importorskip("pygent.runtime")
    runtime = Scoped(outcome)
    token = CancelToken()
    bench = Bench()
    result = bench.run("bash", {"cmd": "ls"}, runtime, cancel=token, tasks="tasks", depth=1, agent_id="t")
    assert (result.status, result.output) == (outcome or "ok", "$ ls")
    scope = runtime.scopes[0]
    assert (scope.agent_id, scope.call_id, scope.cancel, scope.tasks, scope.depth) == ("t", "c1", token, "tasks", 1)


# -- approvals


def test_a_denied_call_tells_the_model_why_and_what_else():
    bench = Bench(approvals=Approvals(Policy("plan")))
    outcome = bench.run()
    assert (outcome.status, outcome.denied, outcome.denied_by) == ("denied", True, "policy")
    assert "plan mode does not allow running commands" in outcome.output
    assert "Do it in a way that is allowed" in outcome.output


def test_a_banned_command_is_denied_in_yolo():
    outcome = Bench(approvals=Approvals(Policy("yolo", banned_commands=["curl"]))).run("bash", {"cmd": "curl x"})
    assert (outcome.status, outcome.denied_by) == ("denied", "policy")
    assert "curl is banned" in outcome.output


def test_where_nobody_answers_the_model_is_told():
    outcome = Bench(approvals=Approvals(Policy("ask"))).run("bash", {"cmd": "git push"})
    assert (outcome.status, outcome.denied, outcome.denied_by) == ("denied", True, "nobody")
    assert "nobody can answer here (git push publishes commits)" in outcome.output


def test_feedback_reaches_the_model():
    bench = Bench()
    broker = Broker(bench.bus.publish)
    bench.executor.approvals = Approvals(Policy("ask"), broker)
    bench.bus.subscribe(
        lambda event: event.type == "approval.requested" and broker.resolve(event.request_id, "deny", "use tox")
    )
    outcome = bench.run("bash", {"cmd": "make"})
    assert (outcome.status, outcome.denied_by) == ("denied", "user")
    assert outcome.output.endswith("The user says: use tox")
    assert [event.type for event in bench.events] == [
        "tool.started", "approval.requested", "approval.resolved", "tool.finished",
    ]  # fmt: skip


def test_a_failing_approver_is_an_error_and_the_call_ends():
    class Broken:
        def decide(self, tool, call, *, agent_id, cancel):
            raise RuntimeError("broken")

    outcome = Bench(approvals=Broken()).run()
    assert (outcome.status, outcome.output) == ("error", "Error: RuntimeError: broken")


@pytest.mark.hostile(30)
def test_a_cancel_ends_a_waiting_approval():
    bench = Bench()
    broker = Broker(bench.bus.publish)
    bench.executor.approvals = Approvals(Policy("ask"), broker)
    token = CancelToken()
    threading.Timer(0.05, token.cancel).start()
    outcome = bench.run("bash", {"cmd": "make"}, cancel=token)
    assert (outcome.status, outcome.denied) == ("cancelled", False)
    resolved = next(event for event in bench.events if isinstance(event, ApprovalResolved))
    assert (resolved.decision, resolved.by) == ("deny", "nobody")


def test_an_instant_call_costs_next_to_nothing():
    bench = Bench(lambda rt, name: name, NAME, approvals=Approvals(Policy("yolo")))
    executor, call, token = bench.executor, ToolCall("c", ToolCallFunction("custom", '{"name": "x"}')), CancelToken()
    executor._emit = lambda event: None
    best = float("inf")
    for _ in range(20):
        started = time.perf_counter()
        for _ in range(100):
            executor.execute(call, None, agent_id="main", cancel=token)
        best = min(best, (time.perf_counter() - started) / 100)
    assert best < 1e-4


def test_examples_fit_their_schema():
    from pygent.models.arguments import validate

    schemas = [tool.parameters for tool in BUILTIN]
    schemas.append(
        {
            "type": "object",
            "properties": {
                "a": {"type": ["integer", "null"]},
                "b": {"type": "array", "items": {"enum": ["x", "y"]}},
                "c": {"type": "object", "properties": {"d": {"type": "boolean"}}, "required": ["d"]},
                "e": {"anyOf": [{"type": "number", "minimum": 7}, {"type": "string"}]},
                "f": {"const": 3},
            },
            "required": ["a", "b", "c", "e", "f"],
        }
    )
    for schema in schemas:
        assert validate(example_arguments(schema), schema) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("run_command", "Did you mean bash?"),
        ("str_replace", "Did you mean edit_file?"),
        ("readfiles", "Did you mean read_file?"),
        ("attempt_completion", "Did you mean stop?"),
        ("frobnicate", "named 'frobnicate'. The tools are: "),
        ("", "The call names no tool. The tools are: "),
    ],
)
def test_an_unknown_tool_is_answered_with_the_one_that_may_be_meant(name, says):
    outcome = Bench().run(name)
    assert outcome.status == "error"
    assert says in outcome.output
    assert outcome.output.endswith("continue, stop, custom.")


@pytest.mark.parametrize("name", ["Stop", "functions.stop", "STOP", "functions.stop:0", "stop "])
def test_another_spelling_of_a_tool_s_name_is_understood(name):
    bench = Bench()
    assert bench.run(name).control == "stop"
    assert bench.events[0].tool == "stop"


def test_what_is_not_allowed_is_not_found_under_another_spelling():
    assert Bench().run("Custom", allowed={"bash"}).status == "error"


def test_arguments_under_other_names_are_taken_for_those_that_are_meant():
    bench = Bench(lambda rt, path, start=1: f"{path} {start}", FILE)
    assert bench.run(arguments={"filePath": "a.py", "start_line": 3}).output == "a.py 3"
    assert bench.events[0].arguments == {"path": "a.py", "start": 3}
    assert bench.run(arguments={"file": "a.py", "offset": "7", "description": "look at it"}).output == "a.py 7"
    assert "there is no argument cwd." in bench.run(arguments={"path": "a.py", "cwd": "/"}).output
    assert "there is no argument offset." in bench.run(arguments={"path": "a", "start": 1, "offset": 2}).output


FILE = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "start": {"type": "integer", "description": "first line, from 1"}},
    "required": ["path"],
}


def test_arguments_that_are_no_json_are_answered_with_how_to_quote_and_an_example():
    outcome = Bench(lambda rt, path, start=1: "", FILE).run(arguments='{"path": "say "hi""}')
    assert 'a quotation mark \\" and a backslash' in outcome.output
    assert "custom takes: path (string), start (integer, optional: first line, from 1)." in outcome.output
    assert outcome.output.endswith('Example: {"path": "src/main.py"}')
