"""The built-in tools on a real runtime: what the model reads and what the stream tells."""

import json

import pytest

from pygent.approvals import Approvals, Policy
from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.openai_compat import ToolCall, ToolCallFunction
from pygent.runtime import Runtime
from pygent.tools import BUILTIN, Executor, Tool, ToolRegistry
from tests.fakes.invariants import check_events


class Session:
    """A local runtime with an executor and its events."""

    def __init__(self, folder):
        self.runtime = Runtime(use_docker=False, workspace=folder, banned_commands=["curl"])
        self.bus = EventBus("s")
        self.events = []
        self.bus.subscribe(self.events.append)
        self.executor = Executor(ToolRegistry(BUILTIN), None, self.bus.publish)

    def use(self, name, cancel=None, **arguments):
        call = ToolCall(f"c{len(self.events)}", ToolCallFunction(name, json.dumps(arguments)))
        outcome = self.executor.execute(call, self.runtime, agent_id="main", cancel=cancel or CancelToken())
        check_events(self.events)
        return outcome

    def types(self):
        return [event.type for event in self.events]


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path)
    yield made
    made.runtime.cleanup()


def test_bash_streams_and_tells_how_it_ended(session):
    outcome = session.use("bash", cmd="echo hi; exit 3")
    assert outcome.status == "error"
    assert outcome.output.startswith("$ echo hi; exit 3\nhi\n")
    assert session.types() == ["tool.started", "tool.output", "tool.finished"]
    assert session.use("bash", cmd="true").status == "ok"
    assert session.use("bash", cmd="sleep 20", timeout=0.2).status == "timeout"
    refused = session.use("bash", cmd="curl x")
    assert (refused.status, refused.denied, refused.denied_by) == ("denied", True, "policy")


def test_a_cancel_ends_the_command(session):
    token = CancelToken()
    session.bus.subscribe(lambda event: event.type == "tool.output" and token.cancel())
    assert session.use("bash", cancel=token, cmd="echo started; sleep 20").status == "cancelled"


def test_the_rest_of_a_long_output_is_named(session):
    outcome = session.use("bash", cmd="seq 1 100000")
    assert len(outcome.output) < 33_000
    assert "all of it is kept for the user in " in outcome.output
    assert outcome.output.count("99999") == 1


def test_written_files_are_told(session):
    session.use("write_file", path="./src/a.py", content="x = 1\r\n")
    assert session.use("edit_file", path="src/a.py", old="x = 1\n", new="x = 2\n").status == "ok"
    assert (session.runtime.base_dir / "src/a.py").read_bytes() == b"x = 2\r\n"
    assert [event.paths for event in session.events if event.type == "files.changed"] == [["src/a.py"]] * 2
    assert session.use("search", pattern="x = 2").output == "src/a.py:1: x = 2"
    assert session.use("read_file", path="src/a.py").output.endswith("1\tx = 2")
    assert session.use("download_file", path="src/a.py", binary=True).output == "eCA9IDINCg=="


def test_file_tools_never_leave_the_workspace_in_any_mode(session):
    session.executor.approvals = Approvals(Policy("yolo"))
    for name, more in (
        ("read_file", {}),
        ("download_file", {}),
        ("write_file", {"content": "x"}),
        ("edit_file", {"old": "a", "new": "b"}),
        ("search", {"pattern": "x"}),
    ):
        for path in ("../x", "/etc/passwd", "a/../../x", "", "a\0b", "x" * 5000):
            outcome = session.use(name, path=path, **more)
            assert outcome.status == "error", (name, path)
    assert not (session.runtime.base_dir.parent / "x").exists()


def test_a_tool_of_ones_own_runs_commands_in_the_same_way(session):
    def count(rt, what: str) -> str:
        return rt.bash(f"echo {what} | wc -c")

    schema = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}
    session.executor.registry.add(Tool("count", "", schema, count))
    assert "\n4\n" in session.use("count", what="abc").output
    assert "tool.output" in session.types()


def test_delegation_without_tasks_is_a_clear_error(session):
    assert session.use("delegate_task", prompt="x").output == (
        "Error: delegation is not available here; do the work yourself"
    )


def test_of_an_output_too_long_to_hold_a_failed_command_still_shows_what_failed(session):
    noise = "seq -f 'step %.0f of a build that goes on and on' 3000"
    outcome = session.use("bash", cmd=f"{noise}; echo \"main.c:3:1: error: expected ';'\"; {noise}; exit 2")
    assert "main.c:3:1: error: expected ';'" in outcome.output
    assert outcome.output.startswith(f"$ {noise}")
    assert outcome.output.endswith("step 3000 of a build that goes on and on\n[exit status: 2]")
