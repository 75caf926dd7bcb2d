"""Every screen of the application in a known state, at a known time, for pictures of it.

``python -m tests.tui.scenes FOLDER [NAME…]`` draws them as SVG files, to be looked at.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import time_machine
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from pygent.changes import Applied, Conflict
from pygent.errors import APITemporaryError
from pygent.session_model import OfferedBy
from pygent.settings.provider import ModelEntry, Provider
from pygent.store import StoredSession
from pygent.tui.app import PygentApp
from pygent.tui.draft import Draft, Picture
from pygent.tui.panes.workspace import WorkspacePane
from pygent.tui.screens.review import ReviewScreen
from pygent.tui.widgets.status import FRAMES
from tests.tui.change_sets import offer, whole
from tests.tui.fake_session import FakeSession, FakeSettings

SIZES = ((120, 40), (80, 24))
HOME = Path("/home/ada/roman")
"""Where the workspace seems to be."""
THEMES = ("pygent-dark", "pygent-light")
BEGIN = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

FILES = {
    "README.md": "# Roman numerals\n\nA small library.\n",
    "roman/__init__.py": '"""Roman numerals."""\n\nfrom roman.core import to_roman\n',
    "roman/core.py": (
        "VALUES = ((10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I'))\n\n\n"
        'def to_roman(number: int) -> str:\n    """The numeral of a number from 1 to 39."""\n'
        "    out = ''\n    for value, letters in VALUES:\n        while number >= value:\n"
        "            out += letters\n            number -= value\n    return out\n"
    ),
    "tests/test_core.py": "from roman import to_roman\n\n\ndef test_nine():\n    assert to_roman(9) == 'IX'\n",
    "pyproject.toml": '[project]\nname = "roman"\nversion = "0.1.0"\n',
}
"""The workspace of the scenes."""

ANSWER = """\
The loop subtracts **once** where it has to subtract *as often as it can*:

```python
for value, letters in VALUES:
    while number >= value:  # was: if
        out += letters
```

| number | before | after |
|-------:|--------|-------|
| 3      | I      | III   |
| 30     | X      | XXX   |

1. `roman/core.py` is mended.
2. The tests of `tests/test_core.py` pass.
"""

DIFF = """\
Edited roman/core.py
--- a/roman/core.py
+++ b/roman/core.py
@@ -5,7 +5,7 @@
     \"\"\"The numeral of a number from 1 to 39.\"\"\"
     out = ''
     for value, letters in VALUES:
-        if number >= value:
+        while number >= value:
             out += letters
             number -= value
     return out
"""

PYTEST = """\
$ pytest -q
F.                                                    [100%]
=================== FAILURES ===================
    def test_three():
>       assert to_roman(3) == 'III'
E       AssertionError: assert 'I' == 'III'
1 failed, 1 passed in 0.03s
[exit status: 1]"""


@dataclass
class Stage:
    """What a scene acts on."""

    app: PygentApp
    pilot: Pilot[int]
    session: FakeSession
    clock: time_machine.Traveller

    async def later(self, seconds: float) -> None:
        """Let what was told be drawn, then let time go by."""
        await self.settle()
        self.clock.shift(seconds)

    async def settle(self) -> None:
        """Wait until what was told stands on the screen."""
        for _ in range(250):
            if self.app.main.transcript.seq == self.session.bus._next_seq - 1:
                break
            await self.pilot.pause(0.02)
        await self.pilot.pause()


Scene: TypeAlias = Callable[[Stage], Awaitable[None]]

SCENES: dict[str, Scene] = {}


def scene(play: Scene) -> Scene:
    SCENES[play.__name__.strip("_").replace("_", "-")] = play
    return play


@asynccontextmanager
async def staged(size: tuple[int, int], folder: Path) -> AsyncIterator[Stage]:
    """The application on a scripted session, in a workspace of its own below ``folder``, while time stands still."""
    workspace = folder / "roman"
    for name, text in FILES.items():
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    session = FakeSession(workspace, settings=FakeSettings(workspace=HOME))
    session._status = replace(session._status, workspace=HOME)
    with time_machine.travel(BEGIN, tick=False) as clock:
        app = PygentApp(session)
        async with app.run_test(size=size) as pilot:
            for _ in range(250):
                if session.opened and app.main.conversation.view.blocks and len(app.main.panes.beside) == 3:
                    break
                await pilot.pause(0.02)
            stage = Stage(app, pilot, session, clock)
            await stage.settle()
            yield stage


async def pictures(name: str, size: tuple[int, int], folder: Path) -> dict[str, str]:
    """The scene in each of `THEMES` as an SVG text in which nothing differs from one run to the next."""
    drawn: dict[str, str] = {}
    async with staged(size, folder) as stage:
        await SCENES[name](stage)
        await stage.settle()
        for theme in THEMES:
            stage.app.theme = theme
            for screen in stage.app.screen_stack:  # those below are seen, too
                for field in (*screen.query(Input), *screen.query(TextArea)):
                    field.cursor_blink = False
                    field._cursor_visible = True  # wherever between two blinks it was
            await stage.pilot.pause()
            stage.app.stylesheet.update(stage.app.screen, animate=False)  # which Textual leaves out for its palette
            await stage.pilot.pause(0.02)
            await stage.pilot.pause()
            drawn[theme] = _steady(stage.app.export_screenshot(title=name))
    return drawn


def _steady(drawn: str) -> str:
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"terminal-\d+", "terminal", drawn)
    return re.sub(f"[{FRAMES}]", FRAMES[0], drawn)


# The scenes.


@scene
async def welcome(stage: Stage) -> None:
    """What a new session shows."""


async def _work(stage: Stage) -> None:
    """A run that looks, fails, mends and tells."""
    session = stage.session
    session.run("The tests fail for 3: `to_roman` gives I. Please mend it.")
    session.say("I look at the function first.", reasoning="A while that became an if, perhaps.")
    session.tool("read_file", {"path": "roman/core.py"}, FILES["roman/core.py"], seconds=0.01)
    await stage.later(1.2)
    session.tool("bash", {"cmd": "pytest -q"}, PYTEST, status="error", seconds=0.8)
    await stage.later(0.8)
    session.tool(
        "edit_file", {"path": "roman/core.py", "old": "if number", "new": "while number"}, DIFF, seconds=0.02
    )
    session.files("roman/core.py")
    await stage.later(0.4)
    session.tool("bash", {"cmd": "pytest -q"}, "$ pytest -q\n..          [100%]\n2 passed in 0.02s", seconds=0.6)


@scene
async def conversation(stage: Stage) -> None:
    """A whole run, with an answer in Markdown."""
    await _work(stage)
    stage.session.say(ANSWER)
    stage.session.step_done(2)
    await stage.later(2.0)
    stage.session.finish("stopped", files_changed=["roman/core.py"])


@scene
async def working(stage: Stage) -> None:
    """In the middle of a run: a command goes on, a task was delegated, a prompt waits."""
    await _work(stage)
    session = stage.session
    session.task("3f2a91c0", "tester", "Write tests for the numbers from 1 to 39")
    session.step(1, agent="3f2a91c0")
    session.tool("write_file", {"path": "tests/test_all.py"}, "Wrote tests/test_all.py", agent="3f2a91c0")
    session.task("77aa01bd", "documenter", "Describe the function in the README")
    session.task_done("77aa01bd", "finished", "README.md has an example now.", "README.md")
    call = session.tool_start("bash", {"cmd": "python -m roman --all"})
    session.tool_output(call, "1 I\n2 II\n3 III\n")
    await stage.later(4)


TODOS = (
    ("Read roman/core.py and its tests", "done"),
    ("Write a test that fails for 3", "done"),
    ("Mend the loop in `to_roman`", "active"),
    ("Refuse numbers below 1 and above 39 with a ValueError that names the number", "pending"),
    ("Run all tests", "pending"),
    ("Tell of it in the README", "pending"),
    ("Raise the version", "pending"),
    ("Write the changelog", "pending"),
)


@scene
async def todos(stage: Stage) -> None:
    """The list of to-dos above the prompt, while the agent works on it."""
    stage.session.run("The tests fail for 3, and 0 gives nothing. Mend both.")
    stage.session.say("I look at the function first.")
    stage.session.todos(*((text, "pending") for text, _ in TODOS))
    await stage.later(20)
    stage.session.tool("read_file", {"path": "roman/core.py"}, FILES["roman/core.py"], seconds=0.01)
    stage.session.tool("bash", {"cmd": "pytest -q"}, PYTEST, status="error", seconds=0.8)
    stage.session.todos(*TODOS)
    await stage.later(4)


@scene
async def todos_toggled(stage: Stage) -> None:
    """The other way round than the height of the screen has it; the call in the conversation is unfolded."""
    await todos(stage)
    await stage.settle()
    await stage.pilot.press("alt+t", "f2", "K", "enter")
    await stage.pilot.pause(0.2)


@scene
async def todos_with_approval(stage: Stage) -> None:
    """A question leaves one line of them."""
    await todos(stage)
    stage.session.ask("bash", {"cmd": "git commit -am 'Subtract as often as it goes'"}, rule="bash(git commit *)")
    await stage.settle()


PLAN = """\
# Numerals up to 39, and nothing else

`to_roman` subtracts each value **once**; it has to go on as long as it can.

1. `roman/core.py`: `if number >= value` becomes `while number >= value`.
2. `roman/core.py`: raise `ValueError` for numbers below 1 and above 39, naming the number.
3. `tests/test_core.py`: tests for 3, 30, 39, and for 0 and 40.
4. Run `pytest -q`.

```python
if not 1 <= number <= 39:
    raise ValueError(f"{number} has no numeral here")
```
"""


async def _planned(stage: Stage, source: str = "tool") -> None:
    session = stage.session
    session.set_permission_mode("plan")
    session.run("The tests fail for 3, and 0 gives nothing. How would you mend that?")
    session.tool("read_file", {"path": "roman/core.py"}, FILES["roman/core.py"], seconds=0.01)
    await stage.later(4)
    session.present_plan(PLAN, source=source)
    await stage.settle()
    for _ in range(250):
        focused = stage.app.focused
        if source == "text" or (focused is not None and focused.id == "plan-choices"):
            break
        await stage.pilot.pause(0.02)
    await stage.pilot.pause(0.4)


@scene
async def plan(stage: Stage) -> None:
    """A plan, and what can become of it."""
    await _planned(stage)


@scene
async def plan_written(stage: Stage) -> None:
    """An answer in plan mode, which can be taken for a plan."""
    await _planned(stage, "text")


@scene
async def plan_changed(stage: Stage) -> None:
    """The plan in a field where it can be changed."""
    await _planned(stage)
    await stage.pilot.pause(0.7)
    await stage.pilot.press("3")
    await stage.pilot.pause(0.6)


@scene
async def plan_different(stage: Stage) -> None:
    """Words for the agent about another plan."""
    await _planned(stage)
    await stage.pilot.pause(0.7)
    await stage.pilot.press("4", *"Up to 3999, please.")
    await stage.pilot.pause(0.4)


@scene
async def plan_approved(stage: Stage) -> None:
    """The plan is carried out; an earlier one is to be changed."""
    await _planned(stage)
    session = stage.session
    session.change_plan(session.plan.plan_id, "Up to 3999, please.")
    await _planned(stage)
    session.approve_plan(session.plan.plan_id, "auto", PLAN.replace("39", "3999"))
    session.user("The plan is approved with changes. Carry out this one now:")
    session.todos(*TODOS[:4])
    await stage.later(3)
    stage.app.main.conversation.view.follow()
    await stage.pilot.pause(0.4)


@scene
async def approval(stage: Stage) -> None:
    """A question that waits."""
    await _work(stage)
    stage.session.ask("bash", {"cmd": "git commit -am 'Subtract as often as it goes'"}, rule="bash(git commit *)")
    await stage.settle()


@scene
async def approval_of_a_change(stage: Stage) -> None:
    """A question about a file, with what would change in it."""
    content = FILES["roman/core.py"].replace("        while number", "        if number")
    stage.session.run("Break it again.")
    stage.session.ask("write_file", {"path": "roman/core.py", "content": content}, rule=None)
    await stage.settle()


@scene
async def tool_calls(stage: Stage) -> None:
    """The log with the keys."""
    await _work(stage)
    await stage.settle()
    await stage.pilot.press("f3", "up")


@scene
async def tool_call(stage: Stage) -> None:
    """One call whole."""
    await _work(stage)
    await stage.settle()
    await stage.pilot.press("f3", "home", "down", "enter")
    await stage.pilot.pause(0.2)


@scene
async def tasks(stage: Stage) -> None:
    """The tasks with the keys."""
    await working(stage)
    await stage.pilot.press("f4", "home")


@scene
async def task(stage: Stage) -> None:
    """A task's own conversation."""
    await working(stage)
    await stage.settle()
    await stage.pilot.press("f4", "home", "enter")
    await stage.pilot.pause(0.3)


async def _delegated(stage: Stage) -> None:
    """Tasks in every state, what became of their changes, and a conversation that tells of them."""
    session = stage.session
    session.run("Delegate it: tests, the page, a review, and mend what they find.")
    session.say("I give this to several tasks, and go on when they end.")
    session.task("3f2a91c0", "tester", "Write tests for the numbers from 1 to 39")
    session.task("77aa01bd", "documenter", "Describe the function in the README")
    session.task("c0ffee12", "reviewer", "Read roman/core.py and say what is wrong")
    session.task("0badf00d", "fixer", "Mend what the reviewer found")
    session.task("deadbeef", "fixer", "Make it quick")
    session.task("5ca1ab1e", "explorer", "Look for other libraries")
    for task_id, tokens, price in (("3f2a91c0", 12_300, 0.031), ("77aa01bd", 4_100, 0.012), ("c0ffee12", 900, 0.004)):
        session.step(1, agent=task_id)
        session.step_done(1, prompt=tokens, completion=300, cost=price, agent=task_id)
    await stage.later(40)
    session.task("1057aaaa", "tester", "Write tests for the command line", state="lost")
    session.task_done("1057aaaa", "lost", "", "tests/test_cli.py")
    session.task_done(
        "77aa01bd",
        "finished",
        "README.md has an example now, and a table of the letters.",
        "README.md",
        "docs/letters.md",
        cost=0.012,
    )
    session.task_reviewed("77aa01bd", "applied", "README.md", "docs/letters.md")
    await stage.later(5)
    session.task_done("0badf00d", "finished", "`to_roman` subtracts as often as it can.", "roman/core.py", cost=0.02)
    session.task_done("deadbeef", "timeout after 60s", "I tried a table; it is not whole.", "roman/core.py", "t.py")
    session.task_reviewed("deadbeef", "discarded", "roman/core.py", "t.py")
    session.task_done("5ca1ab1e", "error: the model's server answers 503", "")
    session.task("900dcafe", "tester", "Write tests for the command line", retry_of="1057aaaa")
    session.task("0ddba115", "documenter", "Write the changelog", state="queued")
    session.step(3, agent="3f2a91c0")
    session.tool("write_file", {"path": "tests/test_all.py"}, "Wrote tests/test_all.py", agent="3f2a91c0")
    session.tool_start("bash", {"cmd": "pytest -q tests/test_all.py"}, agent="3f2a91c0")
    await stage.later(3)


@scene
async def tasks_all(stage: Stage) -> None:
    """Tasks in every state, the list with all the room."""
    await _delegated(stage)
    await stage.settle()
    await stage.pilot.press("f4", "f7", "home")


@scene
async def tasks_badges(stage: Stage) -> None:
    """The conversation that they were started from."""
    await _delegated(stage)
    await stage.settle()


@scene
async def tasks_filter(stage: Stage) -> None:
    """Only those whose changes wait for a decision."""
    await _delegated(stage)
    await stage.settle()
    await stage.pilot.press("f4", "f7", "home", "a", "a", "a")


@scene
async def task_calls(stage: Stage) -> None:
    """A task's own tool calls."""
    await tasks_all(stage)
    await stage.pilot.press("enter", "2")
    await stage.pilot.pause(0.3)


@scene
async def task_message(stage: Stage) -> None:
    """A message for a task that works."""
    await tasks_all(stage)
    await stage.pilot.press("enter", "m", *"Leave out zero.")
    await stage.pilot.pause(0.3)


@scene
async def task_question(stage: Stage) -> None:
    """What a task asks, while another waits for an approval."""
    await _delegated(stage)
    session = stage.session
    session.question("Shall numbers above 39 raise `ValueError`, or be written with more X?", agent="c0ffee12")
    session.ask("bash", {"cmd": "pytest -q"}, agent="3f2a91c0")
    await stage.later(75)
    await stage.pilot.pause(0.7)
    await stage.pilot.press("1", *"Raise it.")
    await stage.pilot.pause(0.2)


@scene
async def workspace(stage: Stage) -> None:
    """The files, one of them looked at."""
    await _work(stage)
    await stage.settle()
    await stage.pilot.press("f5", "home", "right", "down", "down")
    await stage.pilot.pause(0.6)


@scene
async def file(stage: Stage) -> None:
    """A file large."""
    await stage.pilot.press("f5", "home", "right", "down", "down", "enter")
    await stage.pilot.pause(0.6)


@scene
async def file_menu(stage: Stage) -> None:
    """What can be done with a file."""
    await workspace(stage)
    await stage.pilot.press("m")
    await stage.pilot.pause(0.2)


@scene
async def file_filter(stage: Stage) -> None:
    """Files found by their letters."""
    await stage.pilot.press("f5", "slash", *"core")
    await stage.pilot.pause(0.5)


@scene
async def file_difference(stage: Stage) -> None:
    """A file against what it was when the session began."""
    stage.session._files.write_text("roman/core.py", FILES["roman/core.py"].replace("'X'", "'x'").replace("''", '""'))
    stage.session.files("roman/core.py")
    await stage.settle()
    stage.app.main.query_one(WorkspacePane).commands.diff("roman/core.py")
    await stage.pilot.pause(0.5)


@scene
async def file_rename(stage: Stage) -> None:
    """A name that cannot be."""
    await workspace(stage)
    await stage.pilot.press("r", *(2 * ("full_stop", "full_stop", "slash")), "x")
    await stage.pilot.pause(0.3)


@scene
async def help(stage: Stage) -> None:  # noqa: A001 - the scene's name
    """F1."""
    await stage.pilot.press("f1")
    await stage.pilot.pause(0.2)


@scene
async def palette(stage: Stage) -> None:
    """Everything that can be asked for."""
    await stage.pilot.press("ctrl+p")
    await stage.pilot.pause(0.4)


@scene
async def completion(stage: Stage) -> None:
    """Slash commands with what they do."""
    await stage.pilot.press("/")
    await stage.pilot.pause(0.1)


@scene
async def queue(stage: Stage) -> None:
    """Prompts that wait for the end of the run, one that goes in at the next step."""
    await _work(stage)
    session = stage.session
    session.running = True
    for text in ("then write the changelog", "and run the linter over everything, " * 6, "push nothing"):
        session.submit(text)
    session.steer(session.waiting[2].id)
    session.run("mend the numerals")
    await stage.pilot.pause(0.3)
    await stage.pilot.press("alt+q", "up")
    await stage.pilot.pause(0.2)


@scene
async def held(stage: Stage) -> None:
    """Prompts that wait for the person after Esc."""
    await queue(stage)
    await stage.pilot.press("escape", "escape")
    await stage.pilot.pause(0.3)


@scene
async def labels(stage: Stage) -> None:
    """A prompt of several lines with a folded paste and an image in it."""
    await stage.pilot.press("s", "e", "e", "space")
    prompt = stage.app.main.prompt
    prompt.put("\n".join(f"line {number}" for number in range(42)))
    prompt.put("\nand ")
    prompt.add_picture(Picture("/pictures/shot.png"))
    prompt.put(" with\nwhat you did")
    await stage.pilot.pause(0.2)


@scene
async def search(stage: Stage) -> None:
    """The prompt history, searched."""
    for text in ("fix the tests", "explain how the parser finds the end of a here-document", "fix the docs " * 20):
        stage.app.main.prompt.recall.remember(Draft(text))
    await stage.pilot.press("ctrl+r", "t", "h", "e", "down")
    await stage.pilot.pause(0.2)


@scene
async def themes(stage: Stage) -> None:
    """The themes, one of them looked at."""
    await conversation(stage)
    stage.app.main.submit("/theme")
    await stage.pilot.pause(0.3)


@scene
async def models(stage: Stage) -> None:
    """What the servers offer: one has told, one is still asked, one does not answer."""
    session = stage.session
    window = {"context_window": 200_000, "prices": {"input": 3.0, "output": 15.0}}
    session.settings.providers.update({
        "local": Provider(base_url="http://127.0.0.1:8080/v1", context_window=16_384),
        "router": Provider(
            base_url="https://router.example.org/api/v1", models={"vendor/large": ModelEntry(**window)}
        ),
        "office": Provider(base_url="https://models.office.example/v1"),
    })  # fmt: skip
    session.offering = [
        OfferedBy("", "https://api.openai.com/v1", ("gpt-4.1-mini",)),
        OfferedBy("local", "http://127.0.0.1:8080/v1"),
        OfferedBy("router", "https://router.example.org/api/v1", ("router/vendor/large",)),
        OfferedBy("office", "https://models.office.example/v1"),
    ]
    why = "https://models.office.example/v1 cannot be reached: Name or service not known. Check the base URL."
    session.offered = {
        "": ["gpt-4.1", "gpt-4.1-mini", "o4-mini"],
        "local": ["local/qwen2.5-coder-7b-instruct"],
        "router": threading.Event(),
        "office": APITemporaryError(why),
    }
    stage.app.main.submit("/model")
    await stage.pilot.pause(0.3)
    await stage.pilot.press("down")
    await stage.pilot.pause(0.1)


@scene
async def settings(stage: Stage) -> None:
    """All settings, one of them explained."""
    await stage.pilot.press("f8")
    await stage.pilot.pause(0.6)
    await stage.pilot.press("down", "down")
    await stage.pilot.pause(0.2)


@scene
async def setting(stage: Stage) -> None:
    """A setting being changed."""
    await settings(stage)
    await stage.pilot.press(*"max_steps", "enter")
    await stage.pilot.pause(0.3)
    await stage.pilot.press("ctrl+u", *"many", "enter")
    await stage.pilot.pause(0.2)


@scene
async def sessions(stage: Stage) -> None:
    """The stored sessions, one of them looked into."""
    here = str(stage.session.workspace)
    titles = (
        "Mend the roman numerals",
        "Write tests for the parser of dates, and for what comes with it",
        "[/x] why?",
    )
    now = BEGIN.timestamp()
    for number, title in enumerate(titles):
        at = now - 4_000 - 90_000 * number
        one = StoredSession(f"{number}a9f3b2c4d5e6f7", title, here, "gpt-4.1-mini", at, at, 12)
        stage.session.archive.append(one)
        stage.session.said[one.id] = "Please look at roman/core.py and mend what is wrong with it."
    stage.app.main.submit("/resume")
    await stage.pilot.pause(0.6)
    await stage.pilot.press("down")
    await stage.pilot.pause(0.5)


TESTS = FILES["tests/test_core.py"] + "\n\ndef test_all():\n    assert to_roman(39) == 'XXXIX'\n"


async def _review(stage: Stage) -> None:
    """A task of many kinds of changes, and its review."""
    session = stage.session
    session.task("77aa01bd", "documenter", "Describe the function in the README")
    session.task("3f2a91c0", "tester", "Write tests for the numbers from 1 to 39")
    core = FILES["roman/core.py"]
    mended = core.replace("(1, 'I'))", "(1, 'I'))  # the largest first").replace("if number", "while number")
    mended = mended.replace("'X'), (9", "'X'),\n          (9").replace("out += letters", "out = out + letters")
    offer(
        session,
        "3f2a91c0",
        whole("README.md", FILES["README.md"], FILES["README.md"].replace("small", "small, tested")),
        whole("roman/core.py", core, mended),
        whole("tests/test_all.py", None, TESTS),
        whole("tests/test_core.py", FILES["tests/test_core.py"], None),
        whole("tools/check.sh", "#!/bin/sh\npytest\n", "#!/bin/sh\npytest -q\n", new_mode=0o755),
        whole("tools/numbers.py", "N = 39\n", "N = 39\nM = 1\n", kind="renamed", old_path="roman/numbers.py"),
        whole("docs/table.png", b"\0" * 4000, b"\0" * 5200, binary=True, hunks=()),
        whole("docs/latest", None, None, kind="added", link="../../elsewhere", leads_out=True),
        whole("docs/odd\nname \x1b[31m.md", "a\n", "b\n"),
    )
    session.both["3f2a91c0", "docs/latest"] = (None, b"../../elsewhere")
    session.overlaps["3f2a91c0"] = {"README.md": ("77aa01bd",)}
    session.task_done("3f2a91c0", "finished", "The numbers from 1 to 39 are tested.", "tests/test_all.py")
    await stage.settle()
    stage.app.push_screen(ReviewScreen("3f2a91c0", session, stage.app.main.transcript))
    await stage.pilot.pause(0.4)


@scene
async def review(stage: Stage) -> None:
    """The changes of a task, some of them chosen."""
    await _review(stage)
    await stage.pilot.press("end", *(3 * ("up",)), "space", *(2 * ("up",)), "space")
    await stage.pilot.pause(0.2)
    await stage.pilot.press("n", "tab", "space")
    await stage.pilot.pause(0.2)


@scene
async def review_conflict(stage: Stage) -> None:
    """A file that cannot be merged, and what can be done about it."""
    reason = "lines 1-4 were changed here, too, in another way"
    conflicts = (
        Conflict("roman/core.py", reason),
        Conflict("docs/table.png", "it is binary and was changed here, too"),
    )
    stage.session.previews["3f2a91c0"] = Applied(("README.md",), ("README.md",), conflicts)
    await _review(stage)
    await stage.pilot.press("exclamation_mark", "t", "exclamation_mark")
    await stage.pilot.pause(0.2)
    await stage.pilot.press("a")
    await stage.pilot.pause(0.3)


@scene
async def review_lines(stage: Stage) -> None:
    """The lines alone, once some changes were taken over."""
    await _review(stage)
    await stage.pilot.press("space", "down", "space", "enter")
    await stage.pilot.pause(0.4)
    await stage.pilot.press("home", "down", "down", "v", "n")
    await stage.pilot.pause(0.3)


async def _draw(folder: Path, names: list[str]) -> None:
    for name in names or SCENES:
        for width, height in SIZES:
            with tempfile.TemporaryDirectory() as place:
                for theme, drawn in (await pictures(name, (width, height), Path(place))).items():
                    (folder / f"{name}-{width}x{height}-{theme.rpartition('-')[2]}.svg").write_text(drawn)


if __name__ == "__main__":
    asyncio.run(_draw(Path(sys.argv[1]), sys.argv[2:]))
