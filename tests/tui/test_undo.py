"""``/undo``, ``/redo`` and ``/rewind`` in the real application, on a real session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from pygent.tui.app import PygentApp
from pygent.tui.screens.choose import ChooseScreen
from pygent.tui.screens.rewind import RewindScreen
from pygent.tui.screens.undo import UndoScreen, about
from tests.core.changed_trees import write
from tests.fakes.models import ScriptedModel, call, say
from tests.tui.test_app import WIDE, _own_config, shown
from tests.tui.test_app import until as soon

__all__ = ["_own_config"]

SCRIPT = [
    call(("bash", {"cmd": "rm -r src; echo TWO > a.txt; chmod 755 b.txt"})),
    say("The first answer."),
    call(("write_file", {"path": "b.txt", "content": "B\n"})),
    say("The second answer."),
]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    write(tmp_path / "work", {"a.txt": b"one\n", "b.txt": b"bee\n", "src/x.py": b"x = 1\n"})
    made = Session(
        Settings(workspace=tmp_path / "work", use_docker=False, permission_mode="yolo"),
        model=ScriptedModel(SCRIPT),
        store=lambda: Store(tmp_path / "data" / "s.db"),
    )
    yield made
    made.close()


async def until(condition: Callable[[], bool]) -> None:
    await soon(condition, 15.0)  # real commands on a machine that may be busy


@asynccontextmanager
async def running(session: Session) -> AsyncIterator[tuple[PygentApp, Pilot[int]]]:
    app = PygentApp(session)
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: session.opened and bool(app.main.conversation.view.blocks))
        yield app, pilot


async def ask(app: PygentApp, prompt: str, answer: str) -> None:
    app.main.submit(prompt)
    await until(lambda: answer in shown(app) and not app.session.running)


async def asked(app: PygentApp, command: str, screen: type[Any]) -> Any:
    app.main.submit(command)
    await until(lambda: isinstance(app.screen, screen) and len(app.screen.query("*")) > 2)
    return app.screen


async def test_an_undo_is_shown_then_done_and_said_with_what_is_left_alone(tmp_path: Path, session: Session) -> None:
    async with running(session) as (app, pilot):
        await ask(app, "go", "The first answer.")
        (tmp_path / "work/a.txt").write_text("by hand\n")
        screen = await asked(app, "/undo", UndoScreen)
        assert screen.offered.paths == {"b.txt": "changed", "src/x.py": "added"}
        text = about(screen.offered)
        assert "rm -r src" in text
        assert "Left alone: a.txt: it was changed since, by somebody else." in text
        diffs = screen.query_one("#undo-view")
        await until(lambda: len(diffs.blocks) > 2)
        await pilot.press("n")
        assert not (tmp_path / "work/src").exists()
        await asked(app, "/undo", UndoScreen)
        await pilot.press("y")
        await until(lambda: "Undone: 2 files (b.txt, src/x.py)." in shown(app))
        assert "Left alone: a.txt" in shown(app)
        assert (tmp_path / "work/src/x.py").read_text() == "x = 1\n"
        assert (tmp_path / "work/a.txt").read_text() == "by hand\n"
        await asked(app, "/redo", UndoScreen)
        await pilot.press("enter")
        await until(lambda: "Done again: 2 files" in shown(app))
        assert not (tmp_path / "work/src").exists()


async def test_a_rewind_takes_both_back_and_the_message_is_in_the_prompt(tmp_path: Path, session: Session) -> None:
    async with running(session) as (app, pilot):
        await ask(app, "go", "The first answer.")
        await ask(app, "and again", "The second answer.")
        await asked(app, "/rewind", RewindScreen)
        await pilot.press("enter")  # the last message of the person's
        await until(lambda: isinstance(app.screen, ChooseScreen) and len(app.screen.query("*")) > 2)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, UndoScreen) and len(app.screen.query("*")) > 4)
        await pilot.press("y")
        await until(lambda: "The conversation goes on from here" in shown(app))
        await until(lambda: app.main.prompt.text == "and again")
        assert "The first answer." in shown(app)
        assert "The second answer." not in shown(app)
        assert (tmp_path / "work/b.txt").read_text() == "bee\n"
        await asked(app, "/redo", UndoScreen)
        await pilot.press("y")
        await until(lambda: "The second answer." in shown(app))
        assert "goes on from here" not in shown(app)
        assert (tmp_path / "work/b.txt").read_text() == "B\n"
