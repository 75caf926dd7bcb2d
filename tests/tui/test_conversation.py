"""What a reader does with the conversation: fold, copy, quote, search, select, scroll."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from pygent.tools.edit import diff
from pygent.transcript import RunItem
from pygent.tui.app import PygentApp
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.notices import RunBlock
from pygent.tui.panes.tool_log import ToolLogPane
from pygent.tui.screens.block import BlockScreen
from pygent.tui.screens.tool_detail import ToolDetailScreen
from pygent.tui.widgets.transcript_view import TranscriptView
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import running, shown, until

ANSWER = """First:

```python
x = 1
y = 2
```

then

```sh
make check
```

done."""


@pytest.fixture(autouse=True)
def _own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


async def focus(app: PygentApp, pilot: Pilot[int]) -> TranscriptView:
    view = app.main.conversation.view
    view.focus()
    await pilot.pause()
    return view


def row_of(app: PygentApp, text: str) -> tuple[int, int]:
    """Where a text stands in the view."""
    view = app.main.conversation.view
    for y in range(view.size.height):
        line = view.render_line(y).text
        if text in line:
            return line.index(text), y
    raise AssertionError(f"{text!r} is not on the screen:\n{shown(app)}")


async def test_calls_are_one_line_with_a_short_tail_and_unfold(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        output = "$ make test\n" + "\n".join(f"line {number}" for number in range(30)) + "\n[exit status: 2]"
        session.tool("bash", {"cmd": "make test"}, output)
        await until(lambda: "exit 2" in shown(app))
        text = shown(app)
        assert "! $ make test" in text
        assert "… 24 lines above" in text
        assert "line 29" in text
        assert "line 23" not in text
        assert "exit status" not in text
        await focus(app, pilot)
        await pilot.press("shift+up", "enter")
        await until(lambda: "line 10" in shown(app))
        await pilot.press("left", "left")
        await until(lambda: "line 29" not in shown(app))
        assert "$ make test" in shown(app)


async def test_edits_and_writes_show_what_they_change(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    before = "".join(f"value_{number} = {number}\n" for number in range(90))
    after = before.replace("value_40 = 40", "value_40 = 41").replace("value_80", "other_80")
    async with running(session) as (app, pilot):
        session.tool("edit_file", {"path": "a.py"}, f"Edited a.py.\n{diff(before, after)}")
        content = "".join(f"row {number}\n" for number in range(40))
        session.tool("write_file", {"path": "b.txt", "content": content}, "Wrote b.txt (200 bytes)")
        await until(lambda: "row 0" in shown(app))
        text = shown(app)
        assert " 41 - value_40 = 40" in text
        assert " 41 + value_40 = 41" in text
        assert "… 26 more lines" in text
        assert "row 20" not in text
        await focus(app, pilot)
        await pilot.press("shift+up", "enter", "end")
        await until(lambda: "row 39" in shown(app))


async def test_long_messages_and_reasoning_are_folded(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.user("\n".join(f"asked {number}" for number in range(30)))
        session.say("The answer.", reasoning="secret thought\nand more")
        await until(lambda: "The answer." in shown(app))
        assert "asked 9" in shown(app)
        assert "asked 20" not in shown(app)
        assert "secret thought" not in shown(app)
        await focus(app, pilot)
        await pilot.press("shift+up", "enter")
        await until(lambda: "secret thought" in shown(app))
        await pilot.press("shift+up", "enter")
        await until(lambda: "asked 20" in shown(app))
        await pilot.press("minus")
        await until(lambda: "asked 1\n" not in shown(app) and "asked 2" not in shown(app))
        await pilot.press("plus", "home")
        await until(lambda: "asked 15" in shown(app))
        await pilot.press("equals_sign")
        await until(lambda: "asked 15" not in shown(app))


async def test_blocks_are_copied_quoted_and_shown_whole(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.say("one\n\ntwo")
        session.tool("bash", {"cmd": "ls"}, "a.txt")
        await until(lambda: "a.txt" in shown(app))
        await focus(app, pilot)
        await pilot.press("shift+up", "shift+up", "c")
        assert app.clipboard == "one\n\ntwo"
        await pilot.press("m")
        await until(lambda: isinstance(app.screen, BlockScreen))
        await pilot.pause()
        assert "two" in shown(app)
        await pilot.press("c", "escape")
        await until(lambda: app.screen is app.main)
        await pilot.press("shift+down", "m")
        await until(lambda: isinstance(app.screen, ToolDetailScreen))
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
        await pilot.press("shift+up", "p")
        await until(lambda: app.main.prompt.text == "> one\n>\n> two\n\n")
        assert app.focused is app.main.prompt


async def test_the_block_under_the_pointer_has_what_can_be_done_with_it(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.say("some answer")
        await until(lambda: "some answer" in shown(app))
        place = row_of(app, "some answer")
        await pilot.hover("#conversation-view", offset=place)
        await until(lambda: "to prompt" in shown(app))
        assert "some answer" in shown(app)
        await pilot.click("#conversation-view", offset=(row_of(app, "to prompt")[0] + 1, place[1]))
        await until(lambda: app.main.prompt.text == "> some answer\n\n")
        await pilot.hover("#conversation-view", offset=place)
        await pilot.click("#conversation-view", offset=(row_of(app, "copy ")[0] + 1, place[1]))
        await until(lambda: app.clipboard == "some answer")


async def test_code_is_copied_by_key_and_by_mouse(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.say(ANSWER)
        session.finish()
        await until(lambda: "completed" in shown(app))
        await focus(app, pilot)
        await pilot.press("y")  # the end of the run has none: that of the answer above
        assert app.clipboard == "x = 1\ny = 2"
        await until(lambda: any("2 lines of python (1 of 2)" in note.message for note in app._notifications))
        await pilot.press("y")
        assert app.clipboard == "make check"
        await pilot.press("y")
        assert app.clipboard == "x = 1\ny = 2"
        await pilot.click("#conversation-view", offset=(row_of(app, "copy ")[0], row_of(app, "make check")[1]))
        assert app.clipboard == "make check"


async def test_text_is_selected_with_the_mouse_wherever_it_has_scrolled_to(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        for number in range(60):
            session.say(f"answer number {number}")
        await until(lambda: "number 59" in shown(app))
        view = await focus(app, pilot)
        await pilot.press("pageup")
        await pilot.pause()
        x, y = row_of(app, "answer number")
        number = int(view.render_line(y).text.split()[-1])
        await pilot.mouse_down(view, offset=(x + 7, y))
        await pilot.hover(view, offset=(x + 30, y + 2))
        await pilot.mouse_up(view, offset=(x + 30, y + 2))
        await pilot.press("ctrl+c")
        assert app.clipboard == f"number {number}\n\nanswer number {number + 1}"
        await pilot.click(view, offset=(x + 8, y), times=2)
        await pilot.pause()
        await pilot.press("ctrl+c")
        assert app.clipboard == "number"
        await pilot.click(view, offset=(x + 8, y), times=3)
        await pilot.pause()
        await pilot.press("ctrl+c")
        assert app.clipboard == f"answer number {number}"


async def test_text_is_selected_by_key(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.say("first line here\n\nsecond 漢字 line")
        await until(lambda: "second" in shown(app))
        await focus(app, pilot)
        await pilot.press("shift+up", "v")
        await until(lambda: "select: " in shown(app))
        await pilot.press("w", "v", "l", "l", "l", "y")
        assert app.clipboard == "line"
        await until(lambda: "select: " not in shown(app))
        await pilot.press("v", "V", "j", "j", "y")
        assert app.clipboard == "first line here\n\nsecond 漢字 line"
        await pilot.press("v", "j", "j", "w", "v", "right", "enter")
        assert app.clipboard == "漢字"
        await pilot.press("v", "v", "end", "escape")
        await pilot.pause()
        assert not session.called("interrupt")
        assert app.main.get_selected_text() is None
        assert app.clipboard == "漢字"


async def test_search_goes_from_match_to_match_and_unfolds(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.tool("bash", {"cmd": "cat"}, "\n".join(["the Needle", *("hay" for _ in range(50))]))
        for number in range(60):
            session.say(f"answer {number}" + (" with a needle" if number % 20 == 0 else ""))
        await until(lambda: "answer 59" in shown(app))
        view = await focus(app, pilot)
        await pilot.press("slash")
        await until(lambda: app.focused is not None and app.focused.id == "search-input")
        await pilot.press(*"needle")
        await until(lambda: "4 of 4" in shown(app))
        assert "answer 40 with a needle" in shown(app)
        await pilot.press("enter")
        await until(lambda: "1 of 4" in shown(app))
        assert "the Needle" in shown(app)  # it was folded away
        await pilot.press("up")
        await until(lambda: "4 of 4" in shown(app))
        top = view.scroll_offset.y
        await pilot.press("escape")
        await until(lambda: "4 of 4" not in shown(app))
        assert app.focused is view
        assert view.scroll_offset.y == top
        await pilot.press("n")
        await until(lambda: "the Needle" in shown(app))
        await pilot.press("slash")
        await until(lambda: app.focused is not None and app.focused.id == "search-input")
        await pilot.press("backspace", *"Needle")
        await until(lambda: "1 of 1" in shown(app))
        await pilot.press("x")
        await until(lambda: "no match" in shown(app))


async def test_a_search_of_ten_thousand_blocks_draws_few_of_them(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        for number in range(5000):
            session.user(f"question {number}")
            session.say(f"answer {number}")
        await until(lambda: len(app.main.conversation.view.blocks) == 10_001, 30)
        view = await focus(app, pilot)
        await pilot.press("slash")
        await until(lambda: app.focused is not None and app.focused.id == "search-input")
        await pilot.press(*"n 12", "3", "4")
        await until(lambda: "1 of 1" in shown(app) and "question 1234" in shown(app))
        assert len(view._strips) <= 300


async def test_what_is_new_below_counts_messages(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        for number in range(40):
            session.say(f"answer {number}")
        await until(lambda: "answer 39" in shown(app))
        view = app.main.conversation.view
        await pilot.press("pageup")  # the prompt has the focus
        await until(lambda: not view.following)
        assert app.focused is app.main.prompt
        top = view.scroll_offset.y
        session.tool("bash", {"cmd": "ls"}, "a")
        await until(lambda: "more below" in shown(app))
        session.user("a question")
        message = session.begin()
        await until(lambda: "1 new below" in shown(app))
        session.delta(message, "word")
        await until(lambda: "2 new below" in shown(app))
        session.delta(message, " and more\n" * 50)
        session.end(message, "word" + " and more\n" * 50)
        session.finish()
        await until(lambda: len(view.blocks) == 45)
        assert "2 new below" in shown(app)
        assert view.scroll_offset.y == top
        await pilot.click("#new-below")
        await until(lambda: view.following and "new below" not in shown(app))
        await pilot.press("pageup", "pagedown")
        await until(lambda: view.following)


async def test_failed_runs_say_what_to_do(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        session.run("x")
        session.finish("failed", error="the server is away")
        await until(lambda: "the server is away" in shown(app))
        assert "Send another prompt to try again" in shown(app)
        session.run("x")
        session.finish("max_steps")
        await until(lambda: "It may take no more steps" in shown(app))


async def test_the_keys_stand_at_the_border_and_can_be_clicked(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.user("\n".join(f"asked {number}" for number in range(20)))
        await until(lambda: "asked 9" in shown(app))
        pane = app.main.conversation
        await focus(app, pilot)
        await until(lambda: "unfold all" in shown(app))
        line = shown(app).splitlines()[pane.region.bottom - 1]
        await pilot.click(offset=(line.index("unfold all") + 3, pane.region.bottom - 1))
        await until(lambda: "asked 19" in shown(app))
        await pilot.click(offset=(line.index("fold all", line.index("unfold all") + 8), pane.region.bottom - 1))
        await until(lambda: "asked 9" not in shown(app))


async def test_a_message_without_a_word_is_passed_over(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.say("the answer")
        session.say("")
        session.tool("bash", {"cmd": "ls"}, "a.txt")
        await until(lambda: "a.txt" in shown(app))
        view = await focus(app, pilot)
        await pilot.press("shift+up", "shift+up", "c")
        assert app.clipboard == "the answer"
        assert view.following


async def test_a_very_long_file_that_is_written_shows_its_beginning(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        session.tool("write_file", {"path": "a.py", "content": "x = 1\n" * 500_000}, "Wrote a.py")
        await until(lambda: "499986 more lines" in shown(app))


async def test_a_block_on_its_own_screen_is_searched_and_selected_in_too(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.say("\n\n".join(f"part {number}" for number in range(200)))
        await until(lambda: "part 199" in shown(app))
        await focus(app, pilot)
        await pilot.press("shift+up", "m")
        await until(lambda: isinstance(app.screen, BlockScreen) and "part 1 " in shown(app))
        await pilot.press("slash")
        await until(lambda: app.focused is not None and app.focused.id == "search-input")
        await pilot.press(*"part 77")
        await until(lambda: "1 of 1" in shown(app) and "part 77" in shown(app).replace("/ part 77", ""))
        await pilot.press("escape")
        await until(lambda: "1 of 1" not in shown(app))
        assert isinstance(app.screen, BlockScreen)
        await pilot.press("v")
        await until(lambda: "select: " in shown(app))
        await pilot.press("escape")
        await until(lambda: "select: " not in shown(app))
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)


async def test_what_was_broken_to_fit_is_copied_as_one_line(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    words = " ".join(f"word{number}" for number in range(40))
    long = "x" * 150
    async with running(session) as (app, pilot):
        session.say(f"{words}\n\n- {words}\n\n```\n{long}\nend\n```")
        await until(lambda: "end" in shown(app))
        await focus(app, pilot)
        await pilot.press("shift+up", "v", "v", "G", "end", "y")
        lines = app.clipboard.split("\n")
        assert lines[0] == words
        assert f"• {words}" in lines
        assert long in lines


async def test_keys_scroll_by_lines_halves_and_pages(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        for number in range(100):
            session.say(f"answer {number}")
        await until(lambda: "answer 99" in shown(app))
        view = await focus(app, pilot)
        height = view.scrollable_content_region.height
        await pilot.press("g")
        await until(lambda: view.scroll_offset.y == 0)
        for key, row in (("j", 1), ("k", 0), ("ctrl+d", height // 2), ("ctrl+u", 0), ("pagedown", height - 1)):
            await pilot.press(key)
            await pilot.pause()
            assert view.scroll_offset.y == row, key
        assert not view.following
        await pilot.press("G")
        await until(lambda: view.following and "answer 99" in shown(app))


async def test_a_denied_call_says_why_in_full(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    said = "Denied by the user.\nThe user says: " + " ".join(f"word{number}" for number in range(30))
    async with running(session) as (app, _):
        session.tool("bash", {"cmd": "make"}, said, status="denied")
        session.tool("glob", {"pattern": "*"}, "Error: " + "why " * 40 + "so", status="error")
        await until(lambda: "so" in shown(app).split())
        assert "word29" in shown(app)


async def test_the_lines_of_a_file_that_was_read_stand_in_a_column(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    lines = "\n".join(f"{number}\tvalue = {number}" for number in range(8, 20))
    async with running(session) as (app, pilot):
        session.tool(
            "read_file", {"path": "a.py"}, f"a.py: lines 8-19 of 30\n{lines}\n… 11 more lines; go on with start=20"
        )
        session.tool("read_file", {"path": "src"}, "src: 2 entries\na.py\nb.py")
        await until(lambda: "b.py" in shown(app))
        rows = shown(app).split("\n")
        first = next(row for row in rows if "value = 8" in row)
        later = next(row for row in rows if "value = 10" in row)
        assert first.index("value") == later.index("value")
        assert "… 8 more lines" in shown(app)
        await focus(app, pilot)
        await pilot.press("shift+up", "shift+up", "enter")
        await until(lambda: "value = 19" in shown(app))


async def test_calls_of_the_person_and_paths_of_the_workspace_show_as_such(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        session.tool("bash", {"cmd": "ls"}, "x")
        session.tool_finish(session.user_command("pwd"), "$ pwd\n/here")
        session.tool("write_file", {"path": str(tmp_path / "src" / "a.py"), "content": "a"}, "Wrote it.")
        session.tool("read_file", {"path": "/etc/hosts"}, "no")
        await until(lambda: "/etc/hosts" in shown(app))
        text = shown(app)
        assert "✓ you $ pwd" in text
        assert "✓ $ ls" in text
        assert "write_file  src/a.py" in text
        log = app.screen.query_one(ToolLogPane).rows
        rows = ["".join(part for part, _ in [*left, *right]) for left, right in (log.row(n, 0, 60) for n in range(4))]
        assert "you" not in rows[0]
        assert "you" in rows[1]
        assert "write_file src/a.py" in rows[2]


def test_the_end_of_a_run_leaves_out_whole_parts() -> None:
    item = RunItem("e1", "main", "completed", 7, {"total_tokens": 2600}, files_changed=["a"], seconds=76.0)
    said = {
        width: RunBlock(item).lines(width, Palette.from_variables({}, dark=True))[0] for width in (80, 46, 30, 12)
    }
    texts = {width: "".join(segment.text for segment in line).strip(" ─") for width, line in said.items()}
    assert texts[80] == "completed · 7 steps · 1m 16s · 2.6k tokens · 1 file changed"
    assert texts[46] == "completed · 7 steps · 1 file changed"
    assert texts[30] == "completed"
    assert texts[12] == "com…"


async def test_what_is_said_for_a_moment_leaves_the_prompt_free(tmp_path: Path) -> None:
    app = PygentApp(FakeSession(tmp_path))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.notify("Copied 3 lines.")
        await until(lambda: bool(app.screen.query("Toast")))
        await pilot.pause()
        toast = app.screen.query_one("Toast").region
        assert toast.bottom < app.size.height // 2
        assert toast.right <= app.size.width
