"""The application through Textual's pilot, on a scripted session."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from pygent.errors import SandboxUnavailable
from pygent.tui.app import PygentApp
from pygent.tui.widgets.choices import GRACE
from tests.tui.fake_session import FakeSession, FakeSettings

WIDE = (140, 42)


@pytest.fixture(autouse=True)
def _own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@asynccontextmanager
async def running(
    session: FakeSession, *, size: tuple[int, int] = WIDE, prompt: str | None = None
) -> AsyncIterator[tuple[PygentApp, Pilot[int]]]:
    app = PygentApp(session, initial_prompt=prompt)
    async with app.run_test(size=size) as pilot:
        if session._gate is None and session._open_error is None:
            await until(lambda: session.opened and bool(app.main.conversation.view.blocks))
            await pilot.pause()
        yield app, pilot


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for what other threads and timers do; the time is only a limit."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


def shown(app: PygentApp) -> str:
    """The text on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def type_text(pilot: Pilot[int], text: str) -> None:
    await pilot.press(*("space" if char == " " else char for char in text))


async def test_a_prompt_goes_to_the_session_and_the_answer_into_the_conversation(tmp_path: Path) -> None:
    def script(session: FakeSession, prompt: str) -> None:
        session.run(prompt)
        session.say("It is **done**.", chunk=3)
        session.finish()

    session = FakeSession(tmp_path, script=script)
    async with running(session) as (app, pilot):
        await type_text(pilot, "hi there")
        await pilot.press("enter")
        await until(lambda: "completed" in shown(app))
        assert session.prompts == ["hi there"]
        text = shown(app)
        assert "hi there" in text
        assert "It is done." in text
        assert app.main.prompt.text == ""


async def test_the_initial_prompt_is_sent_at_once(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, prompt="begin") as (_, _pilot):
        await until(lambda: session.prompts == ["begin"])


async def test_what_is_typed_and_sent_before_the_session_is_open_waits(tmp_path: Path) -> None:
    gate = threading.Event()
    session = FakeSession(tmp_path, open_gate=gate)
    async with running(session) as (app, pilot):
        await pilot.pause()
        assert app.focused is app.main.prompt
        await type_text(pilot, "early")
        await pilot.press("enter")
        await type_text(pilot, "more")
        assert session.prompts == []
        await until(lambda: "early" in shown(app))
        gate.set()
        await until(lambda: session.prompts == ["early"])
        assert app.main.prompt.text == "more"


async def test_a_session_that_cannot_open_says_why_and_gives_the_text_back(tmp_path: Path) -> None:
    gate = threading.Event()
    session = FakeSession(tmp_path, open_gate=gate, open_error=SandboxUnavailable("no engine [/here]; start it"))
    async with running(session) as (app, pilot):
        await pilot.pause()
        await type_text(pilot, "early")
        await pilot.press("enter")
        gate.set()
        await until(lambda: "no engine [/here]; start it" in shown(app))
        assert app.main.prompt.text == "early"


async def test_escape_interrupts_the_run_and_keeps_the_draft(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("long work")
        await until(lambda: app.main.transcript.main.running)
        await type_text(pilot, "draft")
        await pilot.press("escape")
        await until(lambda: "cancelled" in shown(app))
        assert session.called("interrupt") == [("interrupt",)]
        assert app.main.prompt.text == "draft"


async def test_prompts_sent_during_a_run_are_shown_as_queued(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("first")
        await until(lambda: app.main.transcript.main.running)
        await type_text(pilot, "second")
        await pilot.press("enter")
        await until(lambda: "next: second" in shown(app))
        session.finish()
        session.run("second")
        await until(lambda: "next: second" not in shown(app))


@pytest.mark.hostile(57)
async def test_text_that_looks_like_markup_is_only_text(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    nasty = "[/foo] [red]x[/blue] [@click=app.quit]y[/] [/usr/bin/x]"
    async with running(session) as (app, pilot):
        session.run(nasty)
        session.say(nasty)
        session.tool("bash", {"cmd": nasty}, nasty)
        session.notice(nasty, "error")
        session.task("t1", nasty, nasty)
        session.ask("bash", {"cmd": nasty}, rule=nasty)
        await until(lambda: len(app.main.query("#approval")) == 1)
        await pilot.pause()
        text = shown(app)
        assert text.count("[/foo] [red]x[/blue]") >= 5
        app.notify(nasty, title=nasty)
        await pilot.pause()
        await pilot.press("f1")
        await pilot.pause()
        assert "Help" in shown(app)


HOSTILE = "a\x1b]52;c;aGk=\x07b\x1b[2Jc\x1bc\x9b31md\x00\x07e\u202ef\x1b]0;title\x1b\\g"


@pytest.mark.hostile(56)
async def test_escape_sequences_never_reach_the_terminal(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, sandbox=f"docker {HOSTILE}")
    async with running(session) as (app, pilot):
        session.run(HOSTILE)
        session.say(HOSTILE + "\n\n```\n" + HOSTILE + "\n```\n")
        session.tool("bash", {"cmd": HOSTILE}, HOSTILE)
        session.task("t1", HOSTILE, HOSTILE)
        session.notice(HOSTILE)
        session.ask("bash", {"cmd": HOSTILE}, rule=HOSTILE)
        app.main.surface.set_title(HOSTILE)
        app.notify(HOSTILE, title=HOSTILE)
        await until(lambda: len(app.main.query("#approval")) == 1)
        await pilot.pause()
        rendered = "".join(strip.text for strip in app.screen._compositor.render_strips())
        filtered = [
            segment
            for strip in app.screen._compositor.render_strips()
            for filter_ in app.get_line_filters()
            for segment in filter_.apply(list(strip), app.screen.background_colors[1])
        ]
        text = "".join(segment.text for segment in filtered)
        assert "docker" in rendered
        for char in "\x1b\x9b\x07\x00\u202e":
            assert char not in text


@pytest.mark.parametrize(
    ("size", "together"),
    [
        ((140, 42), {"conversation", "tool-log", "tasks", "workspace"}),
        ((100, 30), {"conversation", "tool-log"}),
        ((70, 24), {"conversation"}),
    ],
)
async def test_the_width_decides_which_panes_show(tmp_path: Path, size: tuple[int, int], together: set[str]) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=size) as (app, pilot):
        assert visible_panes(app) == together
        await pilot.press("f4")
        await pilot.pause()
        expected = {140: together, 100: {"conversation", "tasks"}, 70: {"tasks"}}[size[0]]
        assert visible_panes(app) == expected
        assert app.main.panes.focused == "tasks"
        await pilot.press("f2")
        await pilot.pause()
        assert "conversation" in visible_panes(app)


async def test_a_resize_changes_the_layout(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await pilot.resize_terminal(90, 30)
        await until(lambda: visible_panes(app) == {"conversation", "tool-log"})
        await pilot.press("f6")
        await until(lambda: visible_panes(app) == {"conversation"})
        await pilot.press("f6")
        await pilot.resize_terminal(140, 30)
        await until(lambda: len(visible_panes(app)) == 4)


def visible_panes(app: PygentApp) -> set[str]:
    ids = ("conversation", "tool-log", "tasks", "workspace")
    return {name for name in ids if app.main.query_one(f"#{name}").region.area > 0}


async def test_the_status_line_tells_sandbox_model_mode_and_context(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, sandbox="LOCAL: commands run as you", confined=False)
    async with running(session) as (app, pilot):
        session.run()
        session.step_done(prompt=64_000, completion=500)
        session.finish()
        await until(lambda: "50% of context" in app.main.status.plain())
        line = app.main.status.plain()
        for part in ("LOCAL: commands run as you", "gpt-4.1-mini", "auto", "developer", "64k"):
            assert part in line
        await pilot.press("shift+tab")
        await pilot.pause()
        assert "plan" in app.main.status.plain()
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert "LOCAL: commands run as you" in app.main.status.plain()


@pytest.mark.hostile(59)
async def test_a_long_conversation_mounts_no_widget_for_its_items(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        before = len(app.main.query("*"))
        for number in range(2500):
            session.user(f"question {number}")
            session.say(f"answer {number}\n\n- one\n- two\n")
        await until(lambda: len(app.main.conversation.view.blocks) == 5001, 30)
        await pilot.pause()
        assert len(app.main.query("*")) == before
        assert "answer 2499" in shown(app)
        view = app.main.conversation.view
        assert len(view._strips) <= 300
        view.focus()
        await pilot.press("home")
        await until(lambda: "question 0" in shown(app))
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert "question 0" in shown(app)


async def test_the_view_follows_the_end_only_while_the_reader_is_there(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        for number in range(60):
            session.say(f"answer {number}")
        await until(lambda: "answer 59" in shown(app))
        view = app.main.conversation.view
        view.focus()
        await pilot.press("pageup")
        await until(lambda: "answer 59" not in shown(app))
        top = view.scroll_offset.y
        session.say("newest of all")
        await until(lambda: "1 new below" in shown(app))
        assert view.scroll_offset.y == top
        assert "newest of all" not in shown(app)
        await pilot.press("end")
        await until(lambda: "newest of all" in shown(app))
        await until(lambda: "new below" not in shown(app))


async def test_streaming_shows_the_open_end_and_the_finished_blocks(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        session.run("x")
        message = session.begin()
        session.delta(message, "First **block**.\n\nSecond **open")
        await until(lambda: "Second **open" in shown(app))
        assert "First block." in shown(app)
        session.delta(message, "** end.")
        session.end(message, "First **block**.\n\nSecond **open** end.")
        await until(lambda: "Second open end." in shown(app))


async def test_themes_change_live(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.say("hello")
        await until(lambda: "hello" in shown(app))
        app.main.submit("/theme pygent-light")
        await pilot.pause()
        assert app.theme == "pygent-light"
        assert app.main.conversation.view.palette.dark is False
        app.main.submit("/theme nothing")
        await until(lambda: "there is no theme 'nothing'" in shown(app))


async def test_keys_are_rebound_by_the_settings_and_unknown_ids_are_told(tmp_path: Path) -> None:
    settings = FakeSettings(workspace=tmp_path, keymap={"pane.tasks": "f9", "no.such": "f10"})
    session = FakeSession(tmp_path, settings=settings)
    async with running(session) as (app, pilot):
        await pilot.press("f9")
        await pilot.pause()
        assert app.main.panes.focused == "tasks"
        assert "no key with the id 'no.such'" in shown(app)
        await pilot.press("f1", *"pane.tasks")
        await until(lambda: "F9" in shown(app))


async def test_without_a_shell_nothing_is_suspended(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        await pilot.press("ctrl+z")
        assert [notification.message for notification in app._notifications] == [
            "There is no shell to go back to here."
        ]


async def test_quitting_closes_the_session_first(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await pilot.press("ctrl+q")
        await until(lambda: session.closed)
        await until(lambda: not app.is_running)
    assert app.return_value == 0


async def test_control_c_twice_quits_and_once_does_not(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "draft")
        await pilot.press("ctrl+c")
        await until(lambda: "Ctrl+C again quits" in shown(app))
        assert not session.closed
        assert app.main.prompt.text == "draft"
        await pilot.press("ctrl+c")
        await until(lambda: session.closed)


async def test_the_help_has_every_key_and_every_command(tmp_path: Path) -> None:
    from pygent.tui import slash
    from pygent.tui.panes.lines import LinesView

    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await pilot.press("f1")
        await pilot.pause()
        text = "\n".join(line.text for line in app.screen.query_one(LinesView).source.lines)
        for key in (
            "F1",
            "F2",
            "F6",
            "Esc",
            "Shift+Tab",
            "Ctrl+P",
            "Ctrl+G",
            "Shift+Enter, Ctrl+J",
            "Ctrl+Q",
            "Ctrl+C",
        ):
            assert key in text
        for command in slash.commands():
            assert f"/{command.name}" in text
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main


async def test_an_approval_takes_the_focus_and_gives_it_back(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "draft")
        session.run("x")
        request = session.ask("bash", {"cmd": "make test"})
        await until(lambda: "Allow once" in shown(app) and "$ make test" in shown(app))
        text = shown(app)
        assert "rule: bash(make *)" in text
        await asyncio.sleep(GRACE * 2)
        await pilot.press("2")
        await until(lambda: bool(session.called("resolve")))
        assert session.called("resolve") == [("resolve", request, "allow_session", "")]
        await until(lambda: app.focused is app.main.prompt)
        assert app.main.prompt.text == "draft"
        await until(lambda: "Allow once" not in shown(app))


async def test_keys_typed_ahead_do_not_approve(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "dra")
        session.run("x")
        session.ask()
        await until(lambda: app.focused is not None and app.focused.id == "approval-choices")
        opened = app.focused
        keys = [events.Key(key, key if len(key) == 1 else None) for key in ("f", "t", "1", "enter", "y")]
        for key in keys:  # all in the moment in which it opened, whenever the screen comes to them
            key.time = 0.0
            app.post_message(key)
        await until(lambda: app.main.prompt.text == "draft1y")
        assert session.called("resolve") == []
        assert app.focused is opened


async def test_a_text_typed_at_an_open_question_is_a_draft_and_its_enter_no_answer(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("x")
        session.ask()
        await until(lambda: "Allow once" in shown(app))
        await asyncio.sleep(GRACE + 0.1)
        await pilot.press(*"/diff", "enter")
        await until(lambda: app.main.prompt.text == "/diff")
        assert session.called("resolve") == []
        await asyncio.sleep(GRACE + 0.1)
        await pilot.press("enter")
        await until(lambda: bool(session.called("resolve")))


async def test_denying_with_words(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("x")
        request = session.ask()
        await until(lambda: "Allow once" in shown(app))
        await asyncio.sleep(GRACE * 2)
        await pilot.press("5")
        await type_text(pilot, "use make")
        await pilot.press("enter")
        await until(lambda: bool(session.called("resolve")))
        assert session.called("resolve") == [("resolve", request, "deny", "use make")]


async def test_requests_are_answered_in_order_and_say_who_asks(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    (tmp_path / "a.txt").write_text("old line\n")
    async with running(session) as (app, pilot):
        session.run("x")
        session.task("t1", "tester")
        first = session.ask("bash", {"cmd": "one"})
        second = session.ask("write_file", {"path": "a.txt", "content": "new line\n"}, agent="t1", rule=None)
        await until(lambda: "1 more waiting" in shown(app))
        assert "$ one" in shown(app)
        await asyncio.sleep(GRACE * 2)
        await pilot.press("y")
        await until(lambda: "tester (task t1) asks: write_file" in shown(app))
        await until(lambda: "- old line" in shown(app) and "+ new line" in shown(app))
        await asyncio.sleep(GRACE * 2)
        await pilot.press("3")  # no rule: nothing to save, so no answer
        await pilot.pause()
        await pilot.click("#approval-choices", offset=(4, 3))
        await until(lambda: len(session.called("resolve")) == 2)
        assert [call[1:3] for call in session.called("resolve")] == [(first, "allow_once"), (second, "deny")]


async def test_an_approval_that_is_settled_elsewhere_goes_away(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        session.run("x")
        request = session.ask()
        await until(lambda: "Allow once" in shown(app))
        session.resolve(request, "deny")
        await until(lambda: "Allow once" not in shown(app))
        assert app.focused is app.main.prompt


async def test_a_resumed_session_shows_what_was_said(tmp_path: Path) -> None:
    earlier = FakeSession(tmp_path)
    session = FakeSession(tmp_path)
    earlier.subscribe(session.past.append)
    earlier.run("asked before")
    earlier.say("answered before")
    earlier.finish()
    async with running(session) as (app, _):
        await until(lambda: "answered before" in shown(app))
        assert "asked before" in shown(app)
        assert not app.main.transcript.main.running


async def test_without_a_model_server_the_set_up_screen_makes_the_session(tmp_path: Path) -> None:
    bare = FakeSession(tmp_path, settings=FakeSettings(workspace=tmp_path, api_key=None))
    demo = FakeSession(tmp_path, demo=True)
    asked: list[object] = []

    def factory(changes: object) -> FakeSession:
        asked.append(changes)
        return demo

    app = PygentApp(bare, session_factory=factory)  # type: ignore[arg-type]
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: type(app.screen).__name__ == "SetupScreen" and len(app.screen.query("Input")) > 0)
        await pilot.pause()
        app.screen.dismiss("demo")
        await until(lambda: demo.opened)
        assert asked == [{"demo": True}]
        assert not bare.opened
        assert app.session is demo


async def test_keys_typed_before_there_is_a_prompt_reach_it_in_order(tmp_path: Path) -> None:
    app = PygentApp(FakeSession(tmp_path))
    for key in ["h", "é", "space", "ctrl+j", "x"]:
        app.post_message(events.Key(key, " " if key == "space" else key if len(key) == 1 else None))
    app.post_message(events.Paste("pasted"))
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: "pasted" in app.main.prompt.text)
        await type_text(pilot, "y")
        assert app.main.prompt.text == "hé \nxpastedy"


async def test_a_pane_asked_for_before_it_is_there_gets_the_keys(tmp_path: Path) -> None:
    app = PygentApp(FakeSession(tmp_path))
    app.post_message(events.Key("f3", None))
    async with app.run_test(size=WIDE):
        await until(lambda: any(pane.has_focus_within for pane in app.main.query("#tool-log")))


async def test_the_first_frame_reads_one_theme_and_the_others_follow(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "pygent" / "themes"
    folder.mkdir(parents=True)
    (folder / "pygent-dark.yaml").write_text("nonsense: 1\n", "utf-8")
    told: list[str] = []
    app = PygentApp(FakeSession(tmp_path))
    app.on_first_frame = lambda: told.append("painted")
    async with app.run_test(size=WIDE):
        await until(lambda: "unknown key" in shown(app))
        assert shown(app).count("unknown key") == 1
        assert app.theme == "pygent-dark"
        assert "pygent-light" in app.available_themes
    assert told == ["painted"]
