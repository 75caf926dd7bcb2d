"""What goes wrong with a container while a session uses it: the session goes on, and says clearly what happened."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.__main__ import main
from pygent.cancellation import CancelToken
from pygent.openai_compat import Message
from pygent.runtime import Runtime
from pygent.sandbox.base import CommandResult
from pygent.sandbox.docker import DockerSandbox
from pygent.sandbox.limits import CommandLimits
from pygent.session import Session
from pygent.settings import Settings
from tests.fakes.docker_engine import BASH_IMAGE, FULL_IMAGE, SH_IMAGE, DockerEngine
from tests.fakes.models import ScriptedModel, call

docker = pytest.mark.docker
OTHER_USER = 1234


@pytest.fixture
def small(docker_engine: DockerEngine, tmp_path: Path) -> Iterator[DockerSandbox]:
    """A sandbox that has little of everything."""
    limits = CommandLimits(memory=64, processes=32, disk=512)
    sandbox = DockerSandbox(tmp_path, docker_engine.image(BASH_IMAGE), {}, limits=limits)
    yield sandbox
    sandbox.close()


@pytest.fixture
def own_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerEngine]:
    """An engine that a test may mistreat."""
    with DockerEngine() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        yield engine


def until(what: str, true: object, within: float = 10.0) -> None:
    end_by = time.monotonic() + within
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end_by, what
        time.sleep(0.02)


def in_the_middle(sandbox: DockerSandbox, command: str, then: object, cancel: CancelToken | None = None):
    """Run ``command``, which says that it has begun, and call ``then`` once it has."""
    begun, results = threading.Event(), []
    runner = threading.Thread(
        target=lambda: results.append(
            sandbox.run(f"echo begun; {command}", timeout=60, cancel=cancel, on_output=lambda _: begun.set())
        )
    )
    runner.start()
    assert begun.wait(20)
    then()  # type: ignore[operator]
    runner.join(30)
    assert not runner.is_alive()
    result: CommandResult = results[0]
    return result


# -- too much of something


@docker
@pytest.mark.hostile(24, 25)
@pytest.mark.parametrize("place", ["/tmp", "$HOME", "/dev/shm"])
def test_a_full_folder_of_the_container_costs_no_process_its_life(small: DockerSandbox, place: str) -> None:
    """These folders lie in the memory: filled to the brim they must leave room for the commands."""
    fill = "head -c 600M /dev/zero >{}/big || echo full"
    small.run("; ".join(fill.format(other) for other in ("/tmp", "$HOME", "/dev/shm")), timeout=20)
    first = small.container_id
    result = small.run(f"{fill.format(place)}; false", timeout=20)
    assert (result.status, "No space left" in result.output) == ("ok", True)
    assert "24 MB each (command_disk)" in result.note
    after = small.run("seq 1000 | sort | tail -1; echo kept >kept; cat kept", timeout=10)
    assert (after.status, after.output, after.note) == ("ok", "999\nkept\n", "")
    assert small.container_id == first


@docker
@pytest.mark.hostile(25)
def test_a_full_workspace_is_told_and_the_session_goes_on(docker_engine: DockerEngine, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], check=True)
    sandbox = DockerSandbox(disk, docker_engine.image(BASH_IMAGE), {})
    try:
        result = sandbox.run("head -c 2M /dev/zero >big", timeout=10)
        assert (result.status, "No space left" in result.output) == ("ok", True)
        assert "the workspace has the disk of this machine" in result.note
        assert sandbox.run("rm big && echo x >file && cat file", timeout=10).output == "x\n"
    finally:
        sandbox.close()
        subprocess.run(["umount", "-l", str(disk)], check=True)


@docker
@pytest.mark.hostile(23)
def test_too_many_processes_are_told_with_the_setting(small: DockerSandbox) -> None:
    result = small.run("for i in $(seq 60); do sleep 5 & done; wait", timeout=1)
    assert result.status == "timeout"
    assert "32 at once is the limit (command_processes)" in result.note
    after = small.run("echo next", timeout=10)
    assert (after.output, after.note) == ("next\n", "")


@docker
@pytest.mark.hostile(24)
def test_running_out_of_memory_names_the_setting_also_when_the_command_is_stopped(small: DockerSandbox) -> None:
    hog = "head -c 200M /dev/zero | tail -c 200M | wc -c"
    assert "64 MB, command_memory" in small.run(hog, timeout=20).note
    result = small.run(f"{hog}; sleep 60", timeout=2)
    assert (result.status, "64 MB, command_memory" in result.note) == ("timeout", True)
    assert small.run("echo next", timeout=10).note == ""


@docker
@pytest.mark.hostile(24, 54)
def test_a_container_lost_for_want_of_memory_is_not_said_to_be_removed_by_somebody(
    docker_engine: DockerEngine, small: DockerSandbox
) -> None:
    def remove() -> None:
        docker_engine.docker("rm", "--force", str(small.container_id))

    hog = "head -c 200M /dev/zero | tail -c 200M | wc -c; echo over; sleep 60"
    small.open()
    lost = in_the_middle(small, f"{hog} >&2 & sleep 2; wait", lambda: (time.sleep(1.5), remove()))
    assert lost.status == "lost"
    assert "memory ran out" in lost.note
    gone = in_the_middle(small, "sleep 60", remove)
    assert (gone.status, "removed from outside" in gone.note) == ("lost", True)


# -- an engine that fails


@pytest.mark.hostile(30, 51)
@docker
def test_an_engine_that_hangs_does_not_hold_up_who_cancels(own_engine: DockerEngine, tmp_path: Path) -> None:
    token = CancelToken()
    process = own_engine.process_id
    sandbox = DockerSandbox(tmp_path, own_engine.image(SH_IMAGE), {})
    sandbox.run("echo kept >file", timeout=10)
    started: list[float] = []

    def hang() -> None:
        os.kill(process, signal.SIGSTOP)
        time.sleep(1.5)  # until it has been asked whether the shell is still there
        started.append(time.monotonic())
        token.cancel()

    try:
        result = in_the_middle(sandbox, "sleep 60", hang, token)
        assert time.monotonic() - started[0] < 4
        assert (result.status, "stopped answering" in result.note) == ("cancelled", True)
    finally:
        os.kill(process, signal.SIGCONT)
    assert sandbox.run("cat file", timeout=20).output == "kept\n"
    until("the container that was let go ends by itself", lambda: len(own_engine.containers()) == 1)
    sandbox.close()
    assert own_engine.containers() == []


@pytest.mark.hostile(51)
@docker
def test_a_session_outlives_its_engine(own_engine: DockerEngine, tmp_path: Path) -> None:
    """The engine stops in the middle of a command; the model is told, and works on once it is back."""
    told: list[str] = []
    failed, back = threading.Event(), threading.Event()

    def look(cmd: str, then: object = None):
        def step(messages: list[object]) -> Message:
            told.append(str(messages[-1]["content"]))  # type: ignore[index]
            if then is not None:
                then()  # type: ignore[operator]
            return call(("bash", {"cmd": cmd, "timeout": 60})) if cmd else call(("stop", {}))

        return step

    steps = [
        look("touch begun; sleep 60"),
        look("echo no engine"),
        look("echo back", then=lambda: (failed.set(), back.wait(30))),
        look(""),
    ]
    image = own_engine.image(SH_IMAGE)
    settings = Settings(workspace=tmp_path, use_docker=True, image=image, permission_mode="yolo")
    session = Session(settings, model=ScriptedModel(steps), interactive=False)
    session.open()
    run = threading.Thread(target=session.run, args=["go"])
    try:
        run.start()
        until("the command runs", (tmp_path / "begun").exists)
        own_engine.stop()
        assert failed.wait(30)
        own_engine.start()  # here, because it ends with the thread that starts it
        back.set()
        run.join(60)
    finally:
        back.set()
        session.close()
    assert "the sandbox was lost while the command ran" in told[1]
    assert "No container engine answers" in told[2]
    assert told[3].endswith("back\n[exit status: 0]")
    assert own_engine.containers() == []


@pytest.mark.hostile(47)
def test_without_an_engine_nothing_runs_on_this_machine_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert main(["-p", "go", "--docker", "--demo"]) != 0
    told = capsys.readouterr()
    assert "No container engine answers" in told.err
    assert "--no-docker" in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


@docker
@pytest.mark.hostile(47)
def test_an_image_that_cannot_be_had_is_no_reason_to_run_on_this_machine(
    docker_engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where nobody insisted on Docker: there is an engine, so it is meant."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYGENT_MODEL", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    (tmp_path / "ws").mkdir()
    monkeypatch.chdir(tmp_path / "ws")
    assert main(["-p", "go", "--image", "127.0.0.1:9/not/here:1"]) != 0
    told = capsys.readouterr()
    assert "cannot be pulled" in told.err
    assert "Traceback" not in told.err


# -- others at the same container or workspace

USER_OF_IT = """
import sys
from pathlib import Path
from pygent.sandbox.docker import DockerSandbox
sandbox = DockerSandbox(Path(sys.argv[1]), sys.argv[2], {}, session_id=sys.argv[3])
for line in sys.stdin:
    result = sandbox.run(line, timeout=60)
    print(result.status, result.output.strip(), flush=True)
"""


@docker
@pytest.mark.hostile(65)
def test_two_pygents_in_one_workspace_keep_out_of_each_others_way(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    image = docker_engine.image(SH_IMAGE)
    users = [
        subprocess.Popen(
            [sys.executable, "-c", USER_OF_IT, str(tmp_path), image, f"two-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for number in range(2)
    ]

    def ask(user: subprocess.Popen[str], command: str) -> str:
        assert user.stdin
        assert user.stdout
        user.stdin.write(command + "\n")
        return user.stdout.readline().strip()

    first, second = users
    try:
        assert ask(first, "echo one >>file; echo mine >/tmp/mine; cat file") == "ok one"
        assert ask(second, "echo two >>file; ls /tmp; cat file | tr '\\n' ' '") == "ok one two"
        first.stdin.write("touch waiting; sleep 60\n")  # type: ignore[union-attr]
        until("the command runs", (tmp_path / "waiting").exists)
        assert len(docker_engine.containers("pygent.session")) >= 2
        first.kill()
        first.wait()
        assert ask(second, "kill -9 -1") == "lost"
        assert ask(second, "tail -1 file") == "ok two"
        until("its own container", lambda: docker_engine.containers("pygent.session=two-0") == [], 2)
        assert len(docker_engine.containers("pygent.session=two-1")) == 1
    finally:
        for user in users:
            user.kill()
            user.communicate()
    until("all gone", lambda: docker_engine.containers("pygent.session=two-1") == [], 2)


@docker
@pytest.mark.hostile(54)
def test_everybody_removes_it_at_once(docker_engine: DockerEngine, tmp_path: Path) -> None:
    for _ in range(3):
        sandbox = DockerSandbox(tmp_path, docker_engine.image(SH_IMAGE), {})
        sandbox.open()
        container = str(sandbox.container_id)
        failed: list[BaseException] = []

        def attempt(remove: object, failed: list[BaseException] = failed) -> None:
            try:
                remove()  # type: ignore[operator]
            except subprocess.CalledProcessError:
                pass  # the engine's client complains that it is being removed
            except BaseException as error:
                failed.append(error)

        outside = lambda name=container: docker_engine.docker("rm", "--force", name)  # noqa: E731
        threads = [threading.Thread(target=attempt, args=[way]) for way in (sandbox.close, outside, sandbox.close)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert failed == []
        until("gone", lambda name=container: name not in docker_engine.containers())


# -- rights


@docker
@pytest.mark.hostile(46)
def test_a_set_uid_program_gives_no_rights_and_no_process_outside_can_be_traced(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    program = tmp_path / "id"
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o4755)  # root's own: outside, it makes anybody root
    folder = tmp_path
    os.chown(folder, OTHER_USER, OTHER_USER)
    sandbox = DockerSandbox(folder, docker_engine.image(FULL_IMAGE), {})
    try:
        assert sandbox.run("./id -u", timeout=10).output == f"{OTHER_USER}\n"
        trace = (
            "import ctypes as c; lib = c.CDLL(None, use_errno=True); lib.ptrace(16, 1, 0, 0); print(c.get_errno())"
        )
        assert sandbox.run(f"python3 -c '{trace}'", timeout=20).output == "1\n"
    finally:
        sandbox.close()


# -- what other programs trust


@docker
@pytest.mark.hostile(13)
@pytest.mark.parametrize("before", ["nothing", "a repository", "all of it"])
def test_what_other_programs_run_or_trust_is_read_only(
    docker_engine: DockerEngine, tmp_path: Path, before: str
) -> None:
    if before != "nothing":
        (tmp_path / ".git" / "objects").mkdir(parents=True)
    if before == "all of it":
        (tmp_path / ".git/hooks").mkdir()
        (tmp_path / ".git/hooks/pre-commit").write_text("mine")
        (tmp_path / ".pygent").mkdir()
        (tmp_path / ".pygent/config.yaml").write_text("mine")
        (tmp_path / ".envrc").write_text("mine")
    there = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.name != "hooks")
    places = [".pygent/config.yaml", *([".git/hooks/pre-commit"] if before != "nothing" else [])]
    places += [".envrc"] if before == "all of it" else []
    sandbox = DockerSandbox(tmp_path, docker_engine.image(BASH_IMAGE), {})
    try:
        for place in places:
            for command in (
                f"echo x >{place}",
                f"ln -sf /etc/passwd {place}",
                f"rm -rf {place} && echo x >{place}",
                f"mv {Path(place).parts[0]} away",
                f"rm -rf {Path(place).parts[0]}; mkdir -p {Path(place).parent} && echo x >{place}",
            ):
                tried = sandbox.run(f"({command}) 2>/dev/null && [ -e {place} ] && cat {place}", timeout=10)
                assert tried.output in {"", "mine"}, (command, tried.output)
        if before == "a repository":
            works = "mkdir -p .git/objects && echo x >.git/objects/x && echo x >.git/config && echo ok"
            assert sandbox.run(works, timeout=10).output == "ok\n"
            (tmp_path / ".git/objects/x").unlink()
            (tmp_path / ".git/config").unlink()
    finally:
        sandbox.close()
    left = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.name != "hooks")
    assert left == [path for path in there if path in left]
    for place in places if before == "all of it" else []:
        assert (tmp_path / place).read_text() == "mine"
    assert (tmp_path / ".pygent").exists() == (before == "all of it")


@docker
@pytest.mark.hostile(13)
def test_hooks_of_a_repository_that_is_made_in_the_container_are_named(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    """They were not there when it started, and can be written until the next one; nobody is to overlook that."""
    with Runtime(docker_engine.image(BASH_IMAGE), True, workspace=tmp_path) as runtime:
        told = runtime.bash("mkdir -p .git/hooks && echo x >.git/hooks/pre-commit")
        assert "other programs run what stands there: .git/hooks/pre-commit" in told
        runtime.close_sandbox()
        assert "Read-only" in runtime.bash("echo y >.git/hooks/pre-commit")


@docker
def test_a_task_in_a_container_gets_its_copy_with_what_is_read_only_there(
    docker_engine: DockerEngine, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("copied")
    settings = Settings(
        workspace=tmp_path, use_docker=True, image=docker_engine.image(SH_IMAGE), permission_mode="yolo"
    )
    model = ScriptedModel([call(("bash", {"cmd": "cat a.txt; echo x >.pygent/x"})), call(("stop", {}))])
    session = Session(settings, model=model, interactive=False)
    try:
        session.open()
        assert session.agent is not None
        tasks = session.agent.tasks
        task = tasks.start_task("go", session.agent.runtime, workspace="copy")
        assert tasks.wait(task, 60)
        assert tasks.status(task) == "finished"
        told = str(tasks.tasks[task].agent.history)
        assert "copied" in told
        assert "Read-only" in told or "can't create" in told
    finally:
        session.close()
