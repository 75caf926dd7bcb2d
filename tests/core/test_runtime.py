"""``Runtime`` on this machine, and the view of it that a tool call gets."""

from __future__ import annotations

import base64
import gc
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from pygent.cancellation import CancelToken
from pygent.errors import (
    Cancelled,
    PathOutsideWorkspace,
    PygentError,
    SandboxError,
    SandboxUnavailable,
    SettingsError,
    WorkspaceError,
)
from pygent.events import Event, FilesChanged, ToolOutput
from pygent.runtime import LIVE_LIMIT, Runtime, ScopedRuntime
from pygent.sandbox.bans import find_banned
from pygent.scope import Scope


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PYGENT_") and name != "PYGENT_LOCAL_SANDBOX":
            monkeypatch.delenv(name)


@pytest.fixture
def runtime(tmp_path: Path):
    with Runtime(use_docker=False, workspace=tmp_path / "ws") as made:
        yield made


class Call:
    """A tool call's scope and what it told."""

    def __init__(self, runtime: Runtime) -> None:
        self.events: list[Event] = []
        self.cancel = CancelToken()
        self.scope = Scope(agent_id="a1", call_id="c1", cancel=self.cancel, emit=self.events.append)
        self.rt: ScopedRuntime = runtime.scoped(self.scope)

    @property
    def streamed(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, ToolOutput))


@pytest.fixture
def call(runtime: Runtime) -> Call:
    return Call(runtime)


# -- bash


def test_bash_answers_command_output_and_exit_status(runtime: Runtime) -> None:
    assert runtime.bash("echo out; echo err >&2; exit 3") == (
        "$ echo out; echo err >&2; exit 3\nout\nerr\n[exit status: 3]"
    )
    assert runtime.bash("true") == "$ true\n(no output)\n[exit status: 0]"
    assert runtime.bash("printf x") == "$ printf x\nx\n[exit status: 0]"


def test_bash_says_how_else_a_command_ended(runtime: Runtime) -> None:
    assert runtime.bash("echo a; sleep 9", timeout=0.3).endswith("a\n[timeout after 0.3 s]")
    text = runtime.bash("sleep 60 & echo x")
    assert "x\n[1 process was still running in the background (sleep)" in text
    assert text.endswith("[exit status: 0]")
    assert "too much output" in runtime.bash("yes")


def test_bash_names_the_file_with_all_of_a_long_output(runtime: Runtime) -> None:
    result = runtime.run("seq 100000")
    assert result.output_file is not None
    assert result.output_file in result.output
    assert Path(result.output_file).read_text().splitlines()[-1] == "100000"
    assert stat.S_IMODE(Path(result.output_file).parent.stat().st_mode) == 0o700
    runtime.cleanup()
    assert not Path(result.output_file).exists()


@pytest.mark.parametrize("timeout", [-1, 0, float("nan"), "5"])
def test_a_timeout_that_is_none_is_the_programmers_error(runtime: Runtime, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout must be"):
        runtime.bash("true", timeout=timeout)
    with pytest.raises(ValueError, match="NUL"):
        runtime.bash("echo \0")
    assert runtime.bash("true", timeout=10**9).endswith("[exit status: 0]")


def test_commands_get_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    with Runtime(use_docker=False, workspace=tmp_path) as runtime:
        seen = runtime.bash("env; cat /proc/self/environ /proc/$PPID/environ | tr '\\0' '\\n'")
    assert "sk-very-secret" not in seen
    assert "CI=true" in seen


# -- files


def test_files_are_written_and_read(runtime: Runtime) -> None:
    assert runtime.write_file("src/a.py", "naïve") == "Wrote src/a.py (6 bytes)"
    assert runtime.read_file("src/a.py") == "naïve"
    assert runtime.read_file("/workspace/src/a.py") == "naïve"
    assert runtime.read_file(str(runtime.base_dir / "src" / "a.py")) == "naïve"
    (runtime.base_dir / "b").write_bytes(b"\xff\x00")
    assert base64.b64decode(runtime.read_file("b", binary=True)) == b"\xff\x00"
    with pytest.raises(WorkspaceError, match="binary"):
        runtime.read_file("b")


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "link/x", "", "a\0"])
def test_paths_stay_inside(runtime: Runtime, tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("secret")
    (tmp_path / "in").write_text("x")
    (runtime.base_dir / "link").symlink_to(tmp_path / "outside")
    for use in (
        lambda: runtime.write_file(path, "x"),
        lambda: runtime.read_file(path),
        lambda: runtime.upload_file(tmp_path / "in", path or "../x"),
        lambda: runtime.export_file(path, tmp_path / "out"),
    ):
        with pytest.raises(WorkspaceError):
            use()
    assert sorted(os.listdir(tmp_path)) == ["in", "outside", "ws"]
    assert (tmp_path / "outside" / "x").read_text() == "secret"


def test_upload_copies_files_and_folders_with_their_exec_bit(runtime: Runtime, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (source / "run.sh").chmod(0o755)
    (source / "sub" / "data").write_bytes(b"\xff")
    (source / "inside").symlink_to("sub/data")
    (source / "outside").symlink_to("/etc/passwd")
    (source / "loop").symlink_to(".")
    os.mkfifo(source / "pipe")
    assert "3 files" in runtime.upload_file(source)
    assert sorted(runtime.workspace.walk()) == ["source/inside", "source/run.sh", "source/sub/data"]
    assert "ran" in runtime.bash("source/run.sh")
    runtime.upload_file(source / "run.sh", "bin/tool")
    runtime.upload_file(str(source / "run.sh"), "source/sub")
    assert runtime.workspace.exists("bin/tool")
    assert runtime.workspace.exists("source/sub/run.sh")
    for missing in (tmp_path / "nothing", source / "pipe"):
        with pytest.raises(WorkspaceError):
            runtime.upload_file(missing)


def test_export_copies_files_and_folders_out(runtime: Runtime, tmp_path: Path) -> None:
    runtime.write_file("d/a", "a")
    runtime.bash("chmod +x d/a; ln -s /etc/passwd d/out; mkdir d/e; echo b > d/e/b")
    runtime.export_file("d/a", tmp_path / "new" / "name")
    assert os.access(tmp_path / "new" / "name", os.X_OK)
    runtime.export_file("d/a", tmp_path / "new")
    assert (tmp_path / "new" / "a").read_text() == "a"
    assert "2 files" in runtime.export_file("d", tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").rglob("*")) == ["a", "b", "e"]
    with pytest.raises(WorkspaceError, match="does not exist"):
        runtime.export_file("nothing", tmp_path / "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError):
        runtime.export_file("d/a", tmp_path / "file" / "below")


# -- workspace and life


def test_a_workspace_that_is_missing_is_made(tmp_path: Path) -> None:
    with Runtime(use_docker=False, workspace=str(tmp_path / "a" / "b")) as runtime:
        assert runtime.base_dir == (tmp_path / "a" / "b").resolve()
        assert runtime.bash("pwd").splitlines()[1] == str(runtime.base_dir)
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="a file, not a folder"):
        Runtime(use_docker=False, workspace=tmp_path / "file")


def test_a_temporary_workspace_goes_with_cleanup_with_all_in_it() -> None:
    runtime = Runtime(use_docker=False)
    runtime.bash("mkdir -p ro/deep; touch ro/deep/f; chmod 555 ro ro/deep")
    base = runtime.base_dir
    assert base.is_dir()
    runtime.cleanup()
    runtime.cleanup()
    assert not base.exists()
    with pytest.raises(SandboxError, match="cleaned up"):
        runtime.bash("true")


def test_a_runtime_that_is_dropped_leaves_nothing() -> None:
    runtime = Runtime(use_docker=False)
    base = runtime.base_dir.parent
    pid = int(runtime.bash("echo $PPID").splitlines()[1])
    del runtime
    gc.collect()
    assert not base.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("end", ["pass", "sys.exit(3)", "raise SystemError"])
def test_the_exit_of_the_interpreter_removes_the_temporary_workspace(end: str) -> None:
    code = (
        "import sys\nfrom pygent.runtime import Runtime\n"
        "runtime = Runtime(use_docker=False)\nruntime.write_file('a', 'a')\n"
        f"print(runtime.base_dir.parent, runtime.bash('echo $PPID').splitlines()[1], flush=True)\n{end}\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    folder, pid = done.stdout.split()
    assert not Path(folder).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert "Warning" not in done.stderr


def test_initial_files_are_copied_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_text("x")
    (tmp_path / "y").write_text("y")
    with Runtime(use_docker=False, initial_files=[tmp_path / "folder", str(tmp_path / "y")]) as runtime:
        assert list(runtime.workspace.walk()) == ["folder/x", "y"]
    monkeypatch.setenv("PYGENT_INIT_FILES", f"{tmp_path / 'folder'}{os.pathsep}{tmp_path / 'y'}")
    with Runtime(use_docker=False) as runtime:
        assert list(runtime.workspace.walk()) == ["folder/x", "y"]
    monkeypatch.delenv("PYGENT_INIT_FILES")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    with pytest.raises(WorkspaceError, match="does not exist"):
        Runtime(use_docker=False, initial_files=[tmp_path / "nothing"])
    assert [path for path in (tmp_path / "tmp").glob("*/*") if path.is_dir()] == []  # but for the process's own


def test_the_sandbox_can_be_closed_and_comes_back(runtime: Runtime) -> None:
    first = runtime.sandbox
    runtime.write_file("a", "kept")
    runtime.close_sandbox()
    runtime.close_sandbox()
    assert runtime.bash("cat a") == "$ cat a\nkept\n[exit status: 0]"
    assert runtime.sandbox is not first
    with pytest.raises(PygentError, match="on this machine"):
        runtime.set_network(True)


# -- where commands run


def test_docker_asked_for_and_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(SandboxUnavailable):
        Runtime(use_docker=True, workspace=tmp_path / "ws")
    monkeypatch.setenv("PYGENT_USE_DOCKER", "1")
    with pytest.raises(SandboxUnavailable):
        Runtime(workspace=tmp_path / "ws")


def test_without_a_socket_the_choice_costs_little_and_is_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    Runtime(workspace=tmp_path / "ws").cleanup()
    started = time.perf_counter()
    with Runtime(workspace=tmp_path / "ws") as runtime:
        assert runtime.use_docker is False
        assert runtime.sandbox.kind == "local"
    assert time.perf_counter() - started < 0.1


def test_an_engine_that_hangs_does_not_hold_the_choice_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
        started = time.monotonic()
        with Runtime(workspace=tmp_path / "ws") as runtime:
            assert runtime.use_docker is False
        assert time.monotonic() - started < 3


# -- bans


@pytest.mark.parametrize(
    "cmd",
    [
        "rm x",
        "/bin/rm x",
        "ls; rm x",
        "ls&&rm x",
        "ls\nrm x",
        "A=1 rm x",
        "sudo -u root timeout 5 rm x",
        "if true; then rm x; fi",
        'echo "$(rm x)"',
        "echo `rm x`",
        'bash -c "cd y && rm x"',
        "cat <(rm x)",
        "(rm x)",
        "git   push origin main",
        "ls | xargs -n 1 rm",
        "echo 'open; rm x",
        "wget x",
        "nice wget x",
        "find . -exec wget {} +",
        "find . -name x -exec rm {} +",
        "bash -c 'echo x | wget -'",
    ],
)
def test_banned_commands_and_programs_are_found(cmd: str) -> None:
    assert find_banned(cmd, {"rm", "git push"}, {"wget"}) in {"rm", "git push", "wget"}


@pytest.mark.parametrize(
    "cmd",
    [
        "echo rm",
        "ls rm",
        "echo 'a; rm x'",
        "git pull",
        "# rm x\nls",
        "ls # ; rm",
        "rmdir x",
        "./wgets",
        "",
        "  ",
        "&& ||",
    ],
)
def test_what_is_not_banned_is_not_refused(cmd: str) -> None:
    assert find_banned(cmd, {"rm", "git push"}, {"wget"}) == ""


def test_a_banned_command_is_not_run_and_the_answer_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_BANNED_COMMANDS", "touch")
    monkeypatch.setenv("PYGENT_BANNED_APPS", "curl")
    with Runtime(use_docker=False, workspace=tmp_path) as runtime:
        assert (runtime.banned_commands, runtime.banned_apps) == ({"touch"}, {"curl"})
        text = runtime.bash("echo a; touch made")
        assert text.startswith("$ echo a; touch made\nRefused: 'touch' is banned")
        assert "Refused: 'curl'" in runtime.bash("timeout 1 curl http://localhost")
        assert os.listdir(tmp_path) == []
        runtime.banned_commands.clear()
        runtime.bash("touch made")
        assert os.listdir(tmp_path) == ["made"]


# -- the view of a tool call


def test_a_scoped_bash_streams_its_output(call: Call) -> None:
    text = call.rt.bash("echo one; sleep 0.2; echo two")
    assert call.streamed == "one\ntwo\n"
    assert text.endswith("one\ntwo\n[exit status: 0]")
    assert {(event.agent_id, event.call_id) for event in call.events if isinstance(event, ToolOutput)} == {
        ("a1", "c1")
    }
    assert len(call.events) >= 2
    assert call.scope.outcome is None


@pytest.mark.parametrize(
    ("cmd", "outcome"),
    [("true", None), ("exit 1", "error"), ("sleep 9", "timeout"), ("yes", "error"), ("rm x", "denied")],
)
def test_the_scope_knows_how_the_command_ended(call: Call, cmd: str, outcome: str | None) -> None:
    call.rt.banned_commands.add("rm")
    call.rt.bash(cmd, timeout=0.3 if "sleep" in cmd else 20)
    assert call.scope.outcome == outcome
    assert len(call.streamed) < LIVE_LIMIT + 64 * 1024
    assert bool(call.scope.rest) == (cmd == "yes")


def test_the_scopes_cancel_ends_the_command(call: Call) -> None:
    timer = threading.Timer(0.2, call.cancel.cancel)
    timer.start()
    started = time.monotonic()
    assert call.rt.bash("sleep 60").endswith("[cancelled]")
    assert time.monotonic() - started < 0.7
    timer.join()
    assert call.scope.outcome == "cancelled"
    for use in (lambda: call.rt.bash("touch x"), lambda: call.rt.write_file("x", "x")):
        with pytest.raises(Cancelled):
            use()
    assert not call.rt.workspace.exists("x")


def test_writes_are_told(call: Call, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("in")
    call.rt.write_file("./src//a.py", "a")
    call.rt.upload_file(tmp_path / "in", "src")
    call.rt.upload_file(tmp_path / "in")
    assert call.events == [
        FilesChanged(agent_id="a1", paths=["src/a.py"]),
        FilesChanged(agent_id="a1", paths=["src/in"]),
        FilesChanged(agent_id="a1", paths=["in"]),
    ]
    with pytest.raises(PathOutsideWorkspace):
        call.rt.write_file("../x", "x")
    assert len(call.events) == 3


def test_the_rest_is_the_runtimes_own(call: Call, runtime: Runtime) -> None:
    assert call.rt.workspace is runtime.workspace
    assert call.rt.base_dir == runtime.base_dir
    assert call.rt.runtime is runtime
    with pytest.raises(AttributeError):
        _ = call.rt.no_such_thing


def test_a_sibling_has_the_same_sandbox_and_variables_and_a_workspace_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYGENT_INIT_FILES", str(tmp_path / "given.txt"))
    (tmp_path / "given.txt").write_text("x")
    with (
        Runtime(use_docker=False, banned_commands=["curl"], env={"PATH": os.environ["PATH"], "WHO": "me"}) as one,
        one.sibling() as other,
    ):
        assert one.read_file("given.txt") == "x"
        assert "given.txt" not in other.bash("ls")
        assert other.base_dir != one.base_dir
        assert "\nme\n" in other.bash("echo $WHO")
        assert other.banned_commands == {"curl"}


def test_a_file_to_begin_with_that_is_not_there_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_INIT_FILES", "/not/there")
    with pytest.raises(SettingsError, match=r"PYGENT_INIT_FILES: '/not/there' does not exist; accepted: files"):
        Runtime(use_docker=False)


def test_the_variable_names_a_workspace_but_never_a_task_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_WORKSPACE", str(tmp_path / "named"))
    with (
        Runtime(use_docker=False) as named,
        Runtime(use_docker=False, workspace=tmp_path / "given") as given,
        Runtime(use_docker=False, temporary=True) as temporary,
        named.sibling() as sibling,
    ):
        assert (named.base_dir, given.base_dir) == (tmp_path / "named", tmp_path / "given")
        assert not {named.base_dir, given.base_dir} & {temporary.base_dir, sibling.base_dir}
        own = temporary.base_dir
    assert not own.exists()
    assert (tmp_path / "named").exists()


def test_docker_that_cannot_be_had_leaves_the_runtime_as_it_was() -> None:
    with Runtime(use_docker=False, temporary=True) as runtime:
        runtime.write_file("a.txt", "kept")
        runtime.set_docker(False)
        with pytest.raises(SandboxUnavailable):
            runtime.set_docker(True)
        assert not runtime.use_docker
        assert "\nkept\n" in runtime.bash("cat a.txt; echo")
