"""The stored sessions: listed, searched, looked into, named, deleted, and gone on with in the running application."""

from __future__ import annotations

import time
from pathlib import Path

from pygent.store import StoredSession
from pygent.tui.app import PygentApp
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import WIDE, _own_config, running, shown, type_text, until

__all__ = ["_own_config"]


def stored(name: str, workspace: Path, *, days: float = 1) -> StoredSession:
    at = time.time() - days * 86_400
    return StoredSession(f"{name}-0123456789", f"about {name}", str(workspace), "gpt-4.1", at, at, 9)


def with_archive(tmp_path: Path) -> FakeSession:
    session = FakeSession(tmp_path / "here")
    session.archive = [
        stored("apples", session.workspace, days=1),
        stored("pears", session.workspace, days=2),
        stored("plums", tmp_path / "there", days=3),
    ]
    session.said = {
        "apples-0123456789": "red ones",
        "pears-0123456789": "green ones",
        "plums-0123456789": "blue ones",
    }
    return session


async def test_a_session_is_gone_on_with_in_the_running_application(tmp_path: Path) -> None:
    session = with_archive(tmp_path)
    other = FakeSession(tmp_path / "here")
    earlier = FakeSession(tmp_path / "here")
    earlier.subscribe(other.past.append)
    earlier.run("asked before")
    earlier.say("answered before")
    earlier.finish()
    other.bus.go_on_after(other.past[-1].seq)
    other._ids = earlier._ids
    session.others = {"pears-0123456789": other}
    async with running(session) as (app, pilot):
        session.run("now")
        session.say("said now")
        session.finish()
        await until(lambda: "said now" in shown(app))
        app.main.prompt.set_text("/resume")
        await pilot.press("enter")
        await until(lambda: "about pears" in shown(app))
        assert "about plums" not in shown(app)
        await pilot.press("down")
        await until(lambda: "green ones" in shown(app))
        assert "4 messages · 2 d ago" in shown(app)
        await pilot.press("enter")
        await until(lambda: other.opened and "answered before" in shown(app))
        assert session.closed
        assert app.session is other
        assert "said now" not in shown(app)
        await type_text(pilot, "go on")
        await pilot.press("enter")
        await until(lambda: other.prompts == ["go on"])
        session.say("too late")
        other.say("in time")
        await until(lambda: "in time" in shown(app))
        assert "too late" not in shown(app)


async def test_typing_searches_titles_and_what_was_said(tmp_path: Path) -> None:
    session = with_archive(tmp_path)
    async with running(session) as (app, pilot):
        app.main.submit("/resume")
        await until(lambda: "about pears" in shown(app))
        await type_text(pilot, "green")
        await until(lambda: "about apples" not in shown(app))
        assert "about pears" in shown(app)
        await pilot.press("ctrl+u")
        await type_text(pilot, "quince")
        await until(lambda: "No session for" in shown(app))
        await pilot.press("escape")
        await until(lambda: "about apples" in shown(app))
        await pilot.press("ctrl+o")
        await until(lambda: "about plums" in shown(app))
        await pilot.press("end", "down", "down")
        await until(lambda: "in another workspace" in shown(app))
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main


async def test_a_session_is_named_and_deleted_by_key_and_by_mouse(tmp_path: Path) -> None:
    session = with_archive(tmp_path)
    async with running(session) as (app, pilot):
        app.main.submit("/resume")
        await until(lambda: "about pears" in shown(app))
        await pilot.press("ctrl+r")
        await until(lambda: "Title of the session" in shown(app))
        await pilot.press("ctrl+u")
        await type_text(pilot, "fruit")
        await pilot.press("enter")
        await until(lambda: session.archive[0].title == "fruit" and "fruit" in shown(app))
        await pilot.click("#delete")
        await until(lambda: "Delete this session?" in shown(app))
        await pilot.press("n")
        await pilot.pause()
        assert session.called("delete_stored") == []
        await pilot.press("ctrl+d")
        await until(lambda: "Delete this session?" in shown(app))
        await pilot.click("#yes")
        await until(lambda: "fruit" not in shown(app))
        assert session.called("delete_stored") == [("delete_stored", "apples-0123456789")]


async def test_a_session_at_work_stays_and_a_workspace_that_is_gone_is_told(tmp_path: Path) -> None:
    session = with_archive(tmp_path)
    async with running(session) as (app, _):
        session.run("work")
        await until(lambda: app.main.transcript.main.running)
        app.main.submit("/resume")
        await until(lambda: "interrupt it first" in shown(app))
        assert app.screen is app.main
        session.finish()
        await until(lambda: not app.main.transcript.main.running)
        app.main.submit("/resume plums")
        await until(lambda: "is not there any more" in app.main.conversation.view.blocks[-1].plain())
        app.main.submit("/resume quinces")
        await until(lambda: "no session's id begins with 'quinces'" in shown(app))
        assert app.session is session
        assert not session.closed


async def test_the_application_can_begin_with_the_choice(tmp_path: Path) -> None:
    session, other = with_archive(tmp_path), FakeSession(tmp_path / "here")
    session.others = {"apples-0123456789": other}
    app = PygentApp(session)  # type: ignore[arg-type]
    app.life.choose_first = True
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: "about apples" in shown(app))
        await pilot.press("enter")
        await until(lambda: other.opened)
        assert app.session is other
        assert not session.opened


async def test_without_a_choice_a_new_session_begins(tmp_path: Path) -> None:
    session = with_archive(tmp_path)
    app = PygentApp(session)  # type: ignore[arg-type]
    app.life.choose_first = True
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: "about apples" in shown(app))
        await pilot.press("escape")
        await until(lambda: session.opened)


async def test_a_copy_is_made_from_a_message_which_stands_in_the_prompt(tmp_path: Path) -> None:
    session, copy = with_archive(tmp_path), FakeSession(tmp_path / "here")
    session.is_stored = True
    session.others = {"fork": copy}
    async with running(session) as (app, pilot):
        for number in range(3):
            session.run(f"ask {number}")
            session.say(f"answer {number}")
            session.finish()
        await until(lambda: "answer 2" in shown(app))
        app.main.submit("/fork")
        await until(lambda: "Here, with all that was said so far" in shown(app))
        assert "ask 0" in shown(app)
        await pilot.press("up", "up", "enter")
        await until(lambda: copy.opened and app.session is copy)
        ((_, session_id, to_seq),) = [call for call in session.calls if call[0] == "forked"]
        points = session.fork_points()
        assert [point.text for point in points] == ["ask 0", "ask 1", "ask 2"]
        assert (session_id, to_seq) == (None, points[1].to_seq)
        await until(lambda: app.main.prompt.text == "ask 1")


async def test_a_session_that_is_not_stored_cannot_be_copied(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        app.main.submit("/fork")
        await until(lambda: "is not stored, so it cannot be copied" in shown(app))
