"""Policy, rules and the broker: who may do what, and every question has one answer."""

import threading

import pytest

from pygent.approvals import Answer, Approvals, Broker, PendingCall, Policy, Verdict, default_mode
from pygent.approvals.policy import is_protected
from pygent.approvals.summary import summarize, visible
from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.errors import SettingsError
from pygent.events import ApprovalRequested, ApprovalResolved
from pygent.tools import REGISTRY, Tool

ROOT = "/home/me/project"


def policy(mode="auto", **more):
    more.setdefault("confined", True)
    return Policy(mode, roots=[ROOT, "/workspace"], **more)


def judge(given, tool, **arguments):
    return given.judge(REGISTRY.get(tool) or Tool(tool, "", {}, lambda rt: None, "outside"), arguments)


def command(given, cmd):
    return given.judge(REGISTRY.get("bash"), {"cmd": cmd})


# -- modes


@pytest.mark.parametrize(
    ("mode", "read", "write", "run", "outside"),
    [
        ("plan", "allow", "deny", "deny", "deny"),
        ("ask", "allow", "ask", "ask", "ask"),
        ("auto", "allow", "allow", "allow", "ask"),
        ("yolo", "allow", "allow", "allow", "allow"),
    ],
)
def test_the_table_of_modes(mode, read, write, run, outside):
    given = policy(mode)
    assert judge(given, "read_file", path="a").action == read
    assert judge(given, "write_file", path="a", content="x").action == write
    assert command(given, "make test").action == run
    assert command(given, "rm -rf /etc/x").action == outside
    assert judge(given, "some_remote_tool").action == outside


@pytest.mark.parametrize("mode", ["plan", "ask", "auto", "yolo"])
@pytest.mark.parametrize(
    "tool", ["stop", "continue", "list_personas", "task_status", "search", "read_file", "delegate_task"]
)
def test_reading_listing_and_control_never_ask(mode, tool):
    assert judge(policy(mode), tool).action == "allow"


def test_the_default_mode_follows_the_sandbox():
    assert default_mode(True) == Policy(confined=True).mode == "auto"
    assert default_mode(False) == Policy(confined=False).mode == "ask"


def test_an_unknown_mode_or_rule_is_an_error_that_says_so():
    with pytest.raises(SettingsError, match="plan, ask, auto, yolo"):
        Policy("fast")
    with pytest.raises(SettingsError, match="is not a rule"):
        Policy("ask", allow=["bash("])
    given = policy()
    with pytest.raises(SettingsError):
        given.mode = "nope"
    given.mode = "plan"
    assert given.mode == "plan"


@pytest.mark.parametrize("mode", ["plan", "ask", "auto", "yolo"])
@pytest.mark.hostile(34)
def test_bans_and_deny_rules_hold_in_every_mode(mode):
    given = policy(mode, deny=["bash(npm publish *)", "write_file(secrets/*)", "read_file(.env)"],
                   banned_commands=["curl", "git push"], banned_apps=["wget"])  # fmt: skip
    assert command(given, "cd x && git push origin").action == "deny"
    assert command(given, "curl http://x").action == "deny"
    assert command(given, "ls; /usr/bin/curl x").action == "deny"
    assert command(given, "echo $(curl x)").action == "deny"
    assert "curl is banned" in command(given, "timeout 5 curl x").reason
    assert command(given, "xargs -n1 sh -c 'wget x'").action == "deny"
    assert command(given, "curl x 'unbalanced").action == "deny"
    assert command(given, "npm publish --tag x").action == "deny"
    assert command(given, "env A=1 npm publish").action == "deny"
    assert command(given, "case x in y) npm publish;; esac").action == "deny"
    assert judge(given, "write_file", path="secrets/../secrets/a", content="").action == "deny"
    assert judge(given, "read_file", path="./.env").action == "deny"


def test_a_set_of_bans_is_live():
    banned: set[str] = set()
    given = policy(banned_commands=banned)
    assert command(given, "curl x").action == "allow"
    banned.add("curl")
    assert command(given, "curl x").action == "deny"


def test_confirm_bash_asks_for_each_command_even_an_allowed_one():
    given = policy("yolo", confirm_bash=True, allow=["bash(ls *)"])
    assert command(given, "ls").action == "ask"
    assert command(given, "ls").rule is None
    assert judge(given, "write_file", path="a", content="").action == "allow"


def test_ask_rules_ask_in_auto_but_not_in_yolo():
    for mode, action in (("plan", "deny"), ("ask", "ask"), ("auto", "ask"), ("yolo", "allow")):
        given = policy(mode, ask=["bash(git commit *)", "write_file(*.lock)"], allow=["bash(git *)"])
        assert command(given, "make && git commit -m x").action == action
        assert judge(given, "write_file", path="a.lock", content="").action == action


@pytest.mark.parametrize(
    "path",
    [
        ".git/hooks/pre-commit",
        "sub/.GIT/config",
        ".pygent/config.yaml",
        ".g\u200bit/x",
        "．git/x",
        ".bashrc",
        "a/../.git/x",
    ],
)
@pytest.mark.hostile(12, 13)
def test_files_that_other_programs_trust_are_always_asked_for(path):
    assert is_protected(path)
    given = policy("auto", allow=["write_file"])
    assert judge(given, "write_file", path=path, content="").action == "ask"
    assert judge(given, "edit_file", path=path, old="a", new="b").action == "ask"
    assert judge(given, "collect_file", task_id="t", path="a", dest=path).action == "ask"
    assert judge(given, "apply_task", task_id="t", paths=["a", path]).action == "ask"
    assert judge(given, "apply_task", task_id="t", paths=["a"]).action == "allow"
    assert judge(policy("yolo"), "write_file", path=path, content="").action == "allow"


def test_ordinary_names_are_not_protected():
    assert not any(is_protected(path) for path in ("src/a.py", ".gitignore", "git/x", ".github/workflows/ci.yml"))


# -- what a person reads


@pytest.mark.hostile(35)
def test_nothing_in_a_summary_hides():
    shown = summarize(PendingCall("1", "bash", {"cmd": "ls" + " " * 3000 + "\u202e; rm\u200b -rf ~\x1b[2J"}), "why")
    assert "ls<3000 spaces><U+202E>; rm<U+200B> -rf ~<U+001B>[2J" in shown
    assert shown.endswith("\nwhy")
    assert visible("plain é 漢") == "plain é 漢"
    assert summarize(PendingCall("1", "write_file", {"path": "a", "content": "x\ny"})) == "Write a (2 lines)"
    assert summarize(PendingCall("1", "edit_file", {"path": "a", "old": "x", "new": "y"})) == "Edit a"
    assert summarize(PendingCall("1", "custom", {})) == "custom"


# -- the broker


class Recorder:
    """Keeps all events and answers requests as it is told."""

    def __init__(self, on_request=None):
        self.bus = EventBus("s")
        self.events = []
        self.broker = Broker(self.bus.publish)
        self.on_request = on_request
        self.changed = threading.Condition()
        self.bus.subscribe(self._see)

    def _see(self, event):
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()
        if isinstance(event, ApprovalRequested) and self.on_request:
            self.on_request(event)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def wait_for(self, kind, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.of(kind)) >= count, 5)
        return self.of(kind)

    def ask(self, call_id="1", cmd="make", agent="main", verdict=None, cancel=None):
        call = PendingCall(call_id, "bash", {"cmd": cmd})
        verdict = verdict or Verdict("ask", "why", "bash(make *)")
        return self.broker.request(agent, call, verdict, cancel or CancelToken())

    def ask_on_thread(self, answers, **how):
        thread = threading.Thread(target=lambda: answers.append(self.ask(**how)), daemon=True)
        thread.start()
        return thread


def test_an_answer_reaches_the_agent_that_asked():
    seen = Recorder()
    answers = []
    thread = seen.ask_on_thread(answers, call_id="c7", agent="task1")
    request = seen.wait_for(ApprovalRequested, 1)[0]
    assert (request.agent_id, request.call_id, request.tool, request.rule) == ("task1", "c7", "bash", "bash(make *)")
    assert request.summary == "Run: make\nwhy"
    assert not seen.broker.resolve("unknown", "allow_once")
    with pytest.raises(ValueError, match="allow_once"):
        seen.broker.resolve(request.request_id, "perhaps")
    assert seen.broker.resolve(request.request_id, "deny", "use tox")
    assert not seen.broker.resolve(request.request_id, "allow_once")
    thread.join(5)
    assert answers == [Answer("deny", "use tox", "user", "why")]
    resolved = seen.of(ApprovalResolved)
    assert [(event.agent_id, event.decision, event.feedback, event.by) for event in resolved] == [
        ("task1", "deny", "use tox", "user")
    ]


def test_a_sink_may_answer_at_once():
    seen = Recorder()
    seen.on_request = lambda event: seen.broker.resolve(event.request_id, "allow_once")
    assert seen.ask().decision == "allow_once"
    assert [type(event) for event in seen.events] == [ApprovalRequested, ApprovalResolved]


@pytest.mark.hostile(30)
def test_cancel_and_deadline_end_the_question():
    for token, cancel in ((CancelToken(), True), (CancelToken(0.05), False)):
        seen = Recorder()
        answers = []
        thread = seen.ask_on_thread(answers, cancel=token)
        seen.wait_for(ApprovalRequested, 1)
        if cancel:
            token.cancel()
        thread.join(2)
        assert answers == [Answer("deny", "", "nobody", "why")]
        assert [(event.decision, event.by) for event in seen.of(ApprovalResolved)] == [("deny", "nobody")]
        assert seen.broker.waiting == ()


def test_questions_wait_in_the_order_they_came():
    seen = Recorder()
    answers = []
    threads = []
    for number in range(4):
        threads.append(seen.ask_on_thread(answers, call_id=str(number), agent=f"a{number}", cmd=f"make {number}"))
        seen.wait_for(ApprovalRequested, number + 1)
    assert [event.request_id for event in seen.of(ApprovalRequested)] == list(seen.broker.waiting)
    for request_id in seen.broker.waiting:
        assert seen.broker.resolve(request_id, "allow_once")
    for thread in threads:
        thread.join(5)
    assert [answer.decision for answer in answers] == ["allow_once"] * 4


def test_allow_for_the_session_covers_later_and_waiting_questions():
    seen = Recorder()
    answers = []
    first = seen.ask_on_thread(answers, call_id="1", cmd="make a")
    seen.wait_for(ApprovalRequested, 1)
    second = seen.ask_on_thread(answers, call_id="2", cmd="make b", agent="t")
    seen.wait_for(ApprovalRequested, 2)
    third = seen.ask_on_thread(answers, call_id="3", cmd="ninja", verdict=Verdict("ask", "", "bash(ninja)"))
    seen.wait_for(ApprovalRequested, 3)
    assert seen.broker.resolve(seen.broker.waiting[0], "allow_session")
    first.join(5)
    second.join(5)
    assert {(answer.decision, answer.by) for answer in answers} == {
        ("allow_session", "user"),
        ("allow_session", "policy"),
    }
    assert len(seen.broker.waiting) == 1
    assert seen.ask(cmd="make c").by == "policy"
    assert len(seen.of(ApprovalRequested)) == 3
    seen.broker.close()
    third.join(5)
    assert answers[-1] == Answer("deny", "", "nobody", "")
    assert seen.ask(cmd="other").by == "nobody"


def test_without_a_rule_only_the_same_call_is_covered():
    seen = Recorder(lambda event: seen.broker.resolve(event.request_id, "allow_always"))
    strict = Verdict("ask", "danger", None, strict=True)
    assert seen.ask(cmd="rm -rf /x", verdict=strict).decision == "allow_session"  # nothing that could be saved
    assert seen.ask(cmd="rm -rf /x", verdict=strict).by == "policy"
    assert seen.ask(cmd="rm -rf /y", verdict=strict).by == "user"
    assert len(seen.broker.grants) == 2
    seen.broker.forget()
    assert seen.ask(cmd="rm -rf /x", verdict=strict).by == "user"


def test_a_strict_question_is_not_covered_by_a_rule():
    seen = Recorder(lambda event: seen.broker.resolve(event.request_id, "allow_session"))
    push = Verdict("ask", "", "bash(git push *)")
    assert seen.ask(cmd="git push", verdict=push).by == "user"
    assert seen.ask(cmd="git push a", verdict=push).by == "policy"
    assert seen.ask(cmd="git push -f", verdict=Verdict("ask", "", None, strict=True)).by == "user"


@pytest.mark.hostile(38)
def test_always_saves_the_rule_that_was_shown():
    seen = Recorder(lambda event: seen.broker.resolve(event.request_id, "allow_always"))
    saved = []
    given = policy("ask")
    approvals = Approvals(given, seen.broker, save_rule=saved.append)
    call = PendingCall("1", "bash", {"cmd": "git commit -m x"})
    answer = approvals.decide(REGISTRY.get("bash"), call, agent_id="main", cancel=CancelToken())
    assert answer.decision == "allow_always"
    assert saved == [seen.of(ApprovalRequested)[0].rule] == ["bash(git commit *)"] == list(given.rules("allow"))


def test_a_rule_that_cannot_be_saved_still_holds(caplog):
    def fail(rule):
        raise OSError("disk full")

    seen = Recorder(lambda event: seen.broker.resolve(event.request_id, "allow_always"))
    approvals = Approvals(policy("ask"), seen.broker, save_rule=fail)
    call = PendingCall("1", "bash", {"cmd": "make"})
    assert approvals.decide(REGISTRY.get("bash"), call, agent_id="main", cancel=CancelToken()).allowed
    assert "disk full" in caplog.text


@pytest.mark.hostile(39)
def test_where_nobody_can_answer_ask_means_deny():
    events = []
    approvals = Approvals(policy("ask"), None, emit=events.append)
    call = PendingCall("1", "bash", {"cmd": "git push"})
    answer = approvals.decide(REGISTRY.get("bash"), call, agent_id="t", cancel=CancelToken())
    assert (answer.decision, answer.by, answer.reason) == ("deny", "nobody", "git push publishes commits")
    assert [type(event) for event in events] == [ApprovalRequested, ApprovalResolved]
    assert (events[1].by, events[1].request_id) == ("nobody", events[0].request_id)
    assert (
        Approvals(policy("ask")).decide(REGISTRY.get("bash"), call, agent_id="t", cancel=CancelToken()).by == "nobody"
    )


def test_an_agent_in_another_workspace_is_judged_by_its_own_paths():
    approvals = Approvals(policy("auto"))
    child = approvals.within(["/home/me/child"])
    call = PendingCall("1", "bash", {"cmd": "rm -rf /home/me/child/build"})
    decided = [
        one.decide(REGISTRY.get("bash"), call, agent_id="t", cancel=CancelToken()).allowed
        for one in (approvals, child)
    ]
    assert decided == [False, True]
    assert child.policy is approvals.policy
