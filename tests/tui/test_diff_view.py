"""The view of differences, in an application of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from pygent.tui.diffs import FileDiff, compare, parse
from pygent.tui.widgets.diff_view import DiffView


class DiffApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"  # as in ours

    def compose(self) -> ComposeResult:
        yield DiffView()

    @property
    def view(self) -> DiffView:
        return self.query_one(DiffView)


@asynccontextmanager
async def showing(*diffs: FileDiff, size: tuple[int, int] = (80, 20)) -> AsyncIterator[tuple[DiffApp, Pilot[None]]]:
    app = DiffApp()
    async with app.run_test(size=size) as pilot:
        app.view.show(diffs)
        app.view.focus()
        await pilot.pause()
        yield app, pilot


def shown(app: DiffApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


BEFORE = "".join(f"value_{number} = {number}\n" for number in range(200))
AFTER = BEFORE.replace("value_50 = 50", "value_50 = 51").replace("value_150 =", "value_150 +=")


async def test_the_width_decides_and_a_key_changes_it() -> None:
    async with showing(compare("a.py", BEFORE, AFTER)) as (app, pilot):
        assert "+2 −2" in shown(app)
        assert " 51 - value_50 = 50" in shown(app)
        assert not app.view.split
        await pilot.press("s")
        await pilot.pause()
        assert app.view.split
        line = next(line for line in shown(app).splitlines() if "value_50 = 50" in line)
        assert "value_50 = 51" in line
        await pilot.press("s")
        await pilot.resize_terminal(140, 20)
        await pilot.pause()
        assert not app.view.split  # what was chosen stays
    async with showing(compare("a.py", BEFORE, AFTER), size=(140, 20)) as (app, _):
        assert app.view.split


async def test_keys_go_from_change_to_change_and_file_to_file() -> None:
    files = [compare(name, BEFORE, AFTER) for name in ("a.py", "b.py", "c.py")]
    async with showing(*files, size=(80, 10)) as (app, pilot):
        for key, expected in (("n", "-48"), ("n", "-148"), ("n", "-48"), ("N", "-148"), ("]", "b.py"), ("[", "a.py")):
            await pilot.press(key)
            await pilot.pause()
            top = "\n".join(shown(app).splitlines()[:2])
            assert expected in top, key


async def test_the_diff_is_copied_as_text_that_is_a_diff() -> None:
    async with showing(compare("a.py", BEFORE, AFTER)) as (app, pilot):
        await pilot.press("c")
        (again,) = parse(app.clipboard)
        assert (again.path, again.added, again.removed) == ("a.py", 2, 2)


async def test_a_very_large_diff_is_drawn_where_it_is_seen() -> None:
    many = "".join(f"line {number}\n" for number in range(100_000))
    async with showing(compare("a.txt", None, many)) as (app, pilot):
        assert app.view.virtual_size.height > 100_000
        await pilot.press("end")
        await pilot.pause()
        assert "line 99999" in shown(app)
        assert len(app.view._strips) < 20


async def test_of_two_columns_the_one_in_which_it_began_is_selected() -> None:
    async with showing(compare("a.py", BEFORE, AFTER), size=(140, 20)) as (app, pilot):
        y, line = next((y, line) for y, line in enumerate(shown(app).splitlines()) if "value_50 = 51" in line)
        x = line.index("value_50 = 51")
        await pilot.mouse_down(app.view, offset=(x, y))
        await pilot.hover(app.view, offset=(x + 20, y + 1))
        await pilot.mouse_up(app.view, offset=(x + 20, y + 1))
        await pilot.pause()
        assert app.screen.get_selected_text() == "value_50 = 51\nvalue_51 = 51"
