"""Rules by agent, what is saved and taken back, what changes while it is asked for, workspaces that are too wide."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from pygent import Persona
from pygent.approvals import Approvals, Broker, PendingCall, Policy, Rule, too_wide
from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.errors import SettingsError
from pygent.events import ApprovalRequested, Event, Notice
from pygent.openai_compat import ToolCall, ToolCallFunction
from pygent.session import Session
from pygent.settings import Settings, load, save_user_settings
from pygent.tools import REGISTRY, Tool
from pygent.tools.executor import Executor
from pygent.tools.registry import ToolRegistry
from tests.fakes.models import ScriptedModel


def known(name: str) -> Tool:
    tool = REGISTRY.get(name)
    assert tool is not None
    return tool


def judged(policy: Policy, cmd: str, agent: str = "main", persona: str = "Pygent") -> str:
    return policy.judge(known("bash"), {"cmd": cmd}, agent, persona=persona).action


# -- rules by agent


def test_a_rule_can_be_about_one_agent() -> None:
    policy = Policy(
        "ask",
        allow=["bash(pytest *) by tester", "bash(make) by main", "write_file(docs/*) by write*"],
        ask=["bash(ls *) by task"],
        deny=["bash(git *) by 3f2a", "bash by Data Writer"],
    )
    assert judged(policy, "pytest -q", "t1", "tester") == "allow"
    assert judged(policy, "pytest -q", "t1", "Tester") == "allow"  # as /persona takes names
    assert judged(policy, "pytest -q", "t1", "reviewer") == "ask"
    assert judged(policy, "pytest -q") == "ask"
    assert judged(policy, "make") == "allow"
    assert judged(policy, "make", "t1", "tester") == "ask"
    assert judged(policy, "true; git status", "3f2a", "tester") == "deny"
    assert judged(policy, "true; git status", "3f2b", "tester") == "ask"
    assert judged(policy, "true", "t1", "data writer") == "deny"
    write = policy.judge(known("write_file"), {"path": "docs/a", "content": ""}, "t1", persona="writer")
    assert write.action == "allow"
    automatic = Policy("auto", confined=True, ask=["bash(ls *) by task"], roots=["/w"])
    assert judged(automatic, "ls", "t1", "tester") == "ask"
    assert judged(automatic, "ls") == "allow"


@pytest.mark.parametrize(
    ("text", "agent", "pattern"),
    [
        ("bash(a by b)", None, "a by b"), ("bash by x", "x", None), ("bash(a)  by  my tester ", "my tester", "a"),
        ("web_fetch(*.org) by r*", "r*", "*.org"), ("bash(a (b) by c)", None, "a (b) by c"),
    ],
)  # fmt: skip
def test_how_a_rule_by_agent_is_read(text: str, agent: str | None, pattern: str | None) -> None:
    rule = Rule.parse(text)
    assert (rule.agent, rule.pattern, rule.text) == (agent, pattern, text.strip())


@pytest.mark.parametrize("text", ["bash(a) by x(y)", "bash(a) by ", "bash(a) for x", "git push *"])
def test_what_is_no_rule_by_agent_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a rule|no parentheses"):
        Rule.parse(text)


@pytest.mark.hostile(40)
def test_a_task_and_another_persona_go_by_their_own_names(tmp_path: Path) -> None:
    approvals = Approvals(Policy("ask", allow=["bash(ls) by tester"])).within(None, Persona("Pygent"))
    task = approvals.within(["/w/t1"], Persona("tester"))
    call = PendingCall("c", "bash", {"cmd": "ls"})
    how: dict[str, Any] = {"cancel": CancelToken()}
    assert not approvals.decide(known("bash"), call, agent_id="main", **how).allowed
    assert task.decide(known("bash"), call, agent_id="t1", **how).allowed
    assert task.within(["/w/t1/x"]).decide(known("bash"), call, agent_id="t1", **how).allowed
    personas = (Persona("tester"), Persona("other"))
    settings = Settings(workspace=tmp_path, use_docker=False, allow=("bash(ls) by tester",), personas=personas)
    session = Session(settings, model=ScriptedModel([]), interactive=False)
    try:
        session.open()
        session.set_permission_mode("ask")
        assert session.agent is not None
        held = session.agent.wiring.approvals
        assert held is not None
        for name, allowed in (("tester", True), ("other", False)):
            session.set_persona(name)
            assert held.decide(known("bash"), call, agent_id="main", **how).allowed is allowed
    finally:
        session.close()


# -- saved and taken back


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    (tmp_path / "ws").mkdir()
    return tmp_path


@pytest.mark.hostile(38)
def test_always_is_saved_for_the_person_alone_and_can_be_taken_back(at_home: Path) -> None:
    workspace = at_home / "ws"
    named = at_home / "named.yaml"
    named.write_text("allow: ['bash(from the named file)']\n")
    path = save_user_settings({"allow": ["bash(old)"], "model": "m"})
    settings = Settings(
        workspace=workspace, use_docker=False, permission_mode="ask", allow=("bash(old)", "bash(else)")
    )
    session = Session(settings, model=ScriptedModel([]))
    shown: list[str | None] = []

    def answer(event: Event) -> None:
        if isinstance(event, ApprovalRequested):
            shown.append(event.rule)
            session.resolve(event.request_id, "allow_always" if len(shown) < 3 else "allow_session")

    session.subscribe(answer)
    try:
        session.open()
        assert session.agent is not None
        approvals = session.agent.wiring.approvals
        assert approvals is not None

        def asks(cmd: str) -> bool:
            before = len(shown)
            approvals.decide(
                known("bash"), PendingCall("c", "bash", {"cmd": cmd}), agent_id="main", cancel=CancelToken()
            )
            return len(shown) > before

        os.environ["PYGENT_CONFIG"] = str(named)
        try:
            assert asks("make test")
            assert asks("python x.py")  # an interpreter: this very call, for the session
        finally:
            del os.environ["PYGENT_CONFIG"]
        assert shown == ["bash(make test)", None]
        assert asks("ninja")
        assert not any(asks(cmd) for cmd in ("make test", "python x.py", "ninja"))
        assert asks("python y.py")
        assert list(load(workspace=workspace).allow) == ["bash(old)", "bash(make test)"]  # nothing of other sources
        assert list(workspace.rglob("*")) == []
        listed = {one.text: one.lasts for one in session.allowed()}
        assert listed["bash(make test)"] == "always"
        assert listed["bash(ninja)"] == "session"
        assert 'bash {"cmd": "python x.py"}' in listed
        assert session.take_back("bash(make test)").endswith("no longer in your settings.")
        assert "config.yaml" in session.take_back("bash(else)")
        assert session.take_back("bash(ninja)") == "bash(ninja) is asked for again."
        session.take_back('bash {"cmd": "python x.py"}')
        with pytest.raises(ValueError, match="is not allowed"):
            session.take_back("bash(ninja)")
        assert all(asks(cmd) for cmd in ("make test", "python x.py", "ninja"))
        assert path.read_text().splitlines()[0].startswith("allow:")
        assert list(load(workspace=workspace).allow) == ["bash(old)"]
    finally:
        session.close()


@pytest.mark.hostile(38)
@pytest.mark.parametrize(
    "cmd",
    """python x.py; python3.12 -c 1; bash x; node -e 1; perl x; ruby x; awk 1 x; sed -n 1p x; find . -name x; xargs ls
    env ls; ssh h; sudo ls; npx x; uv run x; ./run; parallel x; eval x; vim x; watch ls; git -c a=b log
    git submodule foreach x; source x; trap x EXIT; docker run x; make X=1 -f x > y""".replace("\n    ", "; ").split(
        "; "
    ),
)
def test_no_rule_is_offered_for_what_runs_other_code(cmd: str) -> None:
    assert Policy("ask").judge(known("bash"), {"cmd": cmd}).rule is None


# -- what changes while it is asked for


@pytest.mark.hostile(36)
@pytest.mark.parametrize("change", [{"cmd": "rm x"}, {"cmd": "ls "}, {"timeout": 1.0}, {"more": 1}])
def test_arguments_that_change_while_they_are_asked_for_are_refused(change: dict[str, Any]) -> None:
    ran: list[str] = []
    registry = ToolRegistry()
    parameters = {"type": "object", "properties": {"cmd": {"type": "string"}, "timeout": {"type": "number"}}}
    registry.add(Tool("bash", "", parameters, lambda rt, cmd, timeout=1: ran.append(cmd), "run"))
    bus = EventBus("s")
    broker = Broker(bus.publish)

    def meddle(event: Event) -> None:
        if isinstance(event, ApprovalRequested):
            event.arguments.update(change)
            broker.resolve(event.request_id, "allow_session")

    bus.subscribe(meddle)
    executor = Executor(registry, Approvals(Policy("ask"), broker), bus.publish)
    call = ToolCall("1", ToolCallFunction("bash", '{"cmd": "ls", "timeout": 1}'))
    outcome = executor.execute(call, object(), agent_id="main", cancel=CancelToken())
    assert (outcome.status, outcome.denied, ran) == ("denied", True, [])
    assert "changed while it was asked for" in outcome.output


# -- protected names and wide workspaces


@pytest.mark.hostile(12, 13)
@pytest.mark.parametrize(
    "path",
    [".GIT/hooks/x", ".Git/config", ".gi\u0074/x", "．git/x", ".git\u200d/x", ".bASHrc",
     ".BASHRC", ".pygent/x", ".PYGENT/config.yaml", "a/../.git/x", ".git./x", ".git /x", ".ſsh/x"],
)  # fmt: skip
def test_twins_of_protected_names_are_asked_for_in_files_and_commands(path: str) -> None:
    policy = Policy("auto", confined=True, roots=["/w"], allow=["write_file", "bash(touch *)"])
    assert policy.judge(known("write_file"), {"path": path, "content": ""}).action == "ask"
    for cmd in (f"touch '{path}'", f"echo x > '{path}'", f"cp a '{path}'", f"rm '{path}'"):
        assert policy.judge(known("bash"), {"cmd": cmd}).action == "ask", cmd


@pytest.mark.hostile(52)
def test_nothing_in_a_workspace_that_is_too_wide_goes_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "me"
    (home / "project").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    engine = tmp_path / "engine"
    engine.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(engine / "docker.sock"))
        wide = {"/": "the whole file system", str(home): "your home folder", str(tmp_path): "home folder in it",
                str(engine): "socket in it"}  # fmt: skip
        for root, words in wide.items():
            assert words in too_wide([root])
            policy = Policy("auto", roots=[root])
            verdict = policy.judge(known("write_file"), {"path": "a", "content": ""})
            assert (verdict.action, words in verdict.reason) == ("ask", True)
            for cmd in ("rm -rf x", f"rm -rf {root}/x", "echo x > a", "cp a b", "rm -rf /etc"):
                assert policy.judge(known("bash"), {"cmd": cmd}).action == "ask", (root, cmd)
            assert policy.judge(known("bash"), {"cmd": "ls"}).action == "allow"
    assert too_wide([str(home / "project")]) == ""
    project = Policy("auto", confined=True, roots=[str(home / "project")])
    assert project.judge(known("bash"), {"cmd": "rm -rf x"}).action == "allow"


@pytest.mark.hostile(52)
def test_a_session_in_the_home_folder_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    told: list[str] = []
    session = Session(Settings(workspace=tmp_path, use_docker=False), model=ScriptedModel([]))
    session.subscribe(lambda event: told.append(event.text) if isinstance(event, Notice) else None)
    try:
        session.open()
    finally:
        session.close()
    assert any("The workspace is your home folder: the mode auto asks before each change" in text for text in told)


def test_a_rule_that_cannot_be_read_is_told_with_its_list() -> None:
    with pytest.raises(SettingsError, match=r"ask: .*bash\(a\) by x\(y\).*no parentheses"):
        Policy(ask=["bash(a) by x(y)"])
