"""The prompt: what Enter does, what waits, folded pastes, images, and the history."""

from __future__ import annotations

import os
import random
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from pygent.tui.app import PygentApp
from pygent.tui.widgets.queue import QueueList
from tests.core.test_session_prompts import PNG
from tests.tui.fake_session import FakeSession, FakeSettings
from tests.tui.test_app import running, shown, type_text, until

LONG = "\n".join(f"line {number}" for number in range(42))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSettings:
    """Settings of a session whose prompts are kept, in a data folder of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return FakeSettings(ephemeral=False, workspace=tmp_path)


ARROWS = ("left", "right", "up", "down", "home", "end")


def hint(app: PygentApp) -> str:
    return app.main.prompt.hinted


def rows(app: PygentApp) -> list[str]:
    return [f"{item.why}: {item.text}" for item in app.main.query_one(QueueList).waiting]


def told(app: PygentApp) -> str:
    """What small messages have said."""
    return " ".join(notification.message for notification in app._notifications)


async def working(session: FakeSession, app: PygentApp) -> None:
    session.run("first")
    await until(lambda: app.main.transcript.main.running)


async def paste(app: PygentApp, text: str) -> None:
    app.main.prompt.post_message(events.Paste(text))
    await until(lambda: bool(app.main.prompt.text))


# The queue, and steering


async def test_enter_queues_then_steers_and_the_prompt_says_so(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        assert hint(app).startswith("Enter sends")
        await working(session, app)
        await until(lambda: hint(app).startswith("Enter queues · Esc interrupts"))
        await type_text(pilot, "turn left")
        await pilot.press("enter")
        await until(lambda: rows(app) == ["next: turn left"])
        assert "steers" in hint(app)
        await pilot.press("enter")
        await until(lambda: rows(app) == ["at the next step: turn left"])
        assert session.called("steer") == [("steer", "turn left")]
        await pilot.press("enter")
        await pilot.pause()
        assert len(session.called("steer")) == 1
        session.steered()
        await until(lambda: rows(app) == [])
        assert "turn left" in shown(app)


async def test_up_takes_the_last_queued_prompt_back(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await working(session, app)
        for text in ("one", "two"):
            await type_text(pilot, text)
            await pilot.press("enter")
        await until(lambda: rows(app) == ["next: one", "next: two"])
        await pilot.press("up")
        await until(lambda: app.main.prompt.text == "two")
        assert rows(app) == ["next: one"]
        await type_text(pilot, "!")
        await pilot.press("enter")
        await until(lambda: rows(app) == ["next: one", "next: two!"])


async def test_after_esc_queued_prompts_wait_and_enter_sends_them(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await working(session, app)
        for text in ("one", "two"):
            await type_text(pilot, text)
            await pilot.press("enter")
        await pilot.press("escape")
        await until(lambda: rows(app) == ["waits for you: one", "waits for you: two"])
        assert hint(app).startswith("Enter sends the next")
        assert session.called("steer") == []
        await pilot.press("enter")
        await until(lambda: session.called("steer") == [("steer", "one")])
        assert rows(app) == ["waits for you: two"]


async def test_queued_prompts_are_chosen_with_keys(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await working(session, app)
        for text in ("one", "two", "three"):
            await type_text(pilot, text)
            await pilot.press("enter")
        await type_text(pilot, "draft")
        await pilot.press("alt+q")
        await pilot.pause()
        assert isinstance(app.focused, QueueList)
        await pilot.press("up", "delete")
        await until(lambda: rows(app) == ["next: one", "next: three"])
        await pilot.press("up", "s")
        await until(lambda: session.called("steer") == [("steer", "one")])
        await until(lambda: app.focused is app.main.prompt)
        await pilot.press("alt+q", "enter")
        await until(lambda: app.main.prompt.text == "three\ndraft")
        assert app.focused is app.main.prompt
        await pilot.press("alt+q", "escape")
        await pilot.pause()
        assert app.focused is app.main.prompt
        assert session.called("interrupt") == []


async def test_queued_prompts_are_chosen_with_the_mouse(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await working(session, app)
        for text in ("one", "two", "three"):
            await type_text(pilot, text)
            await pilot.press("enter")
        await until(lambda: len(rows(app)) == 3)
        await pilot.pause()
        queue = app.main.query_one(QueueList)
        right = queue.gutter.left + queue.size.width
        await pilot.click(queue, offset=(right - 1, 1))
        await until(lambda: rows(app) == ["next: one", "next: three"])
        await pilot.click(queue, offset=(right - 8, 0))
        await until(lambda: rows(app) == ["at the next step: one", "next: three"])
        await pilot.click(queue, offset=(8, 1))
        await until(lambda: app.main.prompt.text == "three")
        assert app.focused is app.main.prompt


async def test_a_long_queue_stays_small(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(80, 24)) as (app, _):
        await working(session, app)
        for number in range(30):
            app.main.submit(f"prompt {number} [/x] " + "long " * 40)
        await until(lambda: len(rows(app)) == 30)
        await until(lambda: "25 more" in shown(app))
        assert app.main.query_one(QueueList).region.height == 6
        assert app.main.prompt.region.bottom < 24


async def test_the_hint_tells_of_a_command_that_esc_ends(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "!sleep 60")
        await pilot.press("enter")
        assert session.called("run_command") == [("run_command", "sleep 60")]
        session.user_command("sleep 60")
        await until(lambda: "Esc ends the command" in hint(app))
        await pilot.press("escape")
        assert session.called("interrupt") == [("interrupt",)]


# Writing


async def test_ways_to_a_new_line(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "a")
        await pilot.press("shift+enter", "b", "ctrl+j", "c", "alt+enter", "d", "backslash", "enter", "e")
        assert app.main.prompt.text == "a\nb\nc\nd\ne"
        await pilot.press("up", "up", "up", "up", "up", "up")
        assert app.main.prompt.text == "a\nb\nc\nd\ne"
        await pilot.press("ctrl+end", "down", "down", "enter")
        assert session.prompts == ["a\nb\nc\nd\ne"]


@pytest.mark.parametrize("typed", ["\x1b\r", "\x1b[13;2u", "\x1b[13;3u", "\x1b[27;2;13~", "\x1b[27;3;13~", "\n"])
async def test_what_terminals_send_for_a_new_line(tmp_path: Path, typed: str) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        parser = XTermParser()
        for event in [*parser.feed(f"a{typed}b"), *parser.feed("")]:
            assert isinstance(event, events.Key)
            app.main.prompt.post_message(event)
        await until(lambda: app.main.prompt.text == "a\nb")
        assert session.prompts == []


async def test_undo_also_brings_a_cleared_text_back(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        await type_text(pilot, "one two")
        await pilot.press("ctrl+u")
        assert app.main.prompt.text == ""
        await pilot.press("ctrl+underscore")
        assert app.main.prompt.text == "one two"


# Folded pastes


async def test_a_long_paste_is_folded_and_sent_whole(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "see ")
        await paste(app, LONG)
        await until(lambda: app.main.prompt.text == "see [Pasted text #1 +42 lines]")
        await type_text(pilot, " ok")
        await pilot.press("enter")
        assert session.prompts == [f"see {LONG} ok"]
        await pilot.press("up")
        assert app.main.prompt.text == "see [Pasted text #1 +42 lines] ok"
        await pilot.press("enter")
        assert session.prompts[1] == session.prompts[0]


async def test_a_short_paste_is_not_folded(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, _):
        await paste(app, "a\r\nb")
        assert app.main.prompt.text == "a\nb"


async def test_a_folded_paste_is_one_unit(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        prompt = app.main.prompt
        await type_text(pilot, "ab")
        await pilot.press("left")
        await paste(app, LONG)
        label = "[Pasted text #1 +42 lines]"
        await until(lambda: prompt.text == f"a{label}b")
        await pilot.press("left")
        assert prompt.cursor_location == (0, 1)
        await pilot.press("right")
        assert prompt.cursor_location == (0, 1 + len(label))
        await pilot.press("ctrl+left")
        assert prompt.cursor_location == (0, 1)
        await pilot.press("delete")
        assert prompt.text == "ab"
        await pilot.press("ctrl+underscore")
        assert prompt.text == f"a{label}b"
        await pilot.press("end", "left", "backspace")
        assert prompt.text == "ab"
        await pilot.press("ctrl+underscore", "end", "left", "ctrl+w")
        assert prompt.text in {"ab", "b"}
        assert prompt.draft().whole() == prompt.text


async def test_a_folded_paste_is_expanded_with_a_key_or_a_click(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        prompt = app.main.prompt
        await paste(app, LONG)
        await until(lambda: prompt.text.startswith("[Pasted"))
        await pilot.press("ctrl+o")
        assert prompt.text == LONG
        await pilot.press("ctrl+underscore")
        assert prompt.text == "[Pasted text #1 +42 lines]"
        await pilot.pause()
        await pilot.click(prompt, offset=(6, 1))
        await until(lambda: prompt.text == LONG)
        await pilot.press("ctrl+o")
        await until(lambda: "no folded paste" in told(app))


async def test_whatever_is_typed_no_label_is_ever_cut(tmp_path: Path, seed: int) -> None:
    """Any keys in any order, with pastes between: a label is there whole or not at all."""
    choose = random.Random(seed)
    keys = sorted(
        {
            *ARROWS,
            "backspace",
            "delete",
            "a",
            "b",
            "alt+d",
            *(f"shift+{key}" for key in ARROWS),
            "ctrl+left",
            "ctrl+right",
            *(f"ctrl+{key}" for key in "wukyfjxvo"),
            "ctrl+underscore",
        }
    )
    async with running(FakeSession(tmp_path)) as (app, pilot):
        prompt = app.main.prompt
        for number in range(60):
            if number % 12 == 0:
                prompt.put(choose.choice([LONG, "x" * 900, "two\nlines"]))
            else:
                await pilot.press(choose.choice(keys))
            rest = prompt.text
            for label in prompt.chips:
                rest = rest.replace(label, "")
            assert "Pasted text" not in rest, (number, prompt.text)


async def test_two_pastes_have_two_labels(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await paste(app, LONG)
        await paste(app, "x" * 900)
        await until(lambda: "#2 900 characters" in app.main.prompt.text)
        await pilot.press("enter")
        assert session.prompts == [LONG + "x" * 900]


async def test_the_editor_gets_the_whole_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(FakeSession(tmp_path)) as (app, _):
        await paste(app, LONG)
        draft = app.main.prompt.draft()
        assert draft.whole() == LONG
        assert draft.folded(f"before {LONG}").text == "before [Pasted text #1 +42 lines]"
        assert draft.folded("other").text == "other"


# Images


async def test_a_mentioned_image_goes_with_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(PNG)
    session = FakeSession(tmp_path)
    async with running(session) as (_, pilot):
        await type_text(pilot, "look at @shot.png, and @none.png")
        await pilot.press("escape", "enter")
        await until(lambda: session.prompts == ["look at [Image shot.png], and @none.png"])
        assert [image.name for image in session.images[0]] == ["shot.png"]


async def test_a_completed_image_becomes_a_chip(tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(PNG)
    async with running(FakeSession(tmp_path)) as (app, pilot):
        await type_text(pilot, "see @sh")
        await until(lambda: app.main.prompt.completing)
        await pilot.press("tab")
        await until(lambda: app.main.prompt.text == "see [Image shot.png 48 B] ")


async def test_a_dropped_image_becomes_a_chip_and_goes_with_the_prompt(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    folder = tmp_path / "my pictures"
    folder.mkdir()
    (folder / "a shot.png").write_bytes(PNG)
    (folder / "b.png").write_bytes(PNG)
    async with running(session) as (app, pilot):
        await paste(app, f"'{folder}/a shot.png' {str(folder).replace(' ', chr(92) + ' ')}/b.png ")
        await until(lambda: "b.png" in app.main.prompt.text)
        assert app.main.prompt.text == "[Image a shot.png 48 B] [Image b.png 48 B] "
        await pilot.press("enter")
        await until(lambda: bool(session.prompts))
        assert session.prompts == ["[Image a shot.png] [Image b.png]"]
        assert [len(image.data) for image in session.images[0]] == [48, 48]
        await pilot.press("up", "enter")
        await until(lambda: len(session.prompts) == 2)
        assert [len(image.data) for image in session.images[1]] == [48, 48]
        await pilot.press("up", "backspace")
        assert app.main.prompt.text == "[Image a shot.png 48 B] [Image b.png 48 B]"
        await pilot.press("backspace")
        assert app.main.prompt.text == "[Image a shot.png 48 B] "


async def test_a_pasted_path_that_is_no_image_stays_text(tmp_path: Path) -> None:
    (tmp_path / "fake.png").write_text("no picture")
    async with running(FakeSession(tmp_path)) as (app, _):
        await paste(app, f"{tmp_path}/fake.png")
        assert app.main.prompt.text == f"{tmp_path}/fake.png"
        await until(lambda: "no image that can be sent" in told(app))
        app.main.prompt.set_text("")
        await paste(app, "/nowhere/x.png")
        assert app.main.prompt.text == "/nowhere/x.png"


async def test_an_image_that_cannot_be_sent_gives_the_draft_back(tmp_path: Path) -> None:
    (tmp_path / "fake.png").write_text("no picture")
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "see @fake.png ok")
        await pilot.press("enter")
        await until(lambda: "Not sent" in shown(app))
        assert app.main.prompt.text == "see @fake.png ok"
        assert session.prompts == []


@pytest.mark.skipif(sys.platform == "darwin", reason="another program is asked there")
async def test_an_image_from_the_clipboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await pilot.press("alt+v")
        await until(lambda: "needs wl-paste or xclip" in told(app))
        program = programs / "wl-paste"
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
        await pilot.press("alt+v")
        await until(lambda: "no image in the clipboard" in told(app))
        (tmp_path / "clip.png").write_bytes(PNG)
        program.write_text(f"#!/bin/sh\nexec /bin/cat {tmp_path}/clip.png\n")
        await pilot.press("alt+v")
        await until(lambda: app.main.prompt.text.startswith("[Image pasted-"))
        (kept,) = (tmp_path / "data" / "pygent" / "pasted").iterdir()
        assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
        await pilot.press("enter")
        await until(lambda: len(session.prompts) == 1)
        assert session.images[0][0].data == PNG


async def test_a_queued_image_comes_back_as_a_chip(tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(PNG)
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await working(session, app)
        await paste(app, f"{tmp_path}/shot.png")
        await until(lambda: app.main.prompt.text.startswith("[Image"))
        await paste(app, LONG)
        await pilot.press("enter")
        await until(lambda: len(rows(app)) == 1)
        await pilot.press("up")
        assert app.main.prompt.text == "[Image shot.png 48 B] [Pasted text #1 +42 lines]"


# The history


async def test_the_history_comes_back_in_the_next_session(kept: FakeSettings) -> None:
    for text in ("first", " secret", "second"):
        session = FakeSession(settings=kept)
        async with running(session) as (_, pilot):
            await pilot.pause()
            await type_text(pilot, text)
            await pilot.press("enter")
            await pilot.pause()
            assert session.prompts == [text.strip()]
    async with running(FakeSession(settings=kept)) as (app, pilot):
        await until(lambda: len(app.main.prompt.recall.sent) == 2)
        await pilot.press("up")
        assert app.main.prompt.text == "second"
        await pilot.press("up")
        assert app.main.prompt.text == "first"
        await pilot.press("left", "up")
        assert app.main.prompt.text == "first"
        await pilot.press("end", "down", "down")
        assert app.main.prompt.text == ""


async def test_what_was_not_sent_comes_back(kept: FakeSettings, tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(PNG)
    session = FakeSession(settings=kept)
    async with running(session) as (app, pilot):
        await working(session, app)
        await type_text(pilot, "queued")
        await pilot.press("enter")
        await paste(app, LONG)
        await type_text(pilot, " and ")
        app.main.prompt.post_message(events.Paste(f"{tmp_path}/shot.png"))
        await until(lambda: "shot.png" in app.main.prompt.text)
    again = FakeSession(settings=kept)
    async with running(again) as (app, pilot):
        await until(lambda: "[Pasted text #1 +42 lines] and [Image shot.png 48 B]" in app.main.prompt.text)
        await until(lambda: rows(app) == ["waits for you: queued"])
        await until(lambda: "what you had not sent is back, and the queue" in shown(app))
        assert again.called("steer") == []
        await pilot.press("enter")
        await until(lambda: "is back" not in shown(app))
        await until(lambda: len(again.prompts) == 2)
        assert again.prompts[1] == f"{LONG} and [Image shot.png]"
        assert again.images[1][0].data == PNG
        await pilot.press("enter")
        await until(lambda: again.called("steer") == [("steer", "queued")])
    async with running(FakeSession(settings=kept)) as (app, pilot):
        await until(lambda: len(app.main.prompt.recall.sent) == 2)
        await pilot.pause(0.1)
        assert (app.main.prompt.text, rows(app)) == ("", [])


async def test_a_draft_does_not_push_away_what_is_typed_already(kept: FakeSettings) -> None:
    async with running(FakeSession(settings=kept)) as (app, pilot):
        await type_text(pilot, "old draft")
    app = PygentApp(FakeSession(settings=kept))
    app.typed_ahead.keep(events.Key("n", "n"))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: "prompt history" in told(app))
        assert app.main.prompt.text == "n"
        await pilot.press("backspace", "up")
        assert app.main.prompt.text == "old draft"


@pytest.mark.parametrize("ephemeral", [True, False])
async def test_another_session_takes_draft_and_queue_over(kept: FakeSettings, ephemeral: bool) -> None:
    kept = replace(kept, ephemeral=ephemeral)
    session = FakeSession(settings=kept)
    async with running(session) as (app, pilot):
        await working(session, app)
        await type_text(pilot, "queued")
        await pilot.press("enter", "escape")
        await paste(app, LONG)
        before = app.main
        app.life.exchange(lambda: FakeSession(settings=kept))
        await until(lambda: app.main is not before and len(app.main.query("#queue")) > 0)
        await until(lambda: rows(app) == ["waits for you: queued"])
        assert app.main.prompt.draft().whole() == LONG
        await until(lambda: [draft.text for draft in app.main.prompt.recall.sent] == ["queued"])
        await pilot.pause(0.1)
        assert told(app) == ""
        assert rows(app) == ["waits for you: queued"]


async def test_a_search_keeps_the_draft_safe(kept: FakeSettings) -> None:
    async with running(FakeSession(settings=kept)) as (app, pilot):
        await type_text(pilot, "the draft")
        await pilot.press("ctrl+r")
        await type_text(pilot, "zz")
    async with running(FakeSession(settings=kept)) as (app, _):
        await until(lambda: app.main.prompt.text == "the draft")


async def test_a_disk_that_refuses_is_told_of_once(kept: FakeSettings, tmp_path: Path) -> None:
    (tmp_path / "data" / "pygent").mkdir(parents=True)
    (tmp_path / "data" / "pygent" / "prompts").write_text("in the way")
    session = FakeSession(settings=kept)
    async with running(session) as (app, pilot):
        for text in "ab":
            await type_text(pilot, text)
            await pilot.press("enter")
        await until(lambda: "Prompts are not kept" in shown(app))
        await pilot.pause(0.1)
        assert shown(app).count("Prompts are not kept") == 1
        assert session.prompts == ["a", "b"]


async def test_searching_the_history(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        prompt = app.main.prompt
        for text in ("fix the tests", "explain the parser", "fix the docs"):
            await type_text(pilot, text)
            await pilot.press("enter")
        await type_text(pilot, "a draft")
        await pilot.press("ctrl+r")
        await until(lambda: "explain the parser" in shown(app))
        await type_text(pilot, "fix")
        await until(lambda: "1 of 2" in str(prompt.border_title))
        await pilot.press("escape")
        assert prompt.text == "a draft"
        await pilot.press("ctrl+r")
        await type_text(pilot, "fix")
        await pilot.press("ctrl+r")
        await until(lambda: "2 of 2" in str(prompt.border_title))
        await pilot.press("enter")
        assert prompt.text == "fix the tests"
        assert len(session.prompts) == 3
        assert hint(app).startswith("Enter sends")
        await pilot.press("ctrl+r")
        await type_text(pilot, "nothing like it")
        await pilot.press("enter")
        await until(lambda: "Nothing that was sent" in told(app))
        await pilot.press("escape")
        assert prompt.text == "fix the tests"
        await pilot.press("ctrl+r", "up", "down", "down")
        await pilot.pause()
        await pilot.click("#completions", offset=(4, 0))
        await until(lambda: not prompt.searching)
        assert prompt.text == "a draft"


async def test_searching_does_not_complete_nor_run(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "!ls")
        await pilot.press("enter", "ctrl+r")
        await type_text(pilot, "!")
        await pilot.pause()
        assert not app.main.prompt.has_class("-command")
        await pilot.press("enter")
        assert app.main.prompt.text == "!ls"
        assert session.called("run_command") == [("run_command", "ls")]
