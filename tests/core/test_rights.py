"""A persona only ever narrows: what it may do is what both its session and it allow, judged anew at each call
(hostile.md, 40)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pygent import Agent, Persona, Runtime
from pygent.approvals import MODES, Approvals, PendingCall, Policy, Rights, Verdict
from pygent.cancellation import CancelToken
from pygent.errors import PygentError, SettingsError
from pygent.events import ToolFinished
from pygent.session import Session
from pygent.settings import Settings
from pygent.tools import REGISTRY, Tool
from tests.fakes.models import ScriptedModel, call, say

RANK = {"allow": 0, "ask": 1, "deny": 2}
RULES = ["bash", "bash(git push *)", "write_file(src/*)", "write_file", "delegate_task", "edit_*"]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("bash", {"cmd": "git push origin"}),
    ("bash", {"cmd": "true && git push"}),
    ("bash", {"cmd": "ls"}),
    ("bash", {"cmd": "rm -rf /etc/x"}),
    ("write_file", {"path": "src/a", "content": ""}),
    ("write_file", {"path": ".git/config", "content": ""}),
    ("read_file", {"path": "a"}),
    ("delegate_task", {"prompt": "x"}),
    ("stop", {}),
]


def known(name: str) -> Tool:
    tool = REGISTRY.get(name)
    assert tool is not None
    return tool


rule_lists = st.lists(st.sampled_from(RULES), max_size=2).map(tuple)
modes = st.sampled_from(MODES)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    modes,
    st.booleans(),
    rule_lists,
    rule_lists,
    st.lists(st.builds(Persona, st.just("p"), deny=rule_lists, permission_mode=st.none() | modes), max_size=3),
    st.sampled_from(CALLS),
)
@pytest.mark.hostile(40)
def test_whatever_a_persona_says_it_gets_no_more_than_its_session(
    mode: str, confined: bool, allow: tuple[str, ...], deny: tuple[str, ...], personas: list[Persona], one: Any
) -> None:
    policy = Policy(mode, confined, allow=allow, deny=deny)
    approvals = Approvals(policy)
    for persona in personas:  # the main agent's, its task's, …
        approvals = approvals.within(None, persona)
    name, arguments = one
    tool = known(name)
    verdict = policy.judge(tool, arguments, rights=approvals.rights)
    assert RANK[verdict.action] >= RANK[policy.judge(tool, arguments).action]
    for persona in personas:
        alone = Policy(persona.permission_mode or "yolo", confined, allow=allow, deny=persona.deny)
        assert RANK[verdict.action] >= RANK[alone.judge(tool, arguments).action]


def decided(approvals: Approvals, name: str, **arguments: Any) -> bool:
    pending = PendingCall("c", name, arguments)
    return approvals.decide(known(name), pending, agent_id="t", cancel=CancelToken()).allowed


@pytest.mark.hostile(40)
def test_the_stricter_mode_of_both_counts_at_each_call() -> None:
    policy = Policy("auto", confined=True)
    task = Approvals(policy).within(None, Persona("p", permission_mode="auto"))
    assert decided(task, "bash", cmd="ls")
    policy.mode = "plan"
    assert not decided(task, "bash", cmd="ls")
    policy.mode = "yolo"
    assert task.mode == "auto"
    assert not decided(task, "bash", cmd="rm -rf /etc/x")
    policy.add_rule("deny", "bash")
    assert not decided(task, "bash", cmd="ls")
    assert task.within(None, Persona("q", deny=("write_file",))).rules("deny") == ("bash", "write_file")


def test_a_rule_that_cannot_be_read_names_its_persona(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="persona 'p': deny: 'a b' is not a rule"):
        Rights.of(Persona("p", deny=("a b",)))
    settings = Settings(workspace=tmp_path, use_docker=False, personas=(Persona("p", deny=("a b",)),))
    session = Session(settings, model=ScriptedModel([]))
    with pytest.raises(SettingsError, match="persona 'p'"):
        session.open()
    session.close()


def test_a_persona_holds_where_nobody_is_asked(tmp_path: Path) -> None:
    script = [
        call(("bash", {"cmd": "echo x > made"})),
        call(("write_file", {"path": "b", "content": ""})),
        say("done"),
    ]
    persona = Persona("p", deny=("bash",), permission_mode="plan", max_steps=3)
    with Runtime(workspace=tmp_path, use_docker=False) as runtime:
        agent = Agent(runtime, ScriptedModel(script), persona=persona)
        ends: list[ToolFinished] = []
        agent.wiring.bus.subscribe(lambda event: ends.append(event) if isinstance(event, ToolFinished) else None)
        assert agent.run_until_stop("go").reason == "max_steps"
    assert [end.status for end in ends] == ["denied", "denied"]
    assert list(tmp_path.iterdir()) == []


def test_a_session_as_a_persona_has_no_more_than_that(tmp_path: Path) -> None:
    careful = Persona("careful", permission_mode="ask", network=False, deny=("bash",), max_steps=2)
    settings = Settings(workspace=tmp_path, use_docker=False, permission_mode="yolo", personas=(careful,))
    session = Session(settings, model=ScriptedModel([]), interactive=False)
    try:
        session.open()
        assert session.permission_mode == "yolo"
        session.set_persona("careful")
        assert session.permission_mode == session.status().permission_mode == "ask"
        with pytest.raises(ValueError, match="the persona careful has the permission mode ask at most"):
            session.set_permission_mode("auto")
        with pytest.raises(PygentError, match="careful works without a network"):
            session.set_network(True)
        assert session.cycle_permission_mode() == "plan"
        assert session.cycle_permission_mode() == "ask"
        assert session.agent is not None
        approvals = session.agent.wiring.approvals
        assert approvals is not None
        assert approvals.rules("deny") == ("bash",)
        session.set_persona(settings.persona.name)
        assert approvals.rules("deny") == ()
        session.set_permission_mode("auto")
        assert session.permission_mode == approvals.mode == "auto"
    finally:
        session.close()


def test_a_sibling_has_no_network_that_the_first_one_lacks(tmp_path: Path) -> None:
    for mine, wanted, has in ((True, None, True), (True, False, False), (False, True, False), (True, True, True)):
        with (
            Runtime(workspace=tmp_path, use_docker=False, network=mine, image="a") as runtime,
            runtime.sibling(workspace=tmp_path / "ws", image="b", network=wanted) as sibling,
        ):
            assert sibling._network is has
            assert (sibling.image, sibling.base_dir) == ("b", tmp_path / "ws")


def test_verdicts_know_why() -> None:
    rights = Rights.of(Persona("p", permission_mode="plan"))
    verdict = Policy("yolo").judge(known("bash"), {"cmd": "ls"}, rights=rights)
    assert verdict == Verdict(
        "deny", "plan mode does not allow running commands; read, and call present_plan with what you would do"
    )
