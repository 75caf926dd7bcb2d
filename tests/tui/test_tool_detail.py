"""A tool call shown whole: its parts, all of its output from wherever that is, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.widgets import Input

from pygent.tui.panes.output_view import COPIED, OutputView
from pygent.tui.panes.tool_log import ToolLogPane
from pygent.tui.screens.confirm import ConfirmScreen
from pygent.tui.screens.tool_detail import ToolDetailScreen
from pygent.tui.widgets.ask_line import AskLine
from tests.tui.fake_session import FakeSession
from tests.tui.pane_app import PaneApp, until


class Detail:
    """The detail view of the last call of a session."""

    def __init__(self) -> None:
        self.session = FakeSession()
        self.pane = ToolLogPane(id="tool-log")
        self.app = PaneApp(self.session, self.pane)
        self.pilot: Any = None

    @asynccontextmanager
    async def open(self, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Any]:
        async with self.app.run_test(size=size) as self.pilot:
            self.app.flush()
            self.pane.focus()
            await self.pilot.press("enter")
            await self.pilot.pause()
            yield self.pilot

    @property
    def output(self) -> OutputView:
        return self.app.screen.query_one(OutputView)

    def text(self) -> str:
        return self.app.text()

    async def until_text(self, text: str) -> None:
        await until(self.pilot, lambda: text in self.text())

    def said(self) -> str:
        return " ".join(notification.message for notification in self.app._notifications)

    async def answer(self, text: str) -> None:
        self.app.screen.query_one(AskLine).query_one(Input).value = text
        await self.pilot.press("enter")
        await self.pilot.pause()

    def keep(self, folder: Path, data: bytes) -> str:
        path = folder / "output-1.txt"
        path.write_bytes(data)
        self.session.kept.add(str(path))
        return str(path)


def add(path: str, data: bytes) -> None:
    with Path(path).open("ab") as out:
        out.write(data)


async def test_the_head_says_how_it_stands_and_the_output_keeps_up() -> None:
    detail = Detail()
    call = detail.session.tool_start("bash", {"cmd": "make test\nmake lint"})
    detail.session.tool_output(call, "first\n")
    async with detail.open() as pilot:
        assert re.search(r"● running · \d+s · main", detail.text())
        assert "$ make test" in detail.text()
        assert "first" in detail.text()
        assert "1 line · 6 B · follows" in detail.text()
        detail.session.tool_output(call, "second\n")
        detail.session.tool_finish(call, "first\nsecond\nthird\n", status="error", seconds=1.5, exit_status=2)
        await detail.until_text("third")
        assert "✗ error · exit status 2 · 1.5s · main" in detail.text()
        await pilot.press("c")
        assert detail.app.clipboard == "first\nsecond\nthird\n"
        await pilot.press("a")
        assert '"cmd": "make test' in detail.app.clipboard
        await pilot.press("escape")
        assert not isinstance(detail.app.screen, ToolDetailScreen)


async def test_parts_are_shown_by_key_and_by_mouse() -> None:
    detail = Detail()
    detail.session.tool("write_file", {"path": "a.py", "content": "one\ntwo\n", "n": {"a": 1}}, "Wrote a.py")
    async with detail.open() as pilot:
        assert "  one" in detail.text()
        await pilot.press("1")
        assert "Wrote a.py" in detail.text()
        tabs = detail.app.screen.query_one("#detail-tabs")
        await pilot.click(tabs, offset=(15, 0))
        assert "  two" in detail.text()
        assert "Difference" not in detail.text()
        await pilot.press("3")
        assert "no difference" in detail.said()


async def test_an_edit_shows_its_difference() -> None:
    detail = Detail()
    detail.session.tool("edit_file", {"path": "a.py"}, "Edited a.py.\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n")
    async with detail.open():
        await detail.until_text("three")
        assert "3 Difference" in detail.text()
        assert "@@ -1,2" not in detail.app.text(detail.output)


async def test_all_of_a_long_output_is_read_from_its_file(tmp_path: Path) -> None:
    detail = Detail()
    path = detail.keep(tmp_path, b"".join(b"line %d\n" % number for number in range(200_000)))
    call = detail.session.tool_start("bash", {"cmd": "seq"})
    detail.session.tool_finish(call, "line 0\n[… left out …]\nline 199999", file=path)
    async with detail.open() as pilot:
        await detail.until_text("200,000 lines · 2.2 MiB")
        assert "1  line 0" in detail.text()
        await pilot.press("end")
        assert "200000  line 199999" in detail.text()
        await pilot.press("g")
        await detail.answer("123,456")
        assert detail.output.top == 123_455
        await pilot.press("g")
        await detail.answer("50%")
        assert 99_900 < detail.output.top < 100_100
        await pilot.press("g")
        await detail.answer("half")
        assert "is no place" in detail.said()


async def test_a_file_that_grows_is_followed_from_its_end_only(tmp_path: Path) -> None:
    detail = Detail()
    path = detail.keep(tmp_path, b"".join(b"line %d\n" % number for number in range(20_000)))
    call = detail.session.tool_start("bash", {"cmd": "seq"})
    detail.session.tool_output(call, "line 0\n", file=path)
    async with detail.open() as pilot:
        await detail.until_text("line 19999")
        add(path, b"more\n" * 100)
        await detail.until_text("20,100 lines")
        assert "20100  more" in detail.text()
        await pilot.press("home")
        add(path, b"most\n" * 100)
        await detail.until_text("20,200 lines")
        assert "1  line 0" in detail.text()
        assert "End follows" in detail.text()
        detail.session.tool_finish(call, "line 0\n…\nmost", file=path)
        await detail.until_text("✓ ok")
        await pilot.press("end")
        assert "20200  most" in detail.text()


async def test_a_file_that_is_gone_is_told_and_the_rest_is_shown() -> None:
    detail = Detail()
    call = detail.session.tool_start("bash", {"cmd": "seq"})
    detail.session.tool_finish(call, "head\n[… left out …]\ntail", file="/tmp/pygent-0/output/output-1.txt")
    async with detail.open():
        assert "until the session in which it was made ended" in detail.text()
        assert "what the model read" in detail.text()
        assert "tail" in detail.text()


async def test_a_text_is_found_wherever_it_is(tmp_path: Path) -> None:
    detail = Detail()
    data = b"".join(b"line %d%s\n" % (number, b" Needle" if number % 1000 == 7 else b"") for number in range(50_000))
    call = detail.session.tool_start("bash", {"cmd": "seq"})
    detail.session.tool_finish(call, "…", file=detail.keep(tmp_path, data))
    async with detail.open() as pilot:
        await detail.until_text("50,000 lines")
        await pilot.press("slash")
        await detail.answer("needle")
        await detail.until_text("1 of 50")
        await pilot.press("n", "n")
        assert "3 of 50" in detail.text()
        assert "2008  line 2007 Needle" in detail.text()
        await pilot.press("N", "N", "N")
        assert "50 of 50" in detail.text()
        assert "line 49007" in detail.text()
        await pilot.press("slash")
        await detail.answer("NEEDLE")
        await detail.until_text("“NEEDLE” is not in it")
        await pilot.press("slash", "escape")
        assert isinstance(detail.app.screen, ToolDetailScreen)
        assert detail.app.screen.focused is detail.output


async def test_binary_output_is_safe_to_look_at_and_can_be_seen_as_bytes(tmp_path: Path) -> None:
    detail = Detail()
    call = detail.session.tool_start("bash", {"cmd": "head -c 10M /dev/urandom"})
    detail.session.tool_finish(call, "…", file=detail.keep(tmp_path, bytes(range(256)) * 1000))
    async with detail.open() as pilot:
        await detail.until_text("binary")
        assert "\x1b" not in detail.text()
        await pilot.press("x")
        assert "00000010  10 11 12" in detail.text()
        await pilot.press("x")
        assert "00000010  10 11 12" not in detail.text()


async def test_it_is_saved_whole_and_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    detail = Detail()
    data = b"line\n" * 2_000_000
    call = detail.session.tool_start("bash", {"cmd": "yes"})
    detail.session.tool_finish(call, "…", file=detail.keep(tmp_path, data))
    target = tmp_path / "saved.txt"
    async with detail.open() as pilot:
        await detail.until_text("2,000,000 lines")
        await pilot.press("s")
        await detail.answer(str(target))
        await until(pilot, lambda: target.exists() and target.stat().st_size == len(data))
        target.write_text("mine")
        await pilot.press("s")
        await detail.answer(str(target))
        await until(pilot, lambda: isinstance(detail.app.screen, ConfirmScreen))
        await pilot.press("n")
        assert target.read_text() == "mine"
        await pilot.press("s")
        await detail.answer(str(tmp_path / "no" / "folder.txt"))
        await until(pilot, lambda: "cannot be written" in detail.said())
        await pilot.press("c")
        assert len(detail.app.clipboard) == COPIED
        assert "the first 4.0 MiB of 9.5 MiB" in detail.said()


async def test_a_call_runs_again_only_after_a_question_that_shows_it() -> None:
    detail = Detail()
    detail.session.tool("bash", {"cmd": "make [red]clean[/] \x1b[2Jall"}, "done")
    async with detail.open() as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert "make [red]clean[/] \\x1b[2Jall" in detail.text()
        await pilot.press("escape")
        assert not detail.session.calls
        await pilot.press("r")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert detail.session.calls == [("run_again", "bash", {"cmd": "make [red]clean[/] \x1b[2Jall"}, "main")]


async def test_what_cannot_run_again_says_why() -> None:
    detail = Detail()
    detail.session.tool("stop", {}, "done")
    async with detail.open() as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(detail.app.screen, ToolDetailScreen)
        assert "stop cannot be made again" in detail.said()


async def test_it_fits_a_narrow_terminal() -> None:
    detail = Detail()
    detail.session.tool("bash", {"cmd": "true"}, "x\n" * 5)
    async with detail.open((50, 16)):
        assert "Bytes" in detail.text()
        assert "1  x" in detail.text()
