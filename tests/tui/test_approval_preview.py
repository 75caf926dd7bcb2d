"""What a person sees of a call before deciding on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygent.errors import WorkspaceError
from pygent.tui.widgets.approval_preview import Preview, Read, preview
from pygent.tui.widgets.choices import GRACE, Choices
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import running, shown, until

BEFORE = "a\nb\nc\n"


def reading(text: str) -> Read:
    return lambda _path: text.encode()


def missing(path: str) -> bytes:
    raise WorkspaceError(f"{path} does not exist")


def edit(old: str, new: str, text: str = BEFORE, **more: object) -> Preview:
    return preview("edit_file", {"path": "a.txt", "old": old, "new": new, **more}, reading(text))


def changes(shown: Preview) -> list[str]:
    assert shown.diff is not None
    return [f"{line.kind}{line.text}" for hunk in shown.diff.hunks for line in hunk.lines if line.kind != " "]


def test_a_written_file_is_compared_with_what_is_there() -> None:
    asked = preview("write_file", {"path": "a.txt", "content": "a\nB\nc\n"}, reading(BEFORE))
    assert changes(asked) == ["-b", "+B"]
    assert asked.warning == ""


def test_a_new_file_is_all_added() -> None:
    asked = preview("write_file", {"path": "a.txt", "content": "a\n"}, missing)
    assert asked.diff is not None
    assert asked.diff.kind == "added"
    assert changes(asked) == ["+a"]


def test_a_file_that_stays_as_it_is_is_told() -> None:
    asked = preview("write_file", {"path": "a.txt", "content": BEFORE}, reading(BEFORE))
    assert [line.text for line in asked.lines] == ["a.txt stays as it is"]


def test_an_edit_shows_the_file_around_it() -> None:
    asked = edit("b", "B")
    assert changes(asked) == ["-b", "+B"]
    assert asked.diff is not None
    assert asked.diff.hunks[0].lines[0].text == "a"


@pytest.mark.parametrize(
    ("asked", "warning"),
    [
        (edit("x", "y"), "The text to replace is not in a.txt, so the call will fail."),
        (edit("a", "b", "a\na\n"), "The text to replace is 2 times in a.txt, so the call will fail."),
        (
            preview("edit_file", {"path": "a.txt", "old": "a", "new": "b"}, missing),
            "a.txt cannot be read, so the call will fail.",
        ),
        (edit("a", "b", "a\na\n", replace_all=True), ""),
        (edit("a\nb", "x\ny", "a\r\nb\r\n"), ""),
        (preview("write_file", {"path": "a.txt", "content": "a\r\n"}, reading("a\n")), "Only line ends change."),
    ],
)
def test_what_makes_a_call_pointless_is_said(asked: Preview, warning: str) -> None:
    assert asked.warning == warning


def test_a_path_below_the_workspace_is_shown_relative_to_it() -> None:
    asked = preview("write_file", {"path": "/work/a.txt", "content": "a\n"}, missing, "/work")
    assert asked.diff is not None
    assert asked.diff.path == "a.txt"


@pytest.mark.hostile(35)
def test_what_a_screen_would_hide_is_spelled_out() -> None:
    asked = edit("b", "b\u202e\x1b[2J")
    assert changes(asked)[-1] == "+b<U+202E><U+001B>[2J"


@pytest.mark.hostile(35)
def test_nothing_of_a_long_line_is_cut() -> None:
    content = "x" * 5000 + "; rm -rf ~"
    asked = preview("write_file", {"path": "a.txt", "content": content}, missing)
    assert "".join(line.text.removeprefix("+") for line in asked.lines[1:]) == content


async def test_the_answers_are_whole_on_a_small_screen_and_the_preview_can_have_all_of_it(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(80, 24)) as (app, pilot):
        session.run()
        session.ask("write_file", {"path": "a.txt", "content": "".join(f"line {n}\n" for n in range(40))}, rule=None)
        await until(lambda: "5 Deny and tell" in shown(app))
        await until(lambda: "more rows" in shown(app))
        assert "1 Allow once" in shown(app)
        await pilot.pause(GRACE + 0.1)
        few = shown(app).count("line ")
        await pilot.press("v")
        await until(lambda: shown(app).count("line ") > few)
        await until(lambda: "v shows less" in shown(app))
        assert app.main.status.region.bottom == 24
        assert "5 Deny and tell" in shown(app)
        assert isinstance(app.focused, Choices)
        await pilot.click("#approval-more")
        await until(lambda: shown(app).count("line ") == few)


async def test_a_question_without_the_keys_says_how_it_gets_them(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.ask("bash", {"cmd": "make test"})
        await until(lambda: "❯ 1 Allow once" in shown(app))
        assert isinstance(app.focused, Choices)
        await pilot.press("escape")  # nothing runs: to the prompt
        await until(lambda: "Tab or a click goes to the answers" in shown(app))
        assert app.focused is app.main.prompt
        assert "❯" not in shown(app)
        await pilot.press("escape")  # and back
        await until(lambda: "❯ 1 Allow once" in shown(app))
        assert "goes to the answers" not in shown(app)
        await pilot.press("escape")
        for _ in range(8):
            if isinstance(app.focused, Choices):
                break
            await pilot.press("tab")
        assert isinstance(app.focused, Choices)
