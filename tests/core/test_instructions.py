"""Instructions of the project and of the user: which are read, how much of them, and nothing from elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pygent.instructions import MOST, Instructions, read
from pygent.persona import Persona
from pygent.prompts import Surroundings, build_system_message


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def put(folder: Path, text: str, name: str = "AGENTS.md") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")


def told(found: Instructions) -> list[str]:
    return [file.text for file in found.files]


def test_from_the_repository_s_root_down_and_the_user_s_own_first(home: Path) -> None:
    put(home, "above the repository")
    put(home / "config", "my own")
    put(home / "project", "of the project")
    (home / "project" / ".git").mkdir()
    put(home / "project" / "part", "of claude", "CLAUDE.md")
    put(home / "project" / "part" / "here", "nearest")
    put(home / "project" / "part" / "here", "not read beside AGENTS.md", "CLAUDE.md")
    found = read(home / "project" / "part" / "here", home / "config")
    assert told(found) == ["my own", "of the project", "of claude", "nearest"]
    assert [file.path for file in found.files] == [
        "~/config/AGENTS.md",
        "~/project/AGENTS.md",
        "~/project/part/CLAUDE.md",
        "~/project/part/here/AGENTS.md",
    ]
    assert found.problems == ()


def test_without_a_repository_up_to_the_home_folder(home: Path) -> None:
    put(home, "at home")
    put(home.parent, "above home")
    put(home / "notes" / "deep", "here")
    assert told(read(home / "notes" / "deep", None)) == ["at home", "here"]


def test_elsewhere_only_the_workspace_s_own(home: Path, tmp_path: Path) -> None:
    put(tmp_path, "planted beside it")
    put(tmp_path / "work", "its own")
    assert told(read(tmp_path / "work", None)) == ["its own"]


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder away needs root")
def test_nothing_above_is_read_from_a_folder_of_somebody_else(home: Path, tmp_path: Path) -> None:
    put(tmp_path / "theirs", "planted")
    (tmp_path / "theirs" / ".git").mkdir()
    put(tmp_path / "theirs" / "work", "its own")
    os.chown(tmp_path / "theirs", 12345, 12345)
    assert told(read(tmp_path / "theirs" / "work", None)) == ["its own"]


def test_a_link_that_leads_out_is_told_and_one_that_stays_is_followed(home: Path) -> None:
    put(home / "secret", "a secret", "notes.md")
    project = home / "project"
    put(project, "of the project", "CLAUDE.md")
    (project / ".git").mkdir()
    (project / "AGENTS.md").symlink_to("CLAUDE.md")
    (project / "part").mkdir()
    (project / "part" / "AGENTS.md").symlink_to(home / "secret" / "notes.md")
    found = read(project / "part", None)
    assert told(found) == ["of the project"]
    assert len(found.problems) == 1
    assert "~/project/part are not read" in found.problems[0]


def test_a_pipe_does_not_block(home: Path) -> None:
    project = home / "project"
    project.mkdir()
    os.mkfifo(project / "AGENTS.md")
    os.mkfifo(home / "AGENTS.md")
    found = read(project, home)
    assert told(found) == []
    assert found.problems


def test_what_is_too_long_is_cut_and_what_is_nearest_has_room_first(home: Path) -> None:
    put(home / "project", "p" * MOST)
    (home / "project" / ".git").mkdir()
    put(home / "project" / "part", "n" * 1_000)
    found = read(home / "project" / "part", None)
    far, near = found.files
    assert near.text == "n" * 1_000
    assert far.left_out == 1_000
    assert far.text.startswith("p" * (MOST - 1_000) + "\n[… 1000 characters left out")
    assert "1,000 characters are not read" in found.problems[0]


def test_the_text_is_made_safe_and_an_empty_one_is_none(home: Path) -> None:
    put(home / "a", "red \x1b[31mred\x1b[0m and hid\U000e0041den\u202e")
    put(home / "b", "  \n")
    (home / "c").mkdir()
    (home / "c" / "AGENTS.md").write_bytes(b"\xef\xbb\xbflatin \xe9")
    assert told(read(home / "a", None)) == ["red red and hidden"]
    assert told(read(home / "b", None)) == []
    assert told(read(home / "c", None)) == ["latin \ufffd"]


@pytest.mark.parametrize("small", [False, True])
def test_they_stand_in_the_system_message(home: Path, small: bool) -> None:
    put(home / "work", "Use tabs.")
    text = read(home / "work", None).text
    where = Surroundings(workspace="/w", small=small, instructions=text)
    message = build_system_message(Persona("Pygent", ""), where, ["bash"])
    assert message.endswith("## ~/work/AGENTS.md\n\nUse tabs.")
    without = build_system_message(Persona("Pygent", ""), Surroundings(workspace="/w", small=small), ["bash"])
    assert message == f"{without}\n\n{text}"
