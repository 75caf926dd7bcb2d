"""The review of a task's changes, against a scripted session."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from pygent.changes import Applied, ChangeSet, Conflict
from pygent.errors import TaskError
from pygent.tui.app import PygentApp
from pygent.tui.screens.review import ReviewScreen
from pygent.tui.widgets.hunk_view import HunkHead
from tests.tui.change_sets import changed, offer, whole
from tests.tui.fake_session import FakeSession, FakeSettings
from tests.tui.pane_app import until

OLD = "".join(f"line {number}\n" for number in range(60))
NEW = OLD.replace("line 10\n", "line ten\n").replace("line 30\n", "line thirty\nmore\n").replace("line 50\n", "")
FILES = (
    whole("a.txt", OLD, NEW),
    whole("b/new.py", None, "def f():\n    return 1\n"),
    whole("b/pic.png", b"\0\1", b"\0\1\2", binary=True, hunks=()),
    whole("c.txt", "old\n", "new\n"),
)


@asynccontextmanager
async def reviewing(
    *files: Any, size: tuple[int, int] = (120, 40), session: FakeSession | None = None, ended: bool = True
) -> AsyncIterator[tuple[FakeSession, ReviewScreen, Pilot[int]]]:
    """A review of task ``t1``, loaded."""
    session = session or FakeSession(Path("/nonexistent/project"))
    app = PygentApp(session)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: session.opened)
        session.task("t1", "tester")
        session.task("t2", "documenter")
        if files:
            offer(session, "t1", *files)
        if ended:
            session.task_done("t1", "finished", "done")
        await until(pilot, lambda: "t1" in app.main.transcript.tasks)
        screen = ReviewScreen("t1", session, app.main.transcript)
        await app.push_screen(screen)
        await until(pilot, lambda: screen.state.loaded and not screen.state.busy)
        await pilot.pause(0.1)
        yield session, screen, pilot


def shown(screen: ReviewScreen) -> str:
    return "\n".join(strip.text.rstrip() for strip in screen._compositor.render_strips())


async def done(pilot: Pilot[int], screen: ReviewScreen) -> None:
    """Wait for the end of what keys began."""
    await pilot.pause(0.05)
    await until(pilot, lambda: not screen.state.busy and not screen.state._acting)
    await pilot.pause(0.1)


async def test_files_and_the_lines_of_one_of_them_are_shown() -> None:
    async with reviewing(*FILES) as (_, screen, pilot):
        text = shown(screen)
        for part in ("Review · tester · ✓ finished", "4 files · +6 −4", "[ ] M a.txt", "[ ] A b/new.py", "binary"):
            assert part in text, part
        assert "@@ -8,7 +8,7 @@" in text
        assert "- line 10" in text
        await pilot.press("down")
        await until(pilot, lambda: "+ def f():" in shown(screen))


async def test_space_chooses_a_file_and_enter_applies_it() -> None:
    async with reviewing(*FILES) as (session, screen, pilot):
        await pilot.press("enter")
        await done(pilot, screen)
        assert "Nothing is chosen" in shown(screen)
        await pilot.press("down", "space", "end", "space", "enter")
        await done(pilot, screen)
        assert session.called("apply_task") == [("apply_task", "t1", ("b/new.py", "c.txt"), None, "leave")]
        text = shown(screen)
        assert "Wrote 2 files (b/new.py, c.txt). u takes it back." in text
        assert "2 files · +3 −3" in text  # what was taken over is gone, the rest is still there
        assert "b/new.py" not in text.replace("(b/new.py", "")


async def test_hunks_are_chosen_one_by_one() -> None:
    async with reviewing(*FILES) as (session, screen, pilot):
        await pilot.press("tab", "space", "n", "n", "space")
        await pilot.pause()
        assert "[–] M a.txt" in shown(screen)
        await pilot.press("A")
        await done(pilot, screen)
        assert session.called("apply_task") == [("apply_task", "t1", ("a.txt",), {"a.txt": (0, 2)}, "leave")]
        assert "+1 −1" not in shown(screen).splitlines()[1]
        assert "line thirty" in shown(screen)
        assert screen.lines.hunk_count == 1


async def test_hunks_follow_one_another_across_files() -> None:
    async with reviewing(*FILES) as (_, screen, pilot):
        await pilot.press("tab", "n", "n")
        assert screen.lines.current == 2
        await pilot.press("n")
        await until(pilot, lambda: "+ def f():" in shown(screen))
        await pilot.press("p")
        await until(pilot, lambda: screen.lines.hunk_count == 3)
        assert screen.lines.current == 2  # backwards, the last one comes first
        await pilot.press("s")
        await pilot.pause()
        line = next(line for line in shown(screen).splitlines() if "line thirty" in line)
        assert "line 30" in line  # side by side
        await pilot.press("left")
        assert screen.rows.has_focus


async def test_all_of_it_is_applied_and_taken_back() -> None:
    async with reviewing(*FILES) as (session, screen, pilot):
        await pilot.press("a")
        await done(pilot, screen)
        assert session.called("apply_task") == [("apply_task", "t1", None, None, "leave")]
        assert "Nothing is left to decide." in shown(screen)
        assert "Wrote 4 files (a.txt, b/new.py, b/pic.png and 1 more)" in shown(screen)
        await pilot.press("u")
        await done(pilot, screen)
        assert "Taken back: a.txt, b/new.py, b/pic.png and 1 more." in shown(screen)
        assert "4 files" in shown(screen)
        session.left_alone["t1"] = ("c.txt",)
        await pilot.press("a")
        await done(pilot, screen)
        await pilot.press("u")
        await done(pilot, screen)
        assert "Taken back, save c.txt, which was changed since." in shown(screen)


async def test_conflicts_are_shown_and_decided_before_anything_is_applied() -> None:
    session = FakeSession(Path("/nonexistent/project"))
    reason = "both changed [red]line 1[/]"
    session.previews["t1"] = Applied(conflicts=(Conflict("c.txt", reason), Conflict("b/pic.png", "binary")))
    async with reviewing(*FILES, session=session) as (_, screen, pilot):
        assert "✗ 2 conflicts" in shown(screen)
        await pilot.press("a")
        await done(pilot, screen)
        assert session.called("apply_task") == []
        assert "c.txt, b/pic.png conflict with what was changed here" in shown(screen)
        assert screen.rows.current is not None
        assert screen.rows.current.path == "c.txt"
        assert reason in shown(screen)  # words from outside are no markup
        await pilot.press("w", "exclamation_mark")
        assert screen.rows.current.path == "b/pic.png"
        await pilot.press("w")
        assert screen.state.selection.decision("b/pic.png") is None  # it has no lines to put markers between
        await pilot.press("m", "a")
        await done(pilot, screen)
        assert [call[2:] for call in session.called("apply_task")] == [
            (("a.txt", "b/new.py"), None, "leave"),
            (("b/pic.png",), None, "ours"),
            (("c.txt",), None, "markers"),
        ]
        await pilot.press("u")
        await done(pilot, screen)


async def test_conflicts_can_be_left() -> None:
    session = FakeSession(Path("/nonexistent/project"))
    conflict = Conflict("c.txt", "both changed it")
    session.previews["t1"] = Applied(conflicts=(conflict,))
    session.applies["t1"] = Applied(("a.txt", "b/new.py"), ("a.txt",), (conflict,))
    async with reviewing(*FILES, session=session) as (_, screen, pilot):
        await pilot.press("a")
        await done(pilot, screen)
        await pilot.press("a")
        await done(pilot, screen)
        assert len(session.called("apply_task")) == 1
        assert screen.state.said.text == (
            "Wrote 2 files (a.txt, b/new.py); merged a.txt with what was changed here; left c.txt: both changed it. "
            "u takes it back."
        )


async def test_a_choice_of_a_conflict_can_be_clicked() -> None:
    session = FakeSession(Path("/nonexistent/project"))
    session.previews["t1"] = Applied(conflicts=(Conflict("a.txt", "both changed it"),))
    async with reviewing(*FILES, session=session) as (_, screen, pilot):
        y, line = next((y, line) for y, line in enumerate(shown(screen).splitlines()) if "both, marked" in line)
        await pilot.click(offset=(line.index("t theirs") + 2, y))
        await pilot.pause()
        assert screen.state.selection.decision("a.txt") == "theirs"
        assert "✗ theirs" in shown(screen)


async def test_the_mouse_chooses_files_and_hunks() -> None:
    async with reviewing(*FILES) as (session, screen, pilot):
        lines = shown(screen).splitlines()
        row = next(y for y, line in enumerate(lines) if "[ ] M c.txt" in line)
        await pilot.click(offset=(lines[row].index("[ ]") + 1, row))
        hunk = next(y for y, line in enumerate(lines) if "@@ -28" in line)
        await pilot.pause(0.1)
        assert screen.state.selection.mark("c.txt") == "all"
        row = next(y for y, line in enumerate(lines) if "[ ] M a.txt" in line)
        await pilot.click(offset=(lines[row].index("a.txt"), row))
        await until(pilot, lambda: "line thirty" in shown(screen))
        await pilot.click(offset=(lines[hunk].index("@@"), hunk))
        await pilot.pause()
        assert screen.state.selection.hunks == {"a.txt": (1,)}
        assert screen.lines.current == 1
        keys = next(y for y, line in enumerate(lines) if "Apply chosen" in line)
        await pilot.click(offset=(lines[keys].index("Apply chosen") + 2, keys))
        await done(pilot, screen)
        assert session.called("apply_task")[0][2:] == (("a.txt", "c.txt"), {"a.txt": (1,)}, "leave")


async def test_siblings_that_changed_the_same_are_named() -> None:
    session = FakeSession(Path("/nonexistent/project"))
    session.overlaps["t1"] = {"a.txt": ("t2",), "elsewhere": ("t2",)}
    async with reviewing(*FILES, session=session) as (_, screen, _pilot):
        text = shown(screen)
        assert "◆ documenter" in text
        assert "Also changed by documenter, not decided on yet." in text
        assert "◆ 1 overlap" in text


async def test_what_changed_since_it_was_shown_is_not_applied() -> None:
    async with reviewing(*FILES, ended=False) as (session, screen, pilot):
        assert "● running, r looks again" in shown(screen)
        await pilot.press("space")
        files = session.changes["t1"].files
        session.changes["t1"] = ChangeSet((changed("a.txt", OLD, NEW + "x\n"), *files[1:]))
        await pilot.press("enter")
        await done(pilot, screen)
        assert session.called("apply_task") == []
        assert "Nothing was applied: a.txt is other than it was shown" in shown(screen)
        assert "4 hunks" not in shown(screen)
        assert screen.lines.hunk_count == 4  # and it is shown as it is now


async def test_the_end_of_the_task_shows_what_it_did_at_last() -> None:
    async with reviewing(FILES[0], ended=False) as (session, screen, pilot):
        await pilot.press("space")
        offer(session, "t1", FILES[0], whole("last.txt", None, "last\n"))
        session.task_done("t1", "finished", "done")
        await until(pilot, lambda: "last.txt" in shown(screen))
        assert "✓ finished" in shown(screen)
        assert screen.state.selection.mark("a.txt") == "all"  # what was chosen stays so


async def test_errors_are_lines_and_nothing_is_lost() -> None:
    async with reviewing(*FILES) as (session, screen, pilot):
        await pilot.press("space")
        for method, key, words in (
            ("apply_task", "enter", "the disk is full [/x]"),
            ("undo_task", "u", "nothing to take back"),
            ("task_changes", "r", "the folder is gone"),
            ("preview_task", "a", "no preview"),
        ):
            session.fails[method] = TaskError(words)
            await pilot.press(key)
            await done(pilot, screen)
            assert words in shown(screen), method
            assert screen.state.selection.paths == ("a.txt",)
        session.fails["task_contents"] = TaskError("it cannot be read")
        await pilot.press("end")
        await until(pilot, lambda: "Without the lines around: it cannot be read" in shown(screen))
        assert "+ new" in shown(screen)


async def test_discarding_is_confirmed() -> None:
    async with reviewing(*FILES) as (session, screen, pilot):
        await pilot.press("x")
        await until(pilot, lambda: screen.app.screen is not screen)
        await pilot.press("n")
        await until(pilot, lambda: screen.app.screen is screen)
        assert session.called("discard_task") == []
        session.fails["discard_task"] = TaskError("it is in use")
        await pilot.press("x", "y")
        await until(pilot, lambda: "it is in use" in shown(screen))
        await pilot.press("x", "y")
        await until(pilot, lambda: "All of it was given up." in shown(screen))
        assert "Nothing is left to decide." in shown(screen)


async def test_the_screen_stays_alive_while_the_session_works() -> None:
    gate = threading.Event()

    class Slow(FakeSession):
        def apply_task(self, *arguments: Any, **named: Any) -> Applied:
            gate.wait(10)
            return super().apply_task(*arguments, **named)

    async with reviewing(*FILES, session=Slow(Path("/nonexistent/project"))) as (session, screen, pilot):
        await pilot.press("space", "enter")
        await until(pilot, lambda: "Applying …" in shown(screen))
        await pilot.press("enter", "u", "down")  # one thing at a time; looking goes on
        await until(pilot, lambda: "+ def f():" in shown(screen))
        gate.set()
        await done(pilot, screen)
        assert len(session.called("apply_task")) == 1
        assert session.called("undo_task") == []


async def test_files_are_found_by_letters_and_all_of_them_chosen() -> None:
    async with reviewing(*FILES) as (_, screen, pilot):
        await pilot.press("slash", "b", "slash", "enter")
        assert [change.path for change in screen.rows.files] == ["b/new.py", "b/pic.png"]
        await pilot.press("asterisk")
        assert screen.state.selection.paths == ("b/new.py", "b/pic.png")
        await pilot.press("a")
        await done(pilot, screen)
        assert "The filter hides 2 files" in shown(screen)
        await pilot.press("escape")
        assert len(screen.rows.files) == 4
        await pilot.press("asterisk")
        assert len(screen.state.selection) == 4
        await pilot.press("asterisk")
        assert not screen.state.selection


async def test_a_narrow_screen_has_files_above_lines_or_one_of_them() -> None:
    async with reviewing(*FILES, size=(80, 24)) as (_, screen, pilot):
        lines = shown(screen).splitlines()
        file, hunk = (next(y for y, line in enumerate(lines) if part in line) for part in ("M a.txt", "@@ -8"))
        assert file < hunk
        await pilot.press("v")
        await pilot.pause()
        assert "[ ] M c.txt" not in shown(screen)
        await pilot.press("v")
        await pilot.pause()
        assert "@@" not in shown(screen)
        await pilot.press("v", "escape")
        await until(pilot, lambda: not screen.is_attached)


async def test_words_name_the_keys_as_they_were_changed() -> None:
    settings = FakeSettings(keymap={"review.undo": "z", "review.compare": "f9"})
    session = FakeSession(Path("/nonexistent/project"), settings=settings)
    async with reviewing(*FILES, session=session, ended=False) as (_, screen, pilot):
        await until(pilot, lambda: screen.app._keymap)
        await until(pilot, lambda: "running, F9 looks again" in shown(screen))
        await pilot.press("a")
        await done(pilot, screen)
        assert "z takes it back." in shown(screen)
        await pilot.press("z")
        await done(pilot, screen)
        assert "Taken back: a.txt" in shown(screen)


async def test_a_question_behind_it_is_told() -> None:
    async with reviewing(*FILES) as (session, screen, pilot):
        request = session.ask("bash", {"cmd": "make"}, agent="t2")
        await until(pilot, lambda: "? 1 question waits for you, Esc goes there" in shown(screen))
        session.resolve(request, "deny")
        await until(pilot, lambda: "task t1" in shown(screen))


async def test_nothing_of_a_name_or_a_line_reaches_the_terminal_as_it_is() -> None:
    """56, 57"""
    odd = whole("[red]x\n\x1b]0;t\x07\u202e.txt", "\x1b[2Jold\n", "[/foo]\x9b31mnew\x07\n")
    async with reviewing(odd) as (_, screen, _pilot):
        text = shown(screen)
        assert "[red]x\\n\\x1b]0;t\\x07\\u202e.txt" in text
        assert "[/foo]" in text
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


async def test_a_change_set_of_many_files_and_one_of_many_lines_are_quick() -> None:
    many = [whole(f"folder {number % 50}/file {number}.txt", "a\n", "b\n") for number in range(5_000)]
    lines = "".join(f"value {number}\n" for number in range(100_000))
    large = whole("a large one.txt", lines, lines.replace("value", "number"))
    async with reviewing(large, *many) as (_, screen, pilot):
        assert "5,001 files" in shown(screen).replace("5001", "5,001")
        await until(pilot, lambda: "- value 0" in shown(screen))
        await until(pilot, lambda: screen.lines.row_total >= 200_000)
        screen.lines.focus()
        await pilot.press("end")
        await pilot.pause()
        assert "+ number 99999" in shown(screen)
        assert len(screen.lines._strips) < 20
        heads = [block for block in screen.lines.blocks if isinstance(block, HunkHead)]
        assert len(heads) == 1
        screen.rows.focus()
        await pilot.press("end", "space", "up", "space")
        assert len(screen.state.selection) == 2


async def test_the_task_s_version_is_compared_with_what_stands_here(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    (tmp_path / "c.txt").write_text("mine\n")
    session.previews["t1"] = Applied(conflicts=(Conflict("c.txt", "both changed it"),))
    async with reviewing(*FILES, session=session) as (_, screen, pilot):
        await pilot.press("exclamation_mark", "d")
        await until(pilot, lambda: "From yours, as it stands here now" in shown(screen))
        text = shown(screen)
        assert "- mine" in text
        assert "+ new" in text
        await pilot.press("tab", "space")  # these are no hunks to choose from
        assert not screen.state.selection
        await pilot.press("d")
        await until(pilot, lambda: "- old" in shown(screen))
        await pilot.press("shift+tab", "home", "d")
        await until(pilot, lambda: "There is no such file here" in shown(screen))


async def test_a_task_that_changed_nothing_says_so() -> None:
    async with reviewing() as (_, screen, pilot):
        assert "This task has changed no files." in shown(screen)
        await pilot.press("space", "n", "a", "d", "m", "v", "v", "v", "exclamation_mark", "enter", "asterisk")
        await done(pilot, screen)
        assert screen.is_attached
