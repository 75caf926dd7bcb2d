"""Textual's caches hold no widget that is gone, and the collector finds garbage that was out of its sight."""

from __future__ import annotations

import gc
import time
import weakref

from textual.app import App
from textual.screen import ModalScreen
from textual.widgets import Static

from pygent.tui import forgetting


async def test_a_closed_screen_is_let_go() -> None:
    app: App[object] = App()
    async with app.run_test() as pilot:
        forgetting.begin(app, time.monotonic, 0.01)
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


class Ring:
    def __init__(self) -> None:
        self.me = self


async def test_frozen_garbage_is_collected_once_nobody_types() -> None:
    typed = time.monotonic()
    app: App[object] = App()
    async with app.run_test() as pilot:
        forgetting.begin(app, lambda: typed, 0.01)
        ring = Ring()
        kept = weakref.ref(ring)
        gc.freeze()
        try:
            del ring
            gc.collect()
            typed = time.monotonic()
            await pilot.pause(0.2)
            assert kept() is not None
            typed -= 60
            for _ in range(200):
                gc.collect(1)
                await pilot.pause(0.02)
                if kept() is None:
                    break
            assert kept() is None
        finally:
            gc.unfreeze()
