"""What ``pygent doctor`` says about what commands reach, tried in real sandboxes; SECURITY.md promises no more."""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.__main__ import main
from pygent.agent import Agent
from pygent.commands.check import Check
from pygent.commands.reach import reach
from pygent.runtime import Runtime
from pygent.sandbox.description import surroundings
from pygent.sandbox.docker import DockerSandbox
from pygent.sandbox.limits import CommandLimits
from pygent.settings import Settings
from tests.fakes.docker_engine import BASH_IMAGE, FULL_IMAGE, SH_IMAGE, DockerEngine
from tests.fakes.models import ScriptedModel, call

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-0123456789abcdefghij"
NAMES = (
    *("commands", "home folder", "keys", "other users", "outside", "hooks", "network", "names (DNS)"),
    *("this machine", "sockets", "processes", "rights", "environment", "limits"),
)
Rows = dict[str, Check]


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A person's workspace, with a home folder that has keys, an agent of ssh, and variables with secrets."""
    home = tmp_path / "home"
    for folder in (".ssh", ".config/pygent", ".local/share/pygent"):
        (home / folder).mkdir(parents=True)
    (home / ".ssh/id_ed25519").write_text("private")
    (home / "letter.txt").write_text("personal")
    workspace = tmp_path / "work" / "project"
    (workspace / ".git/hooks").mkdir(parents=True)
    for name in list(os.environ):
        if name.startswith(("PYGENT_", "OPENAI_", "XDG_")) and name != "PYGENT_LOCAL_SANDBOX":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local/share"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-thing")
    monkeypatch.chdir(workspace)
    with tempfile.TemporaryDirectory(prefix="pgs-", dir="/tmp") as short, socket.socket(socket.AF_UNIX) as agent:
        agent.bind(f"{short}/agent")
        agent.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", f"{short}/agent")
        yield workspace


def look(**settings: object) -> Rows:
    rows = list(reach(Settings(api_key=KEY, **settings)))  # type: ignore[arg-type]
    assert [row.name for row in rows] == list(NAMES), rows
    return {row.name: row for row in rows}


def in_docker(engine: DockerEngine, image: str, **settings: object) -> Rows:
    return look(use_docker=True, image=engine.image(image), **settings)


@pytest.mark.hostile(41, 45)
def test_on_the_bare_machine_all_of_it_is_open_and_said(person: Path) -> None:
    rows = look(use_docker=False, local_sandbox="off")
    told = {
        name: row.text for name, row in rows.items() if row.state == "warn" and (row.reached or name == "commands")
    }
    assert "commands run as you" in told["commands"]
    assert str(person.parents[1] / "home") in told["home folder"]
    assert ".ssh" in told["keys"]
    assert str(person.parent) in told["outside"] or "more" in told["outside"]
    assert "hooks" in told["hooks"]
    assert "127.0.0.1 and its abstract sockets can be reached" in told["this machine"]
    assert "agent can be used" in told["sockets"]
    assert "Pygent's can be ended, its environment can be read" in told["processes"]
    assert "--docker" in rows["home folder"].change
    assert (rows["environment"].state, rows["environment"].reached) == ("ok", False)
    assert list(person.rglob(".pygent-doctor*")) == []
    assert list((person.parents[1] / "home").rglob(".pygent-doctor*")) == []


@pytest.mark.docker
@pytest.mark.hostile(41, 45, 46)
@pytest.mark.parametrize("image", [SH_IMAGE, BASH_IMAGE, FULL_IMAGE], ids=["sh", "bash", "python"])
def test_in_a_container_nothing_of_it_is(docker_engine: DockerEngine, person: Path, image: str) -> None:
    rows = in_docker(docker_engine, image)
    open_ = {name for name, row in rows.items() if row.reached}
    assert open_ == set()
    assert {name for name, row in rows.items() if row.reached is None} <= {"commands", "names (DNS)"}
    assert "docker · network off" in rows["commands"].text
    assert rows["limits"].text == "memory 4,096 MB together, 512 processes"
    assert "command_memory" in rows["limits"].change
    assert "--no-docker" in rows["home folder"].change
    assert "--network" in rows["network"].change
    assert list(person.iterdir()) == [person / ".git"]


@pytest.mark.docker
def test_limits_that_are_set_are_those_that_hold(docker_engine: DockerEngine, person: Path) -> None:
    rows = in_docker(docker_engine, SH_IMAGE, command_memory=128, command_processes=64)
    assert rows["limits"].text == "memory 128 MB together, 64 processes"


@pytest.mark.parametrize("where", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_a_secret_that_is_given_to_commands_is_named(
    request: pytest.FixtureRequest, person: Path, where: str
) -> None:
    given = {"command_env": ("AWS_SECRET_ACCESS_KEY",), "env": {"DEPLOY_TOKEN": "0123456789"}}
    if where == "docker":
        rows = in_docker(request.getfixturevalue("docker_engine"), SH_IMAGE, **given)
    else:
        rows = look(use_docker=False, local_sandbox="off", **given)
    assert (rows["environment"].state, rows["environment"].text) == (
        "warn",
        "has AWS_SECRET_ACCESS_KEY, DEPLOY_TOKEN",
    )


@pytest.mark.docker
def test_an_image_that_is_not_here_is_not_pulled_to_look(docker_engine: DockerEngine, person: Path) -> None:
    (row,) = reach(Settings(use_docker=True, image="127.0.0.1:9/not/here:1"))
    assert (row.name, row.state) == ("commands", "warn")
    assert "docker pull 127.0.0.1:9/not/here:1" in row.text


@pytest.mark.docker
@pytest.mark.hostile(52)
def test_a_workspace_that_no_container_gets_is_said(
    docker_engine: DockerEngine, person: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path.home())
    (row,) = reach(Settings(use_docker=True, image=docker_engine.image(SH_IMAGE)))
    assert (row.name, row.state) == ("commands", "fail")
    assert "cannot be given to a container" in row.text


def test_programs_read_it_too(person: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json", "--no-docker"])
    out = capsys.readouterr().out
    rows = {row["check"]: row for row in json.loads(out)}
    assert rows["keys"]["reached"] is True
    assert rows["environment"]["reached"] is False
    assert rows["keys"]["change"]
    assert "very-secret-thing" not in out
    assert KEY not in out
    main(["doctor", "--no-docker"])
    assert re.search(r"^warn  keys +can be read: .*--docker", capsys.readouterr().out, re.MULTILINE)


# -- what SECURITY.md promises


def promises(column: str) -> dict[str, str]:
    """The cells of a column of its table, by the names of the rows."""
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    first = next(index for index, line in enumerate(lines) if line.startswith("| row of `pygent doctor`"))
    head = [cell.strip() for cell in lines[first].strip("|").split("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[first + 1 :]]
    table = {row[0]: row[head.index(column)] for row in rows if row[0] in NAMES}
    assert set(table) == set(NAMES) - {"commands"}
    return table


def in_bubblewrap(**settings: object) -> Rows:
    return look(use_docker=False, local_sandbox="on", **settings)


def holds(rows: Rows, promised: dict[str, str]) -> None:
    for name, cell in promised.items():
        assert cell in {"closed", "open", "as you"}, (name, cell)
        if cell != "as you":
            assert rows[name].reached is (cell == "open"), (rows[name], cell)


@pytest.mark.docker
@pytest.mark.hostile(13, 41, 45, 46)
def test_a_container_holds_what_is_promised(docker_engine: DockerEngine, person: Path) -> None:
    holds(in_docker(docker_engine, SH_IMAGE), promises("container"))


@pytest.mark.bubblewrap
@pytest.mark.hostile(13, 41, 45, 46)
def test_the_local_sandbox_holds_what_is_promised(person: Path) -> None:
    holds(in_bubblewrap(), promises("local sandbox"))
    assert [path.name for path in person.rglob("*")] == [".git", "hooks"]


@pytest.mark.bubblewrap
@pytest.mark.hostile(45)
def test_the_local_sandboxs_network_is_the_machines_and_that_is_said(person: Path) -> None:
    rows = in_bubblewrap(network=True)
    assert {name for name, row in rows.items() if row.reached} <= {"network", "names (DNS)", "this machine"}
    assert (rows["this machine"].reached, rows["this machine"].state) == (True, "warn")
    assert "--no-network" in rows["this machine"].change


@pytest.mark.hostile(41)
def test_the_bare_machine_is_as_open_as_is_said(person: Path) -> None:
    holds(look(use_docker=False, local_sandbox="off"), promises("bare machine"))


def test_every_case_that_is_out_of_scope_has_a_reason() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    _, _, table = text.partition("| number | why |\n|---|---|\n")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table.partition("\n\n")[0], re.MULTILINE)
    assert rows
    for number, why in rows:
        assert 0 < int(number) < 80
        assert len(why) > 20


def test_the_system_message_tells_the_model_what_commands_reach(person: Path) -> None:
    """Without a container having been started: what is set is what will be tried."""
    sandbox = DockerSandbox(person, BASH_IMAGE, {}, limits=CommandLimits(memory=1024, processes=64, disk=256))
    told = surroundings(sandbox)
    assert told.startswith("docker · network off. ")
    assert "Only the workspace, /tmp and $HOME can be written" in told
    assert "Nothing can be downloaded" in told
    assert "1024 MB of memory, 64 processes at once, 256 MB in /tmp and in $HOME each" in told
    assert "Nothing can be downloaded" not in surroundings(DockerSandbox(person, BASH_IMAGE, {}, network=True))
    with Runtime(use_docker=False, workspace=person) as runtime:
        agent = Agent(runtime, model=ScriptedModel([call(("stop", {}))]))
        agent.run_until_stop("go")
        assert surroundings(runtime.sandbox) in str(agent.history[0]["content"])
        agent.close()


@pytest.mark.hostile(13)
def test_folders_that_programs_trust_are_tried_also_where_they_are_not_there_yet(person: Path) -> None:
    (person / ".git/hooks").rmdir()
    assert ".git/hooks, .pygent" in look(use_docker=False, local_sandbox="off")["hooks"].text
    assert list(person.rglob("*")) == [person / ".git"]
