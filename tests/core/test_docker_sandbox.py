"""Commands in a container: what they say, how they end, what they leave, and what they cannot reach."""

from __future__ import annotations

import ensurepip
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pygent.cancellation import CancelToken
from pygent.errors import Cancelled, SandboxError
from pygent.openai_compat import Message
from pygent.runtime import Runtime
from pygent.sandbox.base import Sandbox
from pygent.sandbox.docker import DockerSandbox
from pygent.sandbox.limits import CommandLimits
from pygent.session import Session
from pygent.settings import Settings
from tests.fakes.docker_engine import BASH_IMAGE, FULL_IMAGE, SH_IMAGE, DockerEngine
from tests.fakes.models import ScriptedModel, call

pytestmark = pytest.mark.docker
OWNER = 1234
Maker = Callable[..., DockerSandbox]


@pytest.fixture(scope="module")
def make(docker_engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maker]:
    """Make sandboxes in folders of their own; those that are alike are shared by the tests of this file."""
    made: list[DockerSandbox] = []
    ready: dict[str, DockerSandbox] = {}

    def make(
        image: str = BASH_IMAGE,
        *,
        new: bool = False,
        env: dict[str, str] | None = None,
        network: bool = False,
        **more,
    ):
        if not new and image in ready:
            return ready[image]
        folder = tmp_path_factory.mktemp("ws")
        folder.chmod(0o755)
        os.chown(folder, OWNER, OWNER)
        spill = tmp_path_factory.mktemp("spill")
        sandbox = DockerSandbox(
            folder, docker_engine.image(image), env or {}, network, spill, "session-of-tests", **more
        )
        made.append(sandbox)
        return sandbox if new else ready.setdefault(image, sandbox)

    yield make
    for sandbox in made:
        sandbox.close()


@pytest.fixture(params=[BASH_IMAGE, SH_IMAGE], ids=["bash", "sh"])
def sandbox(request: pytest.FixtureRequest, make: Maker) -> DockerSandbox:
    sandbox = make(request.param)
    sandbox.open()
    return sandbox


@pytest.fixture
def fresh(make: Maker) -> Iterator[DockerSandbox]:
    sandbox = make(new=True)
    sandbox.open()
    yield sandbox
    sandbox.close()


def processes(sandbox: DockerSandbox, engine: DockerEngine) -> list[str]:
    """What runs in the container, seen from outside, but its own process and the shell that starts commands."""
    assert sandbox.container_id
    lines = engine.docker("top", sandbox.container_id, "-eo", "pid,args").splitlines()[1:]
    known = ("docker-init", "sh -c while read")
    return [line for line in lines if not any(name in line for name in known) and line.split()[1:] != ["sh"]]


# -- what it says


def test_it_is_a_sandbox_that_says_what_it_is(make: Maker) -> None:
    as_sandbox: Sandbox = make(new=True)
    assert (as_sandbox.kind, as_sandbox.summary) == ("docker", "docker · network off")
    assert (as_sandbox.workdir, as_sandbox.confined) == ("/workspace", True)
    assert make(new=True, network=True).summary == "docker · network on"


@pytest.mark.hostile(27)
def test_output_and_exit_status(sandbox: DockerSandbox) -> None:
    result = sandbox.run("echo out; echo err >&2; echo out; exit 7", timeout=10)
    assert (result.status, result.exit_status, result.output) == ("ok", 7, "out\nerr\nout\n")
    assert result.note == ""


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    ("cmd", "status"),
    [("exec false", 1), ("kill -9 $$", 137), ("kill 0", 143), ("nothing-here", 127), ("(", 2), ("", 0)],
)
def test_every_end_of_a_command_is_an_exit_status(sandbox: DockerSandbox, cmd: str, status: int) -> None:
    result = sandbox.run(cmd, timeout=10)
    assert (result.status, result.exit_status) == ("ok", status)
    assert sandbox.run("echo next", timeout=10).output == "next\n"


def test_each_command_starts_fresh_in_the_workspace(sandbox: DockerSandbox) -> None:
    sandbox.run("cd /; export KEPT=1; umask 0; set -e; trap 'echo trap' EXIT; f() { echo f; }", timeout=10)
    result = sandbox.run("pwd; echo $KEPT; umask; false; f; echo end", timeout=10)
    assert result.output.splitlines()[:3] == ["/workspace", "", "0022"]
    assert result.output.endswith("end\n")


def test_the_shell_is_bash_where_the_image_has_it(make: Maker) -> None:
    assert make(BASH_IMAGE).run("a=(1 2 3); echo ${a[1]}", timeout=10).output == "2\n"
    assert make(SH_IMAGE).run("command -v bash || echo none", timeout=10).output == "none\n"


def test_text_of_every_kind_goes_through_unchanged(sandbox: DockerSandbox) -> None:
    text = "'\"$HOME`x`\\ {marker} % ünï\n\tцветок 🦜 \udcff;&|<>*?"
    result = sandbox.run(f"cat <<'END'\n{text}\nEND", timeout=10)
    assert result.output == text.replace("\udcff", "\ufffd") + "\n"


def test_a_long_command_and_many_of_them(sandbox: DockerSandbox) -> None:
    body = "x" * 120_000
    assert sandbox.run(f"printf %s {body} | wc -c", timeout=10).output.strip() == "120000"
    with pytest.raises(ValueError, match="limit"):
        sandbox.run("x" * 200_000, timeout=10)
    for number in range(50):
        assert sandbox.run(f"echo {number}; exit {number}", timeout=10).exit_status == number


def test_variables_of_one_command(sandbox: DockerSandbox) -> None:
    env = {"WITH": 'it\'s $HOME\n"x"', "PATH": "/usr/bin:/bin"}
    assert (
        sandbox.run('printf "%s|%s" "$WITH" "$PATH"', timeout=10, env=env).output == 'it\'s $HOME\n"x"|/usr/bin:/bin'
    )
    assert sandbox.run("echo $WITH", timeout=10).output == "\n"
    with pytest.raises(ValueError, match="variable"):
        sandbox.run("true", timeout=10, env={"A;rm": "x"})


@pytest.mark.hostile(29)
@pytest.mark.parametrize("timeout", [-1, 0, float("nan"), "5"])
def test_a_timeout_that_is_none_is_refused(sandbox: DockerSandbox, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        sandbox.run("true", timeout=timeout)
    assert sandbox.run("true", timeout=1e9).exit_status == 0


def test_output_comes_as_it_is_written(sandbox: DockerSandbox) -> None:
    came: list[tuple[float, str]] = []
    started = time.monotonic()
    sandbox.run(
        "echo one; sleep 0.5; echo two", timeout=10, on_output=lambda text: came.append((time.monotonic(), text))
    )
    assert "".join(text for _, text in came) == "one\ntwo\n"
    assert came[0][0] - started < 0.4 <= came[-1][0] - started


@pytest.mark.hostile(21)
def test_output_without_a_line_end_and_of_strange_bytes(sandbox: DockerSandbox) -> None:
    result = sandbox.run(r"printf 'a\036b\377c\000d\036'; printf '\303'; sleep 0.1; printf '\244'", timeout=10)
    assert result.output == "a\x1eb\ufffdc\0d\x1eä"


@pytest.mark.hostile(28)
def test_a_command_cannot_end_its_own_output(sandbox: DockerSandbox) -> None:
    """It can write all that looks like an end marker; the true one is made anew for each command."""
    lie = r"printf '\036%032d\036' 0; printf '\0360123456789abcdef'; echo 00000000000000000000000000000000 0 0 0 >&2"
    result = sandbox.run(f"{lie}; echo after; exit 3", timeout=10)
    assert (result.exit_status, result.output[-6:]) == (3, "after\n")


@pytest.mark.hostile(26)
def test_nothing_can_be_read_from_a_person(sandbox: DockerSandbox) -> None:
    started = time.monotonic()
    assert sandbox.run("cat; read x; echo done", timeout=10).output == "done\n"
    assert sandbox.run("(echo x >/dev/tty) 2>/dev/null || echo no terminal", timeout=10).output == "no terminal\n"
    assert time.monotonic() - started < 2


# -- limits


@pytest.mark.hostile(14, 17)
def test_a_timeout_ends_the_command_inside_the_container(sandbox: DockerSandbox, docker_engine: DockerEngine) -> None:
    started = time.monotonic()
    result = sandbox.run("echo begun; sleep 60", timeout=1)
    assert time.monotonic() - started < 1.6
    assert (result.status, result.exit_status, result.output) == ("timeout", None, "begun\n")
    assert processes(sandbox, docker_engine) == []
    assert sandbox.run("echo next", timeout=10).output == "next\n"


STUBBORN = "trap '' TERM INT HUP; (setsid sleep 61 &) ; sleep 62 & (trap '' TERM; sleep 63) & nohup sleep 64 & "


@pytest.mark.hostile(15, 17)
@pytest.mark.parametrize("rest", ["sleep 65", "echo begun"])
def test_no_descendant_outlives_its_command(sandbox: DockerSandbox, docker_engine: DockerEngine, rest: str) -> None:
    sandbox.run(STUBBORN + rest, timeout=1)
    assert processes(sandbox, docker_engine) == []


@pytest.mark.hostile(16, 17)
def test_a_child_left_running_is_ended_and_told(sandbox: DockerSandbox, docker_engine: DockerEngine) -> None:
    started = time.monotonic()
    result = sandbox.run("sleep 60 & echo x", timeout=10)
    assert time.monotonic() - started < 1
    assert (result.status, result.exit_status, result.output) == ("ok", 0, "x\n")
    assert "sleep" in result.note
    assert processes(sandbox, docker_engine) == []


def test_a_child_that_ends_at_once_is_waited_for(sandbox: DockerSandbox) -> None:
    results = [sandbox.run("(sleep 0.02; echo late) & echo early", timeout=10) for _ in range(5)]
    # On a machine with more to do it can take longer than a child has.
    assert ("early\nlate\n", "") in [(result.output, result.note) for result in results]


@pytest.mark.hostile(17, 30)
def test_cancelling_ends_it_within_a_second(sandbox: DockerSandbox, docker_engine: DockerEngine) -> None:
    token = CancelToken()
    cancelled: list[float] = []
    timer = threading.Timer(0.3, lambda: (cancelled.append(time.monotonic()), token.cancel()))
    timer.start()
    result = sandbox.run("echo begun; sleep 60", timeout=30, cancel=token)
    assert time.monotonic() - cancelled[0] < 1
    assert (result.status, result.exit_status, result.output) == ("cancelled", None, "begun\n")
    assert processes(sandbox, docker_engine) == []
    assert sandbox.run("true", timeout=10, cancel=token).status == "cancelled"


def test_a_deadline_of_the_run_is_a_timeout(sandbox: DockerSandbox) -> None:
    assert sandbox.run("sleep 60", timeout=30, cancel=CancelToken(0.2)).status == "timeout"


@pytest.mark.hostile(17, 18)
def test_a_flood_is_stopped_at_its_budget(sandbox: DockerSandbox, docker_engine: DockerEngine) -> None:
    result = sandbox.run("yes", timeout=60)
    assert result.status == "flooded"
    assert len(result.output) < 140_000
    assert result.output_file
    assert os.path.getsize(result.output_file) == 32 * 1024 * 1024
    assert processes(sandbox, docker_engine) == []
    assert sandbox.run("echo next", timeout=10).output == "next\n"


@pytest.mark.hostile(17, 18)
def test_cancelling_a_flood_that_nobody_reads(fresh: DockerSandbox) -> None:
    token = CancelToken()
    started: list[float] = []

    def slow(_text: str) -> None:
        if not started:
            started.append(time.monotonic())
            token.cancel()
            time.sleep(0.3)

    assert fresh.run("yes", timeout=60, cancel=token, on_output=slow).status == "cancelled"
    assert time.monotonic() - started[0] < 1


@pytest.mark.hostile(23)
@pytest.mark.parametrize("bomb", ["f() { f | f & }; f", "f() { f & f; }; f; sleep 60"])
def test_after_a_fork_bomb_the_next_command_works(fresh: DockerSandbox, bomb: str) -> None:
    started = time.monotonic()
    fresh.run(bomb, timeout=2)
    assert time.monotonic() - started < 8
    assert fresh.run("echo next", timeout=10).output == "next\n"


@pytest.mark.hostile(24)
def test_running_out_of_memory_is_told(make: Maker) -> None:
    sandbox = make(new=True, limits=CommandLimits(memory=64))
    assert "memory" in sandbox.run("head -c 200M /dev/zero | tail -c 200M | wc -c", timeout=60).note
    result = sandbox.run("echo next", timeout=10)
    assert (result.output, result.note) == ("next\n", "")
    sandbox.close()


def test_a_sink_that_raises_ends_the_command(sandbox: DockerSandbox, docker_engine: DockerEngine) -> None:
    def sink(_text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.run("echo x; sleep 60", timeout=10, on_output=sink)
    assert processes(sandbox, docker_engine) == []
    assert sandbox.run("echo next", timeout=10).output == "next\n"


def test_commands_of_several_threads_take_turns(sandbox: DockerSandbox) -> None:
    results: dict[int, str] = {}
    threads = [
        threading.Thread(
            target=lambda n=n: results.update({n: sandbox.run(f"sleep 0.1; echo {n}", timeout=10).output})
        )
        for n in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: f"{n}\n" for n in range(5)}


def test_waiting_for_another_command_can_be_cancelled(sandbox: DockerSandbox) -> None:
    other = threading.Thread(target=sandbox.run, args=("sleep 1.5",), kwargs={"timeout": 10})
    other.start()
    time.sleep(0.2)
    started = time.monotonic()
    assert sandbox.run("echo x", timeout=10, cancel=CancelToken(0.2)).status == "timeout"
    assert time.monotonic() - started < 1
    other.join()


# -- what is lost


@pytest.mark.hostile(27)
def test_a_command_that_ends_its_shell_is_told_and_the_next_works(sandbox: DockerSandbox) -> None:
    result = sandbox.run("kill -9 -1; echo alive", timeout=10)
    assert (result.status, result.exit_status) == ("lost", None)
    assert "opened again" in result.note
    after = sandbox.run("echo next", timeout=10)
    assert (after.output, after.note) == ("next\n", "")


@pytest.mark.hostile(27)
def test_a_command_that_ends_its_shell_and_goes_on(sandbox: DockerSandbox, docker_engine: DockerEngine) -> None:
    started = time.monotonic()
    assert sandbox.run("kill -9 -1; sleep 60", timeout=30).status == "lost"
    assert time.monotonic() - started < 4
    assert processes(sandbox, docker_engine) == []


@pytest.mark.hostile(54)
def test_a_container_removed_in_the_middle(fresh: DockerSandbox, docker_engine: DockerEngine) -> None:
    fresh.run("echo kept >file", timeout=10)
    first = fresh.container_id
    assert first
    threading.Timer(0.3, docker_engine.docker, ("rm", "--force", first)).start()
    result = fresh.run("echo begun; sleep 60", timeout=30)
    assert (result.status, result.exit_status, result.output) == ("lost", None, "begun\n")
    assert "removed" in result.note
    assert fresh.run("cat file", timeout=10).output == "kept\n"
    assert fresh.container_id != first


@pytest.mark.hostile(54)
def test_a_container_removed_between_two_commands(fresh: DockerSandbox, docker_engine: DockerEngine) -> None:
    fresh.open()
    docker_engine.docker("rm", "--force", str(fresh.container_id))
    result = fresh.run("echo x", timeout=10)
    assert (result.status, result.output) == ("ok", "x\n")
    assert "removed" in result.note


# -- what it holds


@pytest.mark.hostile(50)
def test_files_stay_the_owners(sandbox: DockerSandbox) -> None:
    assert sandbox.run("id -u; id -g; mkdir -p a/b; echo x >a/b/c", timeout=10).output == f"{OWNER}\n{OWNER}\n"
    info = (sandbox.root / "a/b/c").stat()
    assert (info.st_uid, info.st_gid) == (OWNER, OWNER)


@pytest.mark.hostile(46)
@pytest.mark.parametrize(
    "cmd",
    [
        "echo x >/file",
        "echo x >/etc/passwd",
        "mount -t tmpfs none /mnt",
        "unshare -U true",
        "unshare -m true",
        "mknod device c 1 3",
        "chown 0 .",
        "su -c true",
        "kill -9 1",
        "cat /proc/1/environ",
        "echo 1 >/proc/sys/kernel/panic",
    ],
)
def test_rights_it_does_not_have(sandbox: DockerSandbox, cmd: str) -> None:
    assert sandbox.run(f"({cmd}) >/dev/null 2>&1 && echo done || echo refused", timeout=10).output == "refused\n"


@pytest.mark.hostile(46)
def test_no_right_is_left_to_gain(sandbox: DockerSandbox) -> None:
    status = sandbox.run("cat /proc/self/status", timeout=10).output
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


@pytest.mark.hostile(46, 50)
def test_root_of_a_root_workspace_has_no_rights_either(docker_engine: DockerEngine, tmp_path: Path) -> None:
    sandbox = DockerSandbox(tmp_path, docker_engine.image(BASH_IMAGE), {})
    try:
        result = sandbox.run("id -u; chown 1 . 2>/dev/null || echo refused; echo x >file; sleep 60 &", timeout=10)
        assert result.output == "0\nrefused\n"
        assert "sleep" in result.note
        assert sandbox.run("kill -9 -1; :", timeout=10).status == "lost"
        assert sandbox.run("cat file", timeout=10).output == "x\n"
    finally:
        sandbox.close()


@pytest.mark.hostile(45)
def test_the_network_is_off(sandbox: DockerSandbox) -> None:
    assert sandbox.run("ls /sys/class/net", timeout=10).output.split() == ["lo"]


def test_home_and_tmp_can_be_written_and_run_from(sandbox: DockerSandbox) -> None:
    for folder in ("$HOME", "/tmp", "$XDG_CACHE_HOME", "."):
        cmd = f"mkdir -p {folder}; printf '#!/bin/sh\\necho ran' >{folder}/p; chmod +x {folder}/p; {folder}/p"
        assert sandbox.run(cmd, timeout=10).output == "ran\n"


@pytest.mark.hostile(41)
def test_the_environment_is_the_one_given_without_this_machines(make: Maker) -> None:
    env = {"GIVEN": "1", "PATH": "/of/this/machine", "HOME": "/root", "LC_ALL": "de_DE.UTF-8"}
    sandbox = make(new=True, env=env)
    out = dict(line.split("=", 1) for line in sandbox.run("env", timeout=10).output.splitlines() if "=" in line)
    assert (out["GIVEN"], out["HOME"], out["LANG"]) == ("1", "/home/pygent", "C.UTF-8")
    assert "/of/this/machine" not in out["PATH"]
    assert out["PIP_CACHE_DIR"].startswith("/home/pygent/")
    assert "LC_ALL" not in out
    assert not any(name.startswith(("OPENAI", "DOCKER", "PYGENT")) for name in out)
    sandbox.close()


# -- its end


@pytest.mark.hostile(54)
def test_closing_removes_the_container_and_its_command(fresh: DockerSandbox, docker_engine: DockerEngine) -> None:
    fresh.open()
    first = fresh.container_id
    threading.Timer(0.3, fresh.close).start()
    started = time.monotonic()
    result = fresh.run("sleep 60", timeout=30)
    assert time.monotonic() - started < 1.5
    assert (result.status, result.note) == ("cancelled", "The sandbox was closed.")
    fresh.close()
    assert fresh.container_id is None
    assert first not in docker_engine.containers()
    with pytest.raises(SandboxError, match="closed"):
        fresh.run("true", timeout=1)
    with pytest.raises(Cancelled):
        fresh.open()


@pytest.mark.hostile(55)
def test_ten_containers_at_once(make: Maker) -> None:
    sandboxes = [make(SH_IMAGE, new=True) for _ in range(10)]
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda s=s: results.append(s.run("echo x", timeout=30).output)) for s in sandboxes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["x\n"] * 10
    for sandbox in sandboxes:
        sandbox.close()


def test_the_sibling_of_a_runtime_with_a_network_has_none_and_another_image_where_it_is_to(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    with (
        Runtime(docker_engine.image(BASH_IMAGE), True, workspace=tmp_path, network=True) as parent,
        parent.sibling(image=docker_engine.image(SH_IMAGE), network=False) as narrow,
        parent.sibling(network=True) as alike,
        narrow.sibling(network=True) as below,
    ):
        assert [one.sandbox.summary for one in (parent, narrow, alike, below)] == [
            "docker · network on",
            "docker · network off",
            "docker · network on",
            "docker · network off",
        ]
        wanted = "{{.HostConfig.NetworkMode}} {{.Config.Image}}"
        ids = [one.sandbox.container_id for one in (parent, narrow)]  # type: ignore[attr-defined]
        told = [docker_engine.docker("inspect", "-f", wanted, container).split() for container in ids]
        assert told[0][0] != "none"
        assert told[1] == ["none", docker_engine.image(SH_IMAGE)]


def test_a_network_that_is_closed_is_closed_for_the_tasks_that_run(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    reached, go = threading.Event(), threading.Event()

    def wait(_: object) -> Message:
        reached.set()
        assert go.wait(60)
        return call(("bash", {"cmd": "echo still here"}))

    settings = Settings(
        workspace=tmp_path,
        use_docker=True,
        image=docker_engine.image(BASH_IMAGE),
        network=True,
        permission_mode="auto",
    )
    session = Session(settings, model=ScriptedModel([wait, call(("stop", {}))]), interactive=False)
    try:
        session.open()
        assert session.agent is not None
        tasks = session.agent.tasks
        task = tasks.start_task("go", session.agent.runtime)
        assert reached.wait(60)
        runtime = tasks.tasks[task].agent.runtime
        assert runtime.sandbox.summary == "docker · network on"
        session.set_network(False)
        assert runtime.sandbox.summary == "docker · network off"
        go.set()
        assert tasks.wait(task, 60)
        assert tasks.status(task) == "finished"
        assert "still here" in str(tasks.tasks[task].agent.history)
    finally:
        go.set()
        session.close()


# -- what people do in it

PACKAGE = """
import zipfile
with zipfile.ZipFile("hello-1-py3-none-any.whl", "w") as wheel:
    wheel.writestr("hello.py", "def main(): print('hello')\\n")
    info = "hello-1.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: hello\\nVersion: 1\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nhello = hello:main\\n")
    wheel.writestr(info + "RECORD", "")
"""


def test_packages_are_installed_in_spite_of_the_read_only_image(make: Maker) -> None:
    """As the workspace's owner and without an option: into the home folder, whose programs are found."""
    sandbox = make(FULL_IMAGE, new=True)
    pip = next(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    (sandbox.root / "pip.whl").write_bytes(pip.read_bytes())
    (sandbox.root / "make.py").write_text(PACKAGE)
    install = "python3 pip.whl/pip install --no-index --break-system-packages ./hello-1-py3-none-any.whl"
    done = sandbox.run(f"cd /tmp && cp /workspace/* . && python3 make.py && {install} && hello", timeout=60)
    assert done.output.endswith("hello\n"), done.output
    assert sandbox.run("command -v hello && python3 -c 'import hello'", timeout=10).output == (
        "/home/pygent/.local/bin/hello\n"
    )
    sandbox.close()
