"""A session saved as a folder and begun from it; prompts and answers in a file of the person's own; never a key."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.errors import PygentError, SettingsError
from pygent.events import Event, Notice, SessionForked
from pygent.session import Session
from pygent.settings import load
from pygent.store import Store
from tests.fakes.invariants import check_events, check_history
from tests.fakes.models import ScriptedModel, call

KEY = "sk-the-key-that-nobody-may-read-123"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [
        name
        for name in os.environ
        if name.startswith(("PYGENT_", "OPENAI_", "XDG_")) and name != "PYGENT_LOCAL_SANDBOX"
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "work" / "sub").mkdir(parents=True)
    (tmp_path / "work" / "a.txt").write_text("a\n")
    (tmp_path / "work" / "sub" / "run.sh").write_text("echo run\n")
    (tmp_path / "work" / "sub" / "run.sh").chmod(0o755)
    (tmp_path / "work" / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def done(text: str) -> Any:
    """The last answer of a run."""
    return call(("stop", {}), text=text)


class Running:
    def __init__(self, home: Path, replies: list[Any], **options: Any) -> None:
        self.events: list[Event] = []
        settings = load(workspace=home / "work", options={"use_docker": False, "permission_mode": "yolo", **options})
        self.session = Session(settings, model=ScriptedModel(replies), store=lambda: Store(home / "data" / "s.db"))
        self.session.subscribe(self.events.append)
        try:
            self.session.open()
        except PygentError:
            self.session.close()
            raise

    def notices(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]


@pytest.fixture
def first(home: Path) -> Iterator[Running]:
    running = Running(
        home,
        [call(("bash", {"cmd": "cat .env; echo more > b.txt"})), done(f"The key is {KEY}.")],
        api_key=KEY,
        model="m1",
        max_steps=7,
        env={"SECRET_TOKEN": "hush-hush-hush"},
    )
    running.session.run("look around")
    yield running
    running.session.close()


def texts(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


@pytest.mark.hostile(68)
def test_a_saved_session_is_a_folder_without_any_key(first: Running, home: Path) -> None:
    told = first.session.save(home / "state")
    assert "3 files of the workspace" in told
    assert "Left out, since a key stands in them: .env" in told
    state = home / "state"
    assert sorted(path.name for path in state.iterdir()) == [
        "pygent.json",
        "session.jsonl",
        "settings.yaml",
        "workspace",
    ]
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "session.jsonl").stat().st_mode) == 0o600
    assert (state / "workspace" / "b.txt").read_text() == "more\n"
    assert os.access(state / "workspace" / "sub" / "run.sh", os.X_OK)
    whole = texts(state)
    assert KEY not in whole
    assert "hush-hush-hush" not in whole
    assert "The key is ••••" in whole
    assert "max_steps: 7" in (state / "settings.yaml").read_text()
    about = json.loads((state / "pygent.json").read_text())
    assert (about["session_id"], about["title"], about["left_out"]) == (first.session.id, "look around", [".env"])
    assert not [path for path in home.iterdir() if path.name.startswith(".state")]


def test_nothing_is_written_over_and_a_folder_of_the_workspace_is_refused(first: Running, home: Path) -> None:
    first.session.save(home / "state")
    with pytest.raises(PygentError, match="nothing is written over"):
        first.session.save(home / "state")
    (home / "empty").mkdir()
    first.session.save(home / "empty")
    with pytest.raises(PygentError, match="lies in the workspace"):
        first.session.save(home / "work" / "state")
    (home / "file").write_text("")
    with pytest.raises(PygentError, match="cannot be written"):
        first.session.save(home / "file" / "state")


def test_a_session_begins_from_a_saved_state(first: Running, home: Path) -> None:
    first.session.save(home / "state")
    (home / "new").mkdir()
    (home / "new" / "a.txt").write_text("another\n")
    again = Running(home, [done("I go on.")], workspace=str(home / "new"), snapshot=str(home / "state"))
    try:
        assert (home / "new" / "b.txt").read_text() == "more\n"
        assert os.access(home / "new" / "sub" / "run.sh", os.X_OK)
        assert (home / "new" / "a.txt").read_text() == "another\n"  # never written over, and named
        assert f"2 files were brought from {home / 'state'}." in again.notices()
        assert any("stay as they are in the workspace: a.txt" in text for text in again.notices())
        assert again.session.settings.max_steps == 7
        assert again.session.settings.model != "m1"  # today's settings say who answers
        assert again.session.run("and now").text == "I go on."
        assert again.session.agent is not None
        check_history(again.session.agent.history)
        said = [message["content"] for message in again.session.agent.history if message["role"] == "user"]
        assert said == ["look around", "and now"]
        stored = again.session.events()
        check_events(stored, stored=True)
        assert "checkpoint.made" not in {event.type for event in stored}  # what files were is not saved
        assert {event.session_id for event in stored} == {again.session.id} != {first.session.id}
        assert [event.source for event in stored if isinstance(event, SessionForked)] == [str(home / "state")]
        assert [one.title for one in again.session.stored()] == ["look around"]
    finally:
        again.session.close()


def test_a_saved_state_widens_nothing(first: Running, home: Path) -> None:
    first.session.save(home / "state")
    text = "permission_mode: yolo\nallow: ['bash(*)']\nbase_url: http://evil.test/v1\nmax_steps: 5\nnetwork: true\n"
    (home / "state" / "settings.yaml").write_text(text)
    settings = load(workspace=home / "work", options={"snapshot": str(home / "state")})
    assert settings.max_steps == 5
    assert settings.source("max_steps") == f"{home / 'state' / 'settings.yaml'}:4"
    assert (settings.permission_mode, settings.allow, settings.base_url, settings.network) == (None, (), None, False)
    all_of_it = load(workspace=home / "work", config_file=home / "state" / "settings.yaml")
    assert all_of_it.permission_mode == "yolo"  # who names it as settings gets all of them


def test_what_is_no_saved_state_is_told(home: Path) -> None:
    for name, why in (("nowhere", "does not exist"), ("work", "is no saved state")):
        with pytest.raises(SettingsError, match=why):
            load(workspace=home / "work", options={"snapshot": str(home / name)})
    with pytest.raises(SettingsError, match=r"PYGENT_SNAPSHOT: .*does not exist"):
        load(workspace=home / "work", environ={"HOME": str(home), "PYGENT_SNAPSHOT": str(home / "nowhere")})


def test_damaged_and_newer_states_are_told(first: Running, home: Path) -> None:
    first.session.save(home / "state")
    for file, text, why in (
        ("session.jsonl", '{"v":1,"type":"run.started"', "cannot be read"),
        ("pygent.json", '{"v": 99, "pygent": "9.0"}', "newer Pygent"),
        ("pygent.json", "[]", "no saved state that can be read"),
    ):
        before = (home / "state" / file).read_text()
        (home / "state" / file).write_text(text)
        with pytest.raises(PygentError, match=why):
            Running(home, [], snapshot=str(home / "state"))
        (home / "state" / file).write_text(before)


def test_the_command_line_takes_it_and_not_with_a_session_to_go_on_with(first: Running, home: Path) -> None:
    from pygent import cli

    first.session.save(home / "state")
    args = cli.parse(["--load", str(home / "state")])
    assert cli.settings_for(args).snapshot == home / "state"
    assert cli.main(["-p", "x", "--load", str(home / "state"), "--continue"]) == 2


@pytest.mark.parametrize("name", ["history.md", "history.jsonl"])
def test_prompts_and_answers_are_added_to_a_file(home: Path, name: str) -> None:
    file = home / "kept" / name
    for number in range(2):
        running = Running(
            home,
            [call(("bash", {"cmd": "echo tool output"})), done(f"Answer {number} with {KEY}.")],
            history_file=str(file),
            api_key=KEY,
        )
        running.session.run(f"Question {number}\x1b[31m")
        running.session.close()
    text = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KEY not in text
    assert "\x1b" not in text
    assert "tool output" not in text
    if name.endswith(".jsonl"):
        entries = [json.loads(line) for line in text.splitlines()]
        assert [(entry["role"], entry["text"][:10]) for entry in entries] == [
            ("user", "Question 0"),
            ("assistant", "Answer 0 w"),
            ("user", "Question 1"),
            ("assistant", "Answer 1 w"),
        ]
        assert {entry["workspace"] for entry in entries} == {str(home / "work")}
    else:
        assert text.count("\n## You ") == 2
        assert text.count("\n## Pygent ") == 2
        assert text.count("# 20") == 2  # a head for each session
        assert text.index("Question 0") < text.index("Answer 0 with ••••.") < text.index("Question 1")


def test_a_history_file_that_cannot_be_written_is_told_once(home: Path) -> None:
    (home / "file").write_text("")
    running = Running(home, [done("one"), done("two")], history_file=str(home / "file" / "h.md"))
    running.session.run("a")
    running.session.run("b")
    running.session.close()
    assert len([text for text in running.notices() if "are not kept in" in text]) == 1
