"""What fails in one piece of the screen stays there; what ends the application is kept without what it worked on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.segment import Segment

from pygent.tui.colours import Palette
from pygent.tui.crash import KEPT, farewell, report, write_report
from pygent.tui.panes.blocks.notices import NoteBlock
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import running, shown, until

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "pygent"


class Unshowable(NoteBlock):
    def lines(self, width: int, palette: Palette) -> list[list[Segment]]:
        raise ValueError(f"{self.text} is {SECRET}")


def failure() -> Exception:
    key = SECRET
    try:
        try:
            {}[key]
        except KeyError as error:
            raise TypeError("unsupported operand") from error
    except TypeError as error:
        return error


@pytest.mark.hostile(60)
async def test_a_block_that_cannot_be_drawn_is_a_line_that_says_so(tmp_path: Path, data: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        app.main.conversation.view.extend([Unshowable("a", "b"), Unshowable("c", "d")])
        await until(lambda: "This cannot be shown (ValueError)" in shown(app))
        await until(lambda: "Not shown: a block of the conversation" in shown(app))
        session.run("go on")
        session.say("It goes on.")
        await until(lambda: "It goes on." in shown(app))
        await pilot.pause()
        assert shown(app).count("Not shown:") == 1
    assert app.way_out.failure is None
    (kept,) = (data / "crashes").iterdir()
    assert SECRET not in kept.read_text()


@pytest.mark.hostile(60)
async def test_a_row_that_cannot_be_drawn_is_a_row_that_says_so(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        session.run("x")
        session.tool("bash", {"cmd": "one"})
        pane = app.main.query_one("#tool-log")
        await until(lambda: bool(pane._index.items))  # type: ignore[attr-defined]
        pane._index.items[0].state = "no such state"  # type: ignore[attr-defined]
        pane.rows.refresh()  # type: ignore[attr-defined]
        await until(lambda: "This cannot be shown (KeyError)" in shown(app))
        assert app.is_running


@pytest.mark.hostile(60)
async def test_a_pane_that_cannot_take_events_does_not_keep_the_others_from_them(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        app.main.query_one("#tool-log").rows = None  # type: ignore[attr-defined]
        session.run("x")
        session.tool("bash", {"cmd": "one"})
        session.task("t1", "tester")
        session.say("The others have it.")
        await until(lambda: "The others have it." in shown(app) and "tester" in shown(app))
        await until(lambda: "Not shown: what is new in the pane tool-log" in shown(app))


@pytest.mark.hostile(60, 68)
def test_a_report_names_places_and_no_values(data: Path) -> None:
    text = report(failure())
    assert "builtins.TypeError: unsupported operand" in text
    assert "builtins.KeyError (its message is left out" in text
    assert "test_crash.py:" in text
    assert "in failure" in text
    assert SECRET not in text
    path = write_report(failure())
    assert path is not None
    assert path.parent == data / "crashes"
    assert path.stat().st_mode & 0o077 == 0


def test_old_reports_go_and_none_is_needed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "crashes").mkdir(parents=True)
    for number in range(KEPT + 5):
        (data / "crashes" / f"2020-{number:03}.txt").write_text("old")
    write_report(failure())
    assert len(list((data / "crashes").iterdir())) == KEPT
    monkeypatch.setenv("XDG_DATA_HOME", os.devnull)
    assert write_report(failure()) is None
    lines = farewell(failure(), None, None)
    assert lines[-1] == "No report could be written."
    assert "--resume" not in "".join(lines)
