"""`@` in the prompt: files found by a few letters, never in the way of the keys."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.tui.app import PygentApp
from pygent.tui.completion import NOTHING, Found, find, mention
from pygent.tui.file_finder import Answer, FileFinder, Search
from pygent.tui.file_index import FileIndex
from pygent.tui.widgets.completions import Completions
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import running, shown, type_text, until


def best(paths: list[str], typed: str, *recent: str) -> list[str]:
    return FileIndex(paths).search(typed, 8, recent)


def test_the_beginning_of_a_name_comes_before_its_middle_before_the_path_before_letters() -> None:
    paths = ["app_notes/readme.txt", "src/snapper.py", "src/app.py", "src/my_app.py", "a/p/p.txt", "other.txt"]
    assert best(paths, "app")[:5] == [
        "src/app.py",
        "app_notes/",
        "src/my_app.py",
        "src/snapper.py",
        "app_notes/readme.txt",
    ]
    assert best(paths, "oth") == ["other.txt"]
    assert best(paths, "rdme") == ["app_notes/readme.txt"]
    assert best(paths, "zzz") == []


def test_the_beginnings_of_words_find_a_name() -> None:
    paths = ["tui/file_preview_screen.py", "of/fapsody.py", "x.py"]
    assert best(paths, "fps")[0] == "tui/file_preview_screen.py"


def test_of_equals_the_shorter_comes_first_and_what_was_used_lately_before_it() -> None:
    paths = ["deep/er/main.py", "main.py", "src/main.py"]
    assert best(paths, "main") == ["main.py", "src/main.py", "deep/er/main.py"]
    assert best(paths, "main", "deep/er/main.py")[0] == "deep/er/main.py"
    assert best(paths, "m", "deep/er/main.py")[0] == "deep/er/main.py"
    assert best(paths, "", "src/main.py") == ["src/main.py", "deep/", "src/", "main.py"]


def test_folders_are_there_and_lead_deeper() -> None:
    paths = ["src/tui/app.py", "src/core.py", "docs/src.md"]
    assert best(paths, "src")[:2] == ["src/", "docs/src.md"]
    assert set(best(paths, "src/")) == {"src/", "src/tui/", "src/core.py", "src/tui/app.py"}
    assert best(paths, "src/t")[0] == "src/tui/"


def test_a_longer_text_looks_only_at_what_the_shorter_one_found() -> None:
    index = FileIndex(f"some/file{number}_{'x' * (number % 7)}.py" for number in range(5_000))
    assert not index.quick("fil")
    index.search("file12", 8)
    assert index.quick("file123")
    assert index.search("file123", 1) == ["some/file123_xxxx.py"]
    assert index.search("FILE123_", 1) == ["some/file123_xxxx.py"]


def test_names_that_would_not_survive_in_a_prompt_are_left_out() -> None:
    assert best(["a\nb.txt", "a\x1b[31m.txt", "a\udcff.txt", "a\u202eb.txt", "a.txt"], "a") == ["a.txt"]


@pytest.mark.parametrize("typed", ["aaaaaaaaab", "a_a_a_a_a_ab", "/a/a/a/a/ab", "[^]-\\*+", "aaaaa("])
def test_no_name_makes_a_search_slow(typed: str) -> None:
    names = [f"dir_{typed}/{'a' * 240}", f"dir_{typed}/{'a_' * 120}", f"{typed}/{'a/' * 120}{'a ' * 120}"]
    began = time.perf_counter()
    assert best(names, typed)
    assert time.perf_counter() - began < 2


def test_a_search_that_nobody_waits_for_stops() -> None:
    index = FileIndex(f"a{number}" for number in range(20_000))
    assert index.search("a1", 8, stop=lambda: True) == []


@pytest.mark.parametrize(
    ("before", "typed", "length"),
    [
        ("see @src/ma", "src/ma", 7),
        ("@", "", 1),
        ('see @"my fi', "my fi", 7),
        ("a@b", None, 0),
        ("see @src done", None, 0),
        ('see @"my file.txt" ', None, 0),
    ],
)
def test_what_is_typed_of_a_path(before: str, typed: str | None, length: int) -> None:
    asked: list[tuple[str, int]] = []

    def files(text: str, count: int) -> Found:
        asked.append((text, count))
        return NOTHING

    find(before, (), lambda _: (), files)
    assert asked == ([] if typed is None else [(typed, length)])


def test_a_path_with_blanks_stands_in_quotes() -> None:
    assert mention("src/app.py") == "@src/app.py "
    assert mention("src/") == "@src/"
    assert mention("my docs/a b.md") == '@"my docs/a b.md" '
    assert mention("my docs/") == '@"my docs/'


# In the prompt.


async def test_a_folder_is_completed_deeper_and_a_file_ends_it(tmp_path: Path) -> None:
    (tmp_path / "my docs").mkdir()
    (tmp_path / "my docs" / "read me.md").write_text("x")
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "see @my")
        await until(lambda: app.main.prompt.completing)
        await pilot.press("tab")
        await pilot.pause()
        assert app.main.prompt.text == 'see @"my docs/'
        await until(lambda: app.main.prompt.completing)
        await type_text(pilot, "rm")
        await until(lambda: "read me.md" in shown(app))
        await pilot.press("tab")
        await pilot.pause()
        assert app.main.prompt.text == 'see @"my docs/read me.md" '
        assert not app.main.prompt.completing


async def test_a_path_that_is_typed_as_it_is_is_sent_with_enter(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")
    (tmp_path / "aa.py").write_text("x")
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "see @a.py")
        await until(lambda: app.main.prompt.completing)
        await pilot.press("enter")
        await until(lambda: session.prompts == ["see @a.py"])


class SlowSession(FakeSession):
    """Lists its files when it is told to."""

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self.gate = threading.Event()

    def list_files(self) -> Iterator[str]:
        self.gate.wait(10)
        yield from super().list_files()


async def test_while_files_are_listed_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text("x")
    session = SlowSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "@")
        await pilot.pause()
        assert "listing the files" in shown(app)
        assert not app.main.prompt.completing
        session.gate.set()
        await until(lambda: "@late.py" in shown(app))
        await type_text(pilot, "qq")
        await pilot.pause()
        assert "no file has these letters" in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert not app.query_one(Completions).display
        assert session.called("interrupt") == []


async def test_a_file_that_is_made_meanwhile_is_found(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("x")
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "@")
        await until(lambda: "@old.py" in shown(app))
        (tmp_path / "brand_new.py").write_text("x")
        session.files("brand_new.py")
        await pilot.pause(0.2)
        await type_text(pilot, "brand")
        await until(lambda: "@brand_new.py" in shown(app))


async def test_what_git_ignores_is_not_offered(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)  # noqa: ASYNC221 - the test waits for it
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "a.log").write_text("x")
    (tmp_path / "a.txt").write_text("x")
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "@a")
        await until(lambda: "@a.txt" in shown(app))
        assert "@a.log" not in shown(app)


async def test_many_files_keep_no_key_waiting(tmp_path: Path) -> None:
    class ManySession(FakeSession):
        def list_files(self) -> Iterator[str]:
            for number in range(100_000):
                yield f"folder{number % 100}/sub{number % 977}/module_{number}_part.py"

    session = ManySession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "@")
        await until(lambda: app.main.prompt.completing)
        longest = 0.0
        for char in "mod77part":
            app.main.prompt.insert(char)
            began = time.perf_counter()
            app.main.desk.completion.edited()
            longest = max(longest, time.perf_counter() - began)
            await asyncio.sleep(0.01)
        assert longest < 0.05  # a few milliseconds, on a machine with other work
        await until(lambda: "module_77_part.py" in shown(app))


async def test_an_old_answer_never_replaces_a_newer_one(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        finder = FileFinder(session)  # type: ignore[arg-type]
        finder._index = FileIndex(f"dir/file_{number}_{'ab' * (number % 9)}.py" for number in range(30_000))
        finder._stale, finder._listed_at = False, time.monotonic()
        answers: list[Answer] = []
        search = Search(app.main, 8, answers.append)
        for typed in ("f", "fi", "fil", "fileb", "fileba9"):
            assert search.ask(finder, typed) is None
            await asyncio.sleep(0)
        await until(lambda: answers and answers[-1].typed == "fileba9")
        asked = [answer.typed for answer in answers]
        assert asked == sorted(asked, key=len)
        assert len(asked) < 5


async def test_the_list_takes_no_width_from_the_panes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")
    async with running(FakeSession(tmp_path)) as (app, pilot):
        before = app.main.query_one("#body").size.width
        await type_text(pilot, "@")
        await until(lambda: app.main.prompt.completing)
        assert app.main.query_one("#body").size.width == before


async def test_what_is_asked_before_the_session_is_open_is_answered_when_it_is(tmp_path: Path) -> None:
    (tmp_path / "early.py").write_text("x")
    gate = threading.Event()
    app = PygentApp(FakeSession(tmp_path, open_gate=gate))  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        await type_text(pilot, "@ear")
        await until(lambda: "listing the files" in shown(app))
        gate.set()
        await until(lambda: "@early.py" in shown(app))
