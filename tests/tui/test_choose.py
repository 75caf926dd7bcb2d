"""One of a few words: each stands apart from what it means."""

from __future__ import annotations

from pathlib import Path

from pygent.tui.screens.choose import ChooseScreen
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import _own_config, running, shown, until

__all__ = ["_own_config"]


async def test_what_words_mean_stands_in_one_column_behind_the_longest(tmp_path: Path) -> None:
    words = ["yes", "files and conversation", "会話だけ"]
    meanings = {"yes": "do it", "files and conversation": "all of it", "会話だけ": "no file"}
    async with running(FakeSession(tmp_path)) as (app, pilot):
        app.push_screen(ChooseScreen("What?", words, "yes", meanings=meanings))
        await until(lambda: "no file" in shown(app))
        assert f" ◉ {'yes':<22}  do it" in shown(app)
        assert " ○ files and conversation  all of it" in shown(app)
        assert f" ○ 会話だけ{' ' * (22 - 8)}  no file" in shown(app)
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
