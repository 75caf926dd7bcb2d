"""A failed command is answered with what there is instead of the program, module or file that was missing."""

import json

import pytest

from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.openai_compat import ToolCall, ToolCallFunction
from pygent.runtime import Runtime
from pygent.tools import BUILTIN, Executor, ToolRegistry


class Bench:
    """The bash tool on a real runtime, its ``PATH`` a folder with some programs that do nothing."""

    def __init__(self, folder, programs=()):
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in ("sh", "ls", "cat", "env"):
            (self.bin / name).symlink_to(f"/bin/{name}" if name != "env" else "/usr/bin/env")
        for name in programs:
            path = self.bin / name
            path.write_text("#!/bin/sh\nexit 1\n")
            path.chmod(0o755)
        env = {"PATH": str(self.bin)}
        self.runtime = Runtime(use_docker=False, workspace=folder / "ws", env=env)
        self.events = []
        bus = EventBus("s")
        bus.subscribe(self.events.append)
        self.executor = Executor(ToolRegistry(BUILTIN), None, bus.publish)

    def run(self, cmd):
        call = ToolCall(f"c{len(self.events)}", ToolCallFunction("bash", json.dumps({"cmd": cmd})))
        return self.executor.execute(call, self.runtime, agent_id="main", cancel=CancelToken()).output

    def put(self, path, text="x"):
        self.runtime.workspace.write_text(path, text)


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path, ("python3", "gcc", "make", "frobnicator", "nodejs", "ruby3.2"))
    yield made
    made.runtime.cleanup()


@pytest.mark.parametrize(
    ("cmd", "says"),
    [
        ("python x.py", "[There is no program 'python' here; there is python3.]"),
        ("frobnicate", "[There is no program 'frobnicate' here; there is frobnicator.]"),
        ("node x.js", "there is nodejs.]"),
        ("ruby x", "there is ruby3.2.]"),
        ("cargo build", "[There is no program 'cargo' here. Among what there is: python3, gcc, make.]"),
        ("env python x", "there is python3.]"),
        ("python x.py; exit 3", "there is python3.]"),
    ],
)
def test_a_command_that_is_not_found_names_what_there_is(bench, cmd, says):
    output = bench.run(cmd)
    assert says in output
    assert output.rpartition("\n")[2].startswith("[exit status: ")
    assert not any("frobnicator" in getattr(event, "text", "") for event in bench.events)


@pytest.mark.parametrize(
    ("cmd", "says"),
    [
        ("cat main.py", "[There is no 'main.py'; there is 'src/main.py'.]"),
        ("cat ./src/Main.py", "there is 'src/main.py'.]"),
        ("echo \"python3: can't open file '$PWD/main.py': [Errno 2] No such file\"; exit 2", "'src/main.py'"),
        ("echo \"FileNotFoundError: [Errno 2] No such file or directory: 'main.py'\"; exit 1", "'src/main.py'.]"),
        ("echo \"E   ModuleNotFoundError: No module named 'main'\"; exit 1",
         "[The module 'main' is in src/: run with PYTHONPATH=src before the command.]"),
        ("echo \"ModuleNotFoundError: No module named 'shop.cart'\"; exit 1", "is in lib/: run with PYTHONPATH=lib"),
    ],
)  # fmt: skip
def test_a_file_or_module_that_is_elsewhere_is_named(bench, cmd, says):
    bench.put("src/main.py")
    bench.put("lib/shop/__init__.py")
    assert says in bench.run(cmd)


@pytest.mark.parametrize(
    "cmd",
    [
        "exit 3",
        "cat nothing.like.it",
        "echo \"ModuleNotFoundError: No module named 'requests'\"; exit 1",
        "echo 'the key was not found'; exit 1",
        'echo "bash: line 1: python: command not found"',
        "cat /etc/no-such-file-there",
    ],
)
def test_what_is_not_certain_gets_no_hint(bench, cmd):
    bench.put("src/main.py")
    output = bench.run(cmd)
    assert "There is no" not in output
    assert "PYTHONPATH" not in output
