"""The terminal's title, and calls to a person who looks elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygent.events import ApprovalRequested, Event, RunFinished, RunStarted, stamp
from pygent.tui import calls
from pygent.tui.attention import APART, Calls, Title
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import _own_config, running, until

__all__ = ["_own_config"]

KITTY = {"KITTY_WINDOW_ID": "1", "TERM": "xterm-kitty"}
DESKTOP = {"TERM": "xterm-256color", "DISPLAY": ":0"}


class Caller:
    """`Calls` with everything it does kept."""

    def __init__(self, terminal: dict[str, str], *programs: str, focused: bool | None = False) -> None:
        self.written: list[str] = []
        self.started: list[list[str]] = []
        self.now = 100.0
        self.calls = Calls(
            self.written.append,
            terminal,
            clock=lambda: self.now,
            which=lambda name: name in programs,
            start=self.started.append,
        )
        self.calls.focused = focused

    def run(self, took: float, setting: str = "auto", reason: str = "stopped", error: str = "") -> Caller:
        ended: Event = RunFinished(reason=reason, error=error)  # type: ignore[arg-type]
        events = [stamp(RunStarted(prompt="x"), seq=1, at=0, session_id="s")]
        self.calls.take([*events, stamp(ended, seq=2, at=took, session_id="s")], setting, "proj")
        return self

    def ask(self, setting: str = "auto", summary: str = "bash make") -> Caller:
        self.calls.take(
            [ApprovalRequested(request_id="r", call_id="c", tool="bash", summary=summary, arguments={})],
            setting,
            "proj",
        )
        return self

    @property
    def text(self) -> str:
        return "".join(self.written)


def test_a_long_run_and_a_question_call_and_a_short_run_does_not() -> None:
    assert Caller(KITTY).run(130).text == (
        "\x1b]99;i=pygent:d=0;Pygent · proj\x1b\\\x1b]99;i=pygent:p=body;finished in 2m 10s\x1b\\"
    )
    assert "asks: bash make" in Caller(KITTY).ask().text
    assert Caller(KITTY).run(2).text == ""
    assert "failed: no answer in 20s" in Caller(KITTY).run(20, reason="failed", error="no answer").text
    assert Caller(KITTY).run(20, reason="cancelled").text == ""


def test_who_looks_is_not_called_and_where_nobody_knows_the_bell_rings_for_what_matters() -> None:
    assert Caller(KITTY, focused=True).ask("both").text == ""
    assert Caller(KITTY, focused=None).ask().text == calls.BELL
    assert Caller(KITTY, focused=None).run(20).text == ""
    assert Caller(KITTY, focused=None).run(31).text == calls.BELL


@pytest.mark.parametrize(
    ("setting", "bell", "desktop"),
    [
        ("off", False, False),
        ("bell", True, False),
        ("desktop", False, True),
        ("both", True, True),
        ("auto", False, True),
    ],
)
def test_the_setting_decides_how(setting: str, bell: bool, desktop: bool) -> None:
    text = Caller(KITTY).ask(setting).text
    assert (calls.BELL in text, "]99;" in text) == (bell, desktop)


def test_without_a_way_to_the_desktop_the_bell_rings() -> None:
    assert Caller({"TERM": "xterm"}).ask("desktop").text == calls.BELL


def test_calls_are_kept_apart() -> None:
    caller = Caller(KITTY).ask().ask()
    assert caller.text.count("p=body") == 1
    caller.now += APART
    assert caller.ask().text.count("p=body") == 2


def test_a_program_calls_on_the_persons_own_machine_only() -> None:
    assert Caller(DESKTOP, "notify-send").ask().started[0][-2:] == ["Pygent · proj", "asks: bash make"]
    assert calls.channel({**DESKTOP, "SSH_CONNECTION": "a"}, lambda _: True) is None
    assert calls.channel({**KITTY, **DESKTOP, "TMUX": "x"}, lambda _: True) == "notify-send"
    assert calls.channel({**KITTY, "TMUX": "x"}, lambda _: False) == "osc99"
    assert calls.channel({"TERM_PROGRAM": "WezTerm"}) == "osc777"
    assert calls.channel({"LC_TERMINAL": "iTerm2", "SSH_CONNECTION": "a"}) == "osc9"


def test_no_control_reaches_the_terminal_or_the_program() -> None:
    nasty = "a\x1b]0;x\x07b\u202ec\nd"
    for way in ("osc9", "osc777", "osc99"):
        made = calls.sequence(way, nasty, nasty)  # type: ignore[arg-type]
        inside = made.removeprefix("\x1b]").removesuffix("\x1b\\").replace("\x1b\\\x1b]", "")
        assert not {"\x1b", "\x07", "\n", "\u202e"} & set(inside)
    assert "\x1b" not in "".join(calls.program("notify-send", nasty, nasty))
    assert calls.passed_through("\x1b]9;x\x1b\\") == "\x1bPtmux;\x1b\x1b]9;x\x1b\x1b\\\x1b\\"


def test_the_title_is_put_away_written_when_it_changes_and_given_back() -> None:
    written: list[str] = []
    title = Title(written.append)
    title.give_back()
    for state in ("ready", "ready", "● working"):
        title.show("proj", state)
    title.give_back()
    title.give_back()
    assert written == [
        "\x1b[22;2t\x1b]2;pygent · proj · ready\x1b\\",
        "\x1b]2;pygent · proj · ● working\x1b\\",
        "\x1b[23;2t",
    ]


async def test_the_title_follows_the_session(tmp_path: Path) -> None:
    session = FakeSession(tmp_path / "proj")
    async with running(session) as (app, _):
        assert app.attention is not None
        assert app.attention._state == "ready"
        session.run("x")
        await until(lambda: app.main.transcript.main.running)
        assert app.attention._state == "● working"
        request = session.ask()
        await until(lambda: bool(app.main.transcript.approvals))
        assert app.attention._state == "? asks you"
        session.resolve(request, "deny")
        session.finish()
        await until(lambda: app.attention is not None and app.attention._state == "✓ done")
