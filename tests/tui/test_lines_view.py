"""The viewer of long texts: wrapping, wide characters, selection, bounds."""

from __future__ import annotations

import re
import time

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.selection import Selection

from pygent.tui.panes.line_source import Match
from pygent.tui.panes.lines import SELECTED, Line, LinesView


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


async def test_a_million_lines_open_at_once_and_every_one_can_be_reached() -> None:
    app = LinesApp(numbers=True)
    lines = [Line(f"line {n} " + "é" * (n % 150 if n % 10 == 0 else 0)) for n in range(1_000_000)]
    async with app.run_test(size=(80, 10)) as pilot:
        began = time.perf_counter()
        app.view.set_lines(lines)
        assert time.perf_counter() - began < 2
        await pilot.pause()
        for key in ("end", "pageup", "home", "pagedown"):
            began = time.perf_counter()
            await pilot.press(key)
            assert time.perf_counter() - began < 2
        app.view.action_scroll_end()
        assert app.rows()[-1].split()[:2] == ["1000000", "line"]
        app.view.go_to_line(654_321)
        assert app.rows()[0].split() == ["654322", "line", "654321"]
        for _ in range(400):
            app.view.action_scroll_up()
            top = app.view.row(app.view.scroll_offset.y)
            assert top is not None
            assert top.number <= 654_321
        assert 654_321 - top.number <= 400
        app.view.go_to_share(0.5)
        assert abs(app.view.scroll_offset.y - app.view.max_scroll_y / 2) < 1000


async def test_scrolling_up_into_what_was_not_counted_shows_each_row_once() -> None:
    app = LinesApp()
    lines = [Line(f"{n} " + "x" * (n % 7 * 9)) for n in range(30_000)]
    async with app.run_test(size=(20, 10)) as pilot:
        app.view.set_lines(lines)
        await pilot.pause()
        app.view.go_to_line(20_000)
        seen = [app.rows()[0]]
        for _ in range(4_000):
            app.view.action_scroll_up()
            seen.append(app.rows()[0])
        wanted = [
            text[at : at + app.view._text_width()]
            for text in (line.text for line in lines[:20_001])
            for at in range(0, len(text), app.view._text_width())
        ]
        last = max(index for index, row in enumerate(wanted) if row.startswith("20000 "))
        assert seen == [row.rstrip() for row in wanted[last - 4_000 : last + 1]][::-1]


@pytest.mark.hostile(20)
async def test_a_line_of_fifty_megabytes_is_shown_from_end_to_end() -> None:
    app = LinesApp()
    text = "0123456789" * 5_000_000
    async with app.run_test(size=(51, 10)) as pilot:
        began = time.perf_counter()
        app.view.set_lines([Line("before"), Line(text), Line("日本語" * 20_000), Line("after")])
        await pilot.pause()
        assert app.rows()[1] == "0123456789" * 5
        await pilot.press("end")
        assert app.rows()[-1] == "after"
        assert app.rows()[-2].strip("日本語") == ""
        app.view.action_wrap()
        await pilot.pause()
        app.view.scroll_to(x=app.view.max_scroll_x, y=0, animate=False, immediate=True)
        await pilot.pause()
        assert app.rows()[1] == ("0123456789" * 6)[-app.view._text_width() :]
        assert time.perf_counter() - began < 3


async def test_what_was_found_stands_out() -> None:
    app = LinesApp()
    async with app.run_test(size=(20, 5)) as pilot:
        app.view.set_lines([Line("one two one", "", ((4, 7, "error"),)), Line("one")])
        app.view.mark(re.compile("one"), Match(1, 0))
        await pilot.pause()
        first, second = app.view.render_line(0), app.view.render_line(1)
        assert [segment.text for segment in first][:4] == ["one", " ", "two", " "]
        grounds = [next(iter(strip)).style.bgcolor for strip in (first, second)]  # type: ignore[union-attr]
        assert grounds[0] != grounds[1] != app.view.rich_style.bgcolor


async def test_a_selection_of_everything_is_bounded() -> None:
    app = LinesApp()
    async with app.run_test(size=(80, 5)):
        app.view.set_lines([Line("x" * 50)] * 300_000)
        text, _ = app.view.get_selection(Selection(None, None)) or ("", "")
        assert SELECTED < len(text) < SELECTED + 100


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
