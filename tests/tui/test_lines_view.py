"""The viewer of long texts: wrapping, wide characters, selection, bounds."""

from __future__ import annotations

import time

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.selection import Selection

from pygent.tui.panes.lines import LONGEST, MOST, Line, LinesView


class LinesApp(App[None]):
    def __init__(self, *, numbers: bool = False, wrap: bool = True) -> None:
        super().__init__()
        self.view = LinesView(numbers=numbers, wrap=wrap)

    def compose(self) -> ComposeResult:
        yield self.view

    def rows(self) -> list[str]:
        return [self.view.render_line(y).text.rstrip() for y in range(self.view.size.height)]


async def test_lines_are_wrapped_and_wrapped_anew() -> None:
    app = LinesApp()
    async with app.run_test(size=(10, 6)) as pilot:
        app.view.set_lines([Line("a" * 25), Line("[/foo]"), Line("日本語日本語日本語")])
        await pilot.pause()
        assert app.rows()[:6] == ["a" * 10, "a" * 10, "a" * 5, "[/foo]", "日本語日本", "語日本語"]
        await pilot.resize_terminal(20, 6)
        await pilot.pause()
        assert app.rows()[:4] == ["a" * 20, "a" * 5, "[/foo]", "日本語日本語日本語"]
        app.view.action_wrap()
        await pilot.pause()
        assert app.rows()[:3] == ["a" * 20, "[/foo]", "日本語日本語日本語"]
        assert app.view.virtual_size.width == 25


async def test_numbers_stand_before_the_first_row_of_a_line() -> None:
    app = LinesApp(numbers=True)
    async with app.run_test(size=(13, 4)) as pilot:
        app.view.set_lines([Line("a" * 15), Line("b")])
        await pilot.pause()
        assert app.rows()[:3] == ["1  " + "a" * 10, "   " + "a" * 5, "2  b"]


async def test_every_row_is_as_wide_as_the_view() -> None:
    app = LinesApp()
    async with app.run_test(size=(11, 8)) as pilot:
        app.view.set_lines([Line("日" * 30, "error", ((2, 9, "success"),)), Line("e\u0301" * 30), Line("")])
        await pilot.pause()
        assert {cell_len(app.view.render_line(y).text) for y in range(8)} == {app.view.size.width}


async def test_a_selection_is_the_text_without_the_wrapping() -> None:
    app = LinesApp()
    async with app.run_test(size=(10, 6)) as pilot:
        app.view.set_lines([Line("abcdefghijKLM"), Line("second")])
        await pilot.pause()
        assert app.view.get_selection(Selection(Offset(8, 0), Offset(2, 1))) == ("ijKL", "\n")
        assert app.view.get_selection(Selection(Offset(2, 1), Offset(3, 2))) == ("M\nsec", "\n")
        assert app.view.get_selection(Selection(None, None)) == ("abcdefghijKLM\nsecond", "\n")


async def test_text_is_selected_with_the_mouse() -> None:
    app = LinesApp()
    async with app.run_test(size=(20, 6)) as pilot:
        app.view.set_lines([Line("some words here")])
        await pilot.pause()
        await pilot.mouse_down(app.view, offset=(5, 0))
        await pilot.hover(app.view, offset=(10, 0))
        await pilot.mouse_up(app.view, offset=(10, 0))
        assert (app.screen.get_selected_text() or "").startswith("words")


async def test_too_much_is_cut_and_says_so() -> None:
    app = LinesApp()
    async with app.run_test(size=(80, 10)) as pilot:
        began = time.perf_counter()
        app.view.set_lines([Line("x" * (LONGEST + 5))] + [Line("y")] * (MOST + 10))
        await pilot.pause()
        assert time.perf_counter() - began < 3
        await pilot.press("end")
        app.view.scroll_end(animate=False)
        await pilot.pause()
        assert any("11 more lines are not shown" in row for row in app.rows())
        assert "5 more characters" in app.view._lines[0].text


async def test_the_end_is_followed_from_the_end_only() -> None:
    app = LinesApp()
    async with app.run_test(size=(20, 5)) as pilot:
        app.view.set_lines([Line(f"l{n}") for n in range(20)], follow=True)
        app.view.scroll_end(animate=False)
        await pilot.pause()
        app.view.set_lines([Line(f"l{n}") for n in range(30)], follow=True)
        await pilot.pause()
        assert "l29" in app.rows()
        app.view.scroll_to(y=3, animate=False)
        await pilot.pause()
        app.view.set_lines([Line(f"l{n}") for n in range(40)], follow=True)
        await pilot.pause()
        assert "l3" in app.rows()
