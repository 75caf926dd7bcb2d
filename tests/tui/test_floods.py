"""Tools that print without end, through the real sandbox: the interface answers meanwhile and stays small.

``python -m tests.tui.test_floods`` prints what was measured.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.events import Key

from pygent.session import Session
from pygent.settings import Settings
from pygent.transcript import ToolItem
from pygent.tui.app import PygentApp
from pygent.tui.panes.output_view import OutputView
from pygent.tui.screens.tool_detail import ToolDetailScreen
from tests.fakes.models import ScriptedModel

FLOODS = {
    "1,000,000 lines": (
        "import time\nfor part in range(20): print(*range(50_000), sep='\\n', flush=True), time.sleep(0.05)"
    ),
    "one line of 50 MB": "import sys\nfor part in range(50): sys.stdout.write('x' * 1_000_000)",
    "10 MB of binary": "import os\nfor part in range(100): os.write(1, os.urandom(100_000))",
}
LONGEST = 1.0
"""Seconds that a key may wait here; on a machine of its own it is a few hundredths."""

GROWTH = 60
"""MiB that a flood may cost."""


@dataclass
class Flood:
    """How long keys waited while a command ran and a moment afterwards, what it took, and how it ended."""

    keys: list[float]
    stall: float
    growth: float
    item: ToolItem
    lines: int = 0


async def flood(folder: Path, code: str, *, watched: bool = False) -> Flood:
    """Type while ``code`` runs as a command of the user's; with ``watched`` its detail view is open over it."""
    settings = Settings(workspace=folder, use_docker=False, permission_mode="auto", model="m", api_key="k")
    app = PygentApp(Session(settings, model=ScriptedModel([])))
    try:
        return await _flood(app, folder, code, watched=watched)
    finally:
        await asyncio.to_thread(app.session.close)


async def _flood(app: PygentApp, folder: Path, code: str, *, watched: bool) -> Flood:
    async with app.run_test(size=(140, 42)) as pilot:
        await _until(lambda: app.session.opened and bool(app.main.panes.beside))
        await pilot.pause(0.5)
        before = _memory()
        (folder / "flood.py").write_text(code, encoding="utf-8")
        app.session.run_command("python3 flood.py; sleep 0.5; echo over")
        await _until(lambda: bool(app.main.transcript.tools))
        item = next(iter(app.main.transcript.tools.values()))
        if watched:
            app.call_later(app.push_screen, ToolDetailScreen(item, session=app.session))
            await _until(lambda: isinstance(app.screen, ToolDetailScreen) and bool(app.screen.query(OutputView)))
        stalls: list[float] = []
        beat = asyncio.create_task(_beat(stalls))
        keys: list[float] = []
        growth = 0.0
        while item.state == "running" or len(keys) < 10:
            keys.append(await (_scroll(app) if watched else _type(app)))
            growth = max(growth, _memory() - before)
            await asyncio.sleep(0.02)
        lines = 0
        if watched:
            view = app.screen.query_one(OutputView)
            await _until(lambda: view.file is None or view.file.scan() is None)
            lines = view.source.count()
        beat.cancel()
        growth = max(growth, _memory() - before)
        await pilot.pause(0.3)  # what the end of the command has set off begins
        return Flood(keys, max(stalls), growth, item, lines)


async def _type(app: PygentApp) -> float:
    """Seconds from a key to the text on the screen."""
    prompt = app.main.prompt
    wanted = f"{prompt.text}a" if len(prompt.text) < 60 else None
    if wanted is None:
        prompt.clear()
        wanted = "a"
    began = time.perf_counter()
    app.post_message(Key("a", "a"))
    while prompt.text != wanted or not any(wanted in strip.text for strip in app.screen._compositor.render_strips()):
        assert time.perf_counter() - began < 20
        await asyncio.sleep(0.001)
    return time.perf_counter() - began


async def _scroll(app: PygentApp) -> float:
    """Seconds from a key to the other end of the output on the screen."""
    view = app.screen.query_one(OutputView)
    key, wanted = ("home", False) if view.at_end else ("end", True)
    drawn = asyncio.Event()
    began = time.perf_counter()
    app.post_message(Key(key, None))
    while view.at_end != wanted and view.max_scroll_y > 0:
        assert time.perf_counter() - began < 20
        await asyncio.sleep(0.001)
    app.screen.call_after_refresh(drawn.set)
    await drawn.wait()
    return time.perf_counter() - began


async def _beat(stalls: list[float]) -> None:
    """How late the loop comes to what it should do."""
    stalls.append(0.0)
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        stalls.append(time.perf_counter() - began - 0.005)


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")


def _memory() -> float:
    """Resident memory of this process, in MiB; 0 where that is not known."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


@pytest.mark.parametrize("name", FLOODS)
async def test_keys_are_answered_while_a_command_floods(name: str, tmp_path: Path) -> None:
    seen = await flood(tmp_path, FLOODS[name])
    assert max(seen.keys) < LONGEST
    assert seen.growth < GROWTH


async def test_the_detail_view_follows_a_flood_and_answers(tmp_path: Path) -> None:
    seen = await flood(tmp_path, FLOODS["1,000,000 lines"], watched=True)
    assert max(seen.keys) < LONGEST
    assert seen.growth < GROWTH
    assert seen.item.state == "ok"
    assert seen.lines == 1_000_001


async def _main() -> None:
    gc.freeze()  # as the launcher does
    for name, code in FLOODS.items():
        for watched in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                seen = await flood(Path(folder), code, watched=watched)
            ordered = sorted(seen.keys)
            print(
                f"{name:18} {'detail open' if watched else 'typing':12}"
                f" median {ordered[len(ordered) // 2] * 1000:4.0f} ms, longest {ordered[-1] * 1000:4.0f} ms"
                f" of {len(ordered)} keys, longest stall {seen.stall * 1000:4.0f} ms,"
                f" memory +{seen.growth:.0f} MiB, {seen.item.state}"
            )


if __name__ == "__main__":
    asyncio.run(_main())
    sys.exit()
