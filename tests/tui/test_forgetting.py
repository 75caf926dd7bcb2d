"""Textual's caches hold no widget that is gone."""

from __future__ import annotations

import gc
import weakref

from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Static

from pygent.tui import forgetting


async def test_a_closed_screen_is_let_go() -> None:
    app: App[object] = App()
    async with app.run_test() as pilot:
        forgetting.begin(app, 0.01)
        await app.push_screen(screen := ModalScreen[None]())
        await screen.mount(Static("text"))
        await pilot.pause()
        drawn = weakref.ref(screen.query_one(Static)._styles_cache)
        await app.pop_screen()
        await pilot.pause()
        del screen
        await pilot.pause(0.1)
        gc.collect()
        assert drawn() is None
