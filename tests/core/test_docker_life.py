"""A container's life beside its owner's: leases, reaping, restarts, what must not be mounted, and what is missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.cancellation import CancelToken
from pygent.errors import Cancelled, SandboxUnavailable
from pygent.runtime import Runtime
from pygent.sandbox.base import CommandResult
from pygent.sandbox.docker import DockerSandbox, available
from pygent.sandbox.docker_reaper import HOST, PID, STARTED, host_identity, owner_labels, owner_lives
from pygent.session_parts import make_runtime
from pygent.settings import Settings
from tests.fakes.docker_engine import BASH_IMAGE, SH_IMAGE, DockerEngine
from tests.fakes.registry import FakeRegistry

docker = pytest.mark.docker
MB = 1024 * 1024

OWNER = """
import os, sys, signal
from pathlib import Path
from pygent.sandbox.docker import DockerSandbox
sandbox = DockerSandbox(Path(sys.argv[1]), sys.argv[2], {}, session_id=sys.argv[3])
sandbox.open()
print(sandbox.container_id, flush=True)
"""


@pytest.fixture
def sandbox(docker_engine: DockerEngine, tmp_path: Path) -> Iterator[DockerSandbox]:
    made = DockerSandbox(tmp_path, docker_engine.image(SH_IMAGE), {"GIVEN": "1"}, session_id="one")
    yield made
    made.close()


def start_owner(engine: DockerEngine, folder: Path, then: str, session: str = "other") -> subprocess.Popen[str]:
    """Another process with a sandbox of its own, that goes on with `then` once its container runs."""
    engine.image(SH_IMAGE)
    return subprocess.Popen(
        [sys.executable, "-c", OWNER + then, str(folder), SH_IMAGE, session], stdout=subprocess.PIPE, text=True
    )


def container_of(owner: subprocess.Popen[str]) -> str:
    assert owner.stdout
    return owner.stdout.readline().strip()


def gone(engine: DockerEngine, container: str, within: float) -> bool:
    end_by = time.monotonic() + within
    while container in engine.containers():
        if time.monotonic() > end_by:
            return False
        time.sleep(0.05)
    return True


def finish(owner: subprocess.Popen[str]) -> None:
    if owner.poll() is None:
        owner.kill()
    owner.wait()
    assert owner.stdout
    owner.stdout.close()


# -- the end of the owner


@pytest.mark.hostile(31, 32, 48)
@docker
@pytest.mark.parametrize(
    ("then", "sig"),
    [
        ("sandbox.run('sleep 60', timeout=60)", signal.SIGKILL),
        ("sandbox.run('yes', timeout=60, on_output=lambda text: __import__('time').sleep(60))", signal.SIGKILL),
        ("sandbox.run('sleep 60', timeout=60)", signal.SIGTERM),
        ("sandbox.run('sleep 60', timeout=60)", signal.SIGINT),
        ("sys.exit(0)", None),
        ("raise SystemError", None),
        ("sandbox.close()", None),
    ],
    ids=["kill", "kill in a flood", "term", "interrupt", "exit", "error", "close"],
)
def test_the_container_ends_with_its_owner(
    docker_engine: DockerEngine,
    tmp_path: Path,
    then: str,
    sig: signal.Signals | None,
    capfd: pytest.CaptureFixture[str],
) -> None:
    owner = start_owner(docker_engine, tmp_path, then)
    try:
        container = container_of(owner)
        assert container
        if sig is not None:
            time.sleep(0.3)
            assert container in docker_engine.containers()
            owner.send_signal(sig)
        owner.wait(10)
        assert gone(docker_engine, container, within=2)
    finally:
        finish(owner)


@docker
def test_a_forked_child_does_not_end_the_container(docker_engine: DockerEngine, tmp_path: Path) -> None:
    then = """
child = os.fork()
if child == 0: sys.exit(0)
os.waitpid(child, 0)
print(sandbox.run('echo still here', timeout=10).output, end='', flush=True)
"""
    owner = start_owner(docker_engine, tmp_path, then)
    try:
        assert container_of(owner)
        assert owner.stdout
        assert owner.stdout.readline() == "still here\n"
    finally:
        finish(owner)


@pytest.mark.hostile(49)
@docker
def test_what_a_dead_owner_left_is_reaped_and_what_a_live_one_has_is_not(
    docker_engine: DockerEngine, tmp_path: Path, sandbox: DockerSandbox
) -> None:
    docker_engine.image(SH_IMAGE)
    ended = subprocess.Popen(["true"])
    ended.wait()

    def leave(**owner: str) -> str:
        labels = {**owner_labels("dead"), **{name.replace("_", "."): value for name, value in owner.items()}}
        options = [part for name, value in labels.items() for part in ("--label", f"{name}={value}")]
        return docker_engine.docker("create", "--network=none", *options, SH_IMAGE, "sh")

    dead = leave(pygent_owner_pid=str(ended.pid))
    reused = leave(pygent_owner_started="another time")
    elsewhere = leave(pygent_owner_host="another machine", pygent_owner_pid=str(ended.pid))
    mine = leave()
    unlabelled = docker_engine.docker("create", "--network=none", "--name=pygent-like-ours", SH_IMAGE, "sh")
    (tmp_path / "other").mkdir()
    other = start_owner(docker_engine, tmp_path / "other", "import time; time.sleep(60)")
    try:
        alive = container_of(other)
        sandbox.open()
        there = docker_engine.docker("ps", "--all", "--quiet", "--no-trunc").split()
        assert {dead, reused} & set(there) == set()
        assert {elsewhere, mine, unlabelled, alive, sandbox.container_id} <= set(there)
    finally:
        finish(other)
        docker_engine.docker("rm", "--force", elsewhere, mine, unlabelled)
    assert gone(docker_engine, alive, within=2)


@pytest.mark.hostile(49)
def test_an_owner_is_known_by_host_pid_and_start() -> None:
    mine = owner_labels("s")
    assert owner_lives(mine)
    assert not owner_lives({**mine, STARTED: "0"})
    assert not owner_lives({**mine, PID: "4194304"})
    assert owner_lives({**mine, STARTED: "0", HOST: "elsewhere"})
    assert owner_lives({HOST: host_identity()})


@pytest.mark.hostile(51)
@docker
def test_the_engine_restarted_in_the_middle(
    docker_engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: list[CommandResult] = []
    with DockerEngine() as engine:  # not the one that the other tests use
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        sandbox = DockerSandbox(tmp_path, engine.image(SH_IMAGE), {})
        sandbox.run("echo kept >file", timeout=10)
        command = threading.Thread(target=lambda: results.append(sandbox.run("sleep 60", timeout=60)))
        command.start()
        time.sleep(0.3)
        engine.stop()
        command.join(20)
        assert [result.status for result in results] == ["lost"]
        assert "new one" in results[0].note
        with pytest.raises(SandboxUnavailable, match="No container engine answers"):
            sandbox.run("true", timeout=1)
        engine.start()
        assert sandbox.run("cat file", timeout=20).output == "kept\n"
        assert len(engine.containers()) == 1
        sandbox.close()
        assert engine.containers() == []


# -- how it is confined


@docker
def test_every_limit_is_set_from_the_start(docker_engine: DockerEngine, sandbox: DockerSandbox) -> None:
    sandbox.open()
    text = docker_engine.docker("inspect", str(sandbox.container_id))
    info = json.loads(text)[0]
    host = info["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["ReadonlyRootfs"]
    assert host["AutoRemove"]
    assert host["Init"]
    assert not host["Privileged"]
    assert host["IpcMode"] == "none"
    assert host["LogConfig"]["Type"] == "none"
    assert 0 < host["PidsLimit"] <= 1024
    assert host["Memory"] == host["MemorySwap"] > 0
    assert set(host["Tmpfs"]) == {"/tmp", "/home/pygent", "/dev/shm"}
    mounts = sorted((mount["Destination"], mount["Source"], mount["RW"]) for mount in info["Mounts"])
    assert mounts == [
        ("/workspace", str(sandbox.root), True),
        ("/workspace/.pygent", f"{sandbox.root}/.pygent", False),
    ]
    assert info["Config"]["User"] == "65534:65534"
    labels = info["Config"]["Labels"]
    assert (labels["pygent.session"], labels[PID]) == ("one", str(os.getpid()))
    assert "GIVEN=1" in info["Config"]["Env"]


@pytest.mark.hostile(41, 42)
@docker
def test_the_engine_is_told_no_secret(
    docker_engine: DockerEngine, sandbox: DockerSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    sandbox.open()
    assert "sk-very-secret" not in docker_engine.docker("inspect", str(sandbox.container_id))
    seen = sandbox.run("env; cat /proc/*/environ 2>/dev/null", timeout=10).output
    assert "GIVEN" in seen
    assert "sk-very-secret" not in seen


@docker
def test_the_limits_are_those_of_the_settings(docker_engine: DockerEngine, tmp_path: Path) -> None:
    settings = Settings(
        workspace=tmp_path,
        use_docker=True,
        image=docker_engine.image(SH_IMAGE),
        command_memory=128,
        command_processes=40,
        command_disk=16,
    )
    with make_runtime(settings, "limited", lambda _text: None) as runtime, runtime.sibling() as child:
        for one in (runtime, child):
            host = json.loads(docker_engine.docker("inspect", str(one.sandbox.container_id)))[0]["HostConfig"]  # type: ignore[attr-defined]
            assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (128 * MB, 128 * MB, 40)
            assert "size=16m" in host["Tmpfs"]["/tmp"]
            assert "size=16m" in host["Tmpfs"]["/home/pygent"]


# -- what must not be mounted


@pytest.mark.hostile(52)
def test_folders_that_are_more_than_a_workspace_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "people" / "me"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for root in (Path("/"), home, home.parent, home / "work" / ".."):
        with pytest.raises(SandboxUnavailable, match="cannot be given to a container"):
            DockerSandbox(root, "image", {})
    with pytest.raises(SandboxUnavailable, match="not a folder"):
        DockerSandbox(home / "nothing", "image", {})
    DockerSandbox(home / "work", "image", {})


@pytest.mark.hostile(52)
@docker
def test_a_folder_with_the_engines_socket_is_refused(docker_engine: DockerEngine, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(docker_engine.folder)
    for root in (docker_engine.folder, tmp_path / "link"):
        with pytest.raises(SandboxUnavailable, match="socket"):
            DockerSandbox(root, SH_IMAGE, {})


@pytest.mark.hostile(53)
@docker
def test_an_engine_that_sees_other_folders_is_noticed(docker_engine: DockerEngine, tmp_path: Path) -> None:
    """Here the owner lives in a mount namespace of its own, so both have a folder of that name, but not the same."""
    script = f"mount -t tmpfs none {tmp_path} && exec {sys.executable} -c '{OWNER}' {tmp_path} {SH_IMAGE} s"
    docker_engine.image(SH_IMAGE)
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert "another folder" in done.stderr
    assert "SandboxUnavailable" in done.stderr
    assert docker_engine.containers("pygent.session=s") == []


# -- what is missing


@pytest.mark.hostile(47)
def test_no_engine_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    assert not available()
    assert time.monotonic() - started < 0.1
    with pytest.raises(SandboxUnavailable, match=r"No container engine answers.*--no-docker"):
        DockerSandbox(tmp_path, "image", {}).open()
    monkeypatch.setenv("DOCKER_HOST", "ssh://somewhere")
    with pytest.raises(SandboxUnavailable, match="not supported"):
        DockerSandbox(tmp_path, "image", {}).open()


def test_asking_for_an_engine_loads_no_client(tmp_path: Path) -> None:
    code = "import sys; from pygent.sandbox.docker import available; available(); print('docker' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.hostile(47)
def test_something_else_behind_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeRegistry() as other:  # a web server, and no engine
        monkeypatch.setenv("DOCKER_HOST", f"tcp://{other.address}")
        assert not available()
        with pytest.raises(SandboxUnavailable, match="does not answer like"):
            DockerSandbox(tmp_path, "image", {}).open()


@docker
def test_an_engine_answers(docker_engine: DockerEngine) -> None:
    assert available()


@pytest.mark.hostile(47)
@docker
def test_no_permission(docker_engine: DockerEngine, tmp_path: Path) -> None:
    code = """
import os, sys, docker, requests, pygent.sandbox.docker as it
from pygent.errors import SandboxUnavailable
sandbox = it.DockerSandbox(sys.argv[1], 'image', {})
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try: sandbox.open()
except SandboxUnavailable as error: print(error)
"""
    docker_engine.folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", code, "/usr"], capture_output=True, text=True, check=True)
    assert "No permission" in done.stdout
    assert "usermod" in done.stdout


@pytest.mark.hostile(47)
@docker
def test_an_image_that_cannot_be_had(docker_engine: DockerEngine, tmp_path: Path) -> None:
    with FakeRegistry() as registry:
        image = f"{registry.address}/nothing/here:1"
        sandbox = DockerSandbox(tmp_path, image, {})
        with pytest.raises(SandboxUnavailable, match=r"cannot be pulled.*PYGENT_IMAGE"):
            sandbox.open()
        sandbox.close()


@docker
def test_a_missing_image_is_pulled_and_the_pull_is_shown(docker_engine: DockerEngine, tmp_path: Path) -> None:
    told: list[str] = []
    with FakeRegistry() as registry:
        image = registry.add("team/tools", "2")
        sandbox = DockerSandbox(tmp_path, image, {}, on_progress=told.append)
        try:
            assert sandbox.run("echo pulled", timeout=10).output == "pulled\n"
        finally:
            sandbox.close()
            docker_engine.docker("rmi", image)
    assert told[0] == f"Pulling the image {image} …"
    assert told[-1] == f"Pulled the image {image}"


@pytest.mark.hostile(47)
@docker
@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_pull_that_hangs_can_be_given_up(docker_engine: DockerEngine, tmp_path: Path, how: str) -> None:
    token = CancelToken()
    with FakeRegistry() as registry:
        sandbox = DockerSandbox(tmp_path, registry.add("team/slow", "1", stall=True), {})
        threading.Timer(0.5, token.cancel if how == "cancel" else sandbox.close).start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            sandbox.open(token)
        assert time.monotonic() - started < 1.2
        sandbox.close()


@pytest.mark.hostile(47)
@docker
def test_an_image_without_a_shell_is_named(docker_engine: DockerEngine, tmp_path: Path) -> None:
    from tests.fakes.docker_engine import empty_archive

    docker_engine.docker("import", "-", "pygent-test/empty:1", stdin=empty_archive())
    sandbox = DockerSandbox(tmp_path, "pygent-test/empty:1", {})
    with pytest.raises(SandboxUnavailable, match="has to have `sh`"):
        sandbox.open()
    sandbox.close()
    assert docker_engine.containers("pygent.owner.pid=" + str(os.getpid())) == []


@docker
def test_it_closes_without_having_been_opened(tmp_path: Path) -> None:
    sandbox = DockerSandbox(tmp_path, BASH_IMAGE, {})
    sandbox.close()
    sandbox.close()


@docker
def test_an_agents_temporary_workspace_moves_into_a_container_and_back(docker_engine: DockerEngine) -> None:
    with Runtime(image=docker_engine.image(BASH_IMAGE), use_docker=False, temporary=True) as runtime:
        runtime.write_file("a.txt", "kept")
        runtime.set_docker(True)
        assert runtime.use_docker
        assert "\n/workspace\nkept\n" in runtime.bash("pwd; cat a.txt; echo")
        runtime.set_docker(False)
        assert docker_engine.containers() == []
        assert "\nkept\n" in runtime.bash("cat a.txt; echo")
