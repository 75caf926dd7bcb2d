"""Delegation from end to end, with a model server over HTTP: three tasks that change the same files are delegated,
reviewed in the application by key, taken over in part, taken back, one conflict decided and one task given up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from pygent.persona import Persona
from pygent.session import Session
from pygent.settings import Settings
from pygent.tui.app import PygentApp
from pygent.tui.panes.tasks import TasksPane
from pygent.tui.screens.review import ReviewScreen
from tests.fakes.openai_server import FakeOpenAI, Step, reply
from tests.tui.pane_app import until

APP = "".join(f"value_{number} = {number}\n" for number in range(1, 31))
NOTES = "# Notes\n\nNothing yet.\n"
BEFORE = {"app.py": APP, "docs/notes.md": NOTES, "old.txt": "to be removed\n"}

FIRST = APP.replace("value_2 = 2\n", "value_2 = 'two'\n").replace("value_25 = 25\n", "value_25 = 'many'\n")
SECOND = APP.replace("value_2 = 2\n", "value_2 = 2.0\n").replace("value_28 = 28\n", "value_28 = 28.0\n")
THIRD = APP.replace("value_2 = 2\n", "value_2 = None\n")

WORK: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "developer": [
        ("write_file", {"path": "app.py", "content": FIRST}),
        ("write_file", {"path": "util.py", "content": "def help():\n    return 1\n"}),
        ("bash", {"cmd": "rm old.txt"}),
    ],
    "tester": [
        ("write_file", {"path": "app.py", "content": SECOND}),
        ("write_file", {"path": "tests/test_app.py", "content": "def test():\n    assert True\n"}),
    ],
    "reviewer": [
        ("write_file", {"path": "app.py", "content": THIRD}),
        ("write_file", {"path": "docs/notes.md", "content": "# Everything is other now\n"}),
    ],
}
"""What each persona is made to do."""


def model(request: dict[str, Any]) -> Step:
    """The parent delegates and waits; each child works and says that it did."""
    messages = request["messages"]
    said = " ".join(str(message.get("content")) for message in messages if message["role"] == "user")
    answered = sum(message["role"] == "tool" for message in messages)
    for persona, calls in WORK.items():
        if f"as {persona}" in said:
            return reply("Done.") if answered else reply("I begin.", tool_calls=calls)
    if answered == 0:
        return reply(
            "I share the work out.",
            tool_calls=[
                ("delegate_persona_task", {"persona": name, "prompt": f"work on app.py as {name}"}) for name in WORK
            ],
        )
    if answered == len(WORK):
        return reply(tool_calls=[("wait_for_tasks", {})])
    return reply("All three are done; their changes wait for your review.")


def tree(folder: Path) -> dict[str, str]:
    """All files with their contents."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def shown(app: PygentApp) -> str:
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def review_of(app: PygentApp, pilot: Pilot[int], persona: str) -> ReviewScreen:
    """Open a task's review as a person does: from the list of tasks, with ``d``."""
    await pilot.press("f4", "home")
    names = [task.persona for task in app.main.query_one(TasksPane).rows.tasks]
    await pilot.press(*("down" for _ in range(names.index(persona))), "d")
    await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
    screen = app.screen
    assert isinstance(screen, ReviewScreen)
    await done(pilot, screen)
    return screen


async def done(pilot: Pilot[int], screen: ReviewScreen) -> None:
    """Wait for the end of what keys began."""
    await pilot.pause(0.05)
    await until(pilot, lambda: screen.state.loaded and not screen.state.busy and not screen.state._acting)
    await pilot.pause(0.1)


async def close(pilot: Pilot[int], screen: ReviewScreen) -> None:
    await pilot.press("escape")
    await until(pilot, lambda: not screen.is_attached)


def written(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def settings(work: Path, url: str) -> Settings:
    return Settings(
        workspace=work,
        use_docker=False,
        personas=tuple(Persona(name, f"the {name}") for name in WORK),
        base_url=url,
        api_key="none",
        permission_mode="yolo",
        max_tasks=3,
    )


async def asked(app: PygentApp, pilot: Pilot[int], until_said: str) -> None:
    """Ask for the work, and wait for the answer."""
    await until(pilot, lambda: app.main.prompt.has_focus and len(app.main.panes.beside) == 3)
    await pilot.press(*"share it", "enter")
    await until(pilot, lambda: until_said in shown(app), 30)


async def test_three_tasks_are_reviewed_and_what_was_accepted_is_on_disk(tmp_path: Path) -> None:
    work = written(tmp_path / "work", BEFORE)
    with FakeOpenAI(model) as server:
        app = PygentApp(Session(settings(work, server.url)))
        async with app.run_test(size=(120, 40)) as pilot:
            await asked(app, pilot, "their changes wait")
            tasks = app.main.transcript.tasks
            assert sorted(task.persona for task in tasks.values()) == sorted(WORK)
            assert {task.state for task in tasks.values()} == {"finished"}
            assert tree(work) == BEFORE  # nothing reaches the workspace before somebody accepts it

            # In part: one hunk of a file that the others changed as well, and a new file; not the other hunk, and
            # not that a file was removed.
            screen = await review_of(app, pilot, "developer")
            text = shown(app)
            for part in ("[ ] M app.py", "[ ] D old.txt", "[ ] A util.py", "◆ 2 tasks"):
                assert part in text, part
            assert "Also changed by" in text
            await pilot.press("tab", "space", "shift+tab", "end", "space", "enter")
            await done(pilot, screen)
            first = {**BEFORE, "app.py": APP.replace("value_2 = 2\n", "value_2 = 'two'\n")}
            first["util.py"] = "def help():\n    return 1\n"
            assert "Wrote 2 files (app.py, util.py)." in shown(app)
            assert tree(work) == first
            assert [change.path for change in screen.rows.files] == ["app.py", "old.txt"]
            await pilot.press("home")
            await until(pilot, lambda: "+ value_25 = 'many'" in shown(app))  # what is left stays to be decided
            assert screen.lines.hunk_count == 1
            await close(pilot, screen)

            # A conflict: written with markers, taken back, then decided for the task.
            screen = await review_of(app, pilot, "tester")
            assert "✗ conflict" in shown(app)
            await pilot.press("a")
            await done(pilot, screen)
            assert tree(work) == first  # it is asked before anything is written
            await pilot.press("w", "a")
            await done(pilot, screen)
            marked = tree(work)
            assert "<<<<<<<" in marked["app.py"]
            assert "value_2 = 'two'" in marked["app.py"]
            assert "value_2 = 2.0" in marked["app.py"]
            await pilot.press("u")
            await done(pilot, screen)
            assert "Taken back: tests/test_app.py, app.py." in shown(app)
            assert tree(work) == first
            await pilot.press("home", "t", "asterisk", "enter")
            await done(pilot, screen)
            second = {**first, "app.py": SECOND, "tests/test_app.py": "def test():\n    assert True\n"}
            assert tree(work) == second
            assert "Nothing is left to decide." in shown(app)
            await close(pilot, screen)

            # One is given up.
            screen = await review_of(app, pilot, "reviewer")
            await pilot.press("x", "y")
            await until(pilot, lambda: "given up" in shown(app))
            await done(pilot, screen)
            assert "Nothing is left to decide." in shown(app)
            await close(pilot, screen)
            assert tree(work) == second

            reviews = {task.persona: task.review for task in tasks.values()}
            assert reviews == {"developer": "partly applied", "tester": "applied", "reviewer": "discarded"}
        assert tree(work) == second
        sent = [json.dumps(request) for request in server.requests]
        assert sum('"wait_for_tasks"' in one for one in sent) > 0


ODD = """
set -e
printf 'b\\0c' > logo.bin
mv docs/notes.md docs/read\\ me.md
printf 'a\\n' > $'new\\nline \\033[31m.txt'
ln -s util.py inside
ln -s /etc/hostname outside
chmod 755 app.py
rm old.txt
"""


async def test_changes_of_all_kinds_are_shown_and_taken_over(tmp_path: Path) -> None:
    def one(request: dict[str, Any]) -> Step:
        said = str([message.get("content") for message in request["messages"] if message["role"] == "user"])
        answered = sum(message["role"] == "tool" for message in request["messages"])
        if "as tester" in said:
            return reply("Done.") if answered else reply(tool_calls=[("bash", {"cmd": ODD})])
        if answered == 0:
            return reply(tool_calls=[("delegate_persona_task", {"persona": "tester", "prompt": "work as tester"})])
        return reply("It is done.") if answered == 2 else reply(tool_calls=[("wait_for_tasks", {})])

    work = written(tmp_path / "work", {**BEFORE, "logo.bin": "a\0b"})
    with FakeOpenAI(one) as server:
        app = PygentApp(Session(settings(work, server.url)))
        async with app.run_test(size=(120, 40)) as pilot:
            await asked(app, pilot, "It is done.")
            screen = await review_of(app, pilot, "tester")
            text = shown(app)
            for part in (
                "M app.py",
                "+x",
                "R docs/read me.md ← docs/notes.md",
                "A inside → util.py",
                "M logo.bin",
                "binary",
                "new\\nline \\x1b[31m.txt",
                "D old.txt",
                "A outside → /etc/hostname",
            ):
                assert part in text, part
            await pilot.press("a")
            await done(pilot, screen)
            assert [change.path for change in screen.rows.files] == [
                "outside"
            ]  # it leads out, so it is chosen by itself
            assert "It leads out of the workspace" in shown(app)
            assert not (work / "outside").is_symlink()
            assert (work / "app.py").stat().st_mode & 0o777 == 0o755
            assert (work / "inside").readlink() == Path("util.py")
            assert (work / "logo.bin").read_bytes() == b"b\0c"
            assert (work / "docs/read me.md").read_text() == NOTES
            assert (work / "new\nline \x1b[31m.txt").read_text() == "a\n"
            assert not (work / "docs/notes.md").exists()
            assert not (work / "old.txt").exists()
            await pilot.press("space", "enter")
            await done(pilot, screen)
            assert (work / "outside").readlink() == Path("/etc/hostname")
            assert "Nothing is left to decide." in shown(app)
            await pilot.press("u")
            await done(pilot, screen)
            assert not (work / "outside").is_symlink()
