"""A key that a session prints in every way: looked for in everything that Pygent writes (hostile.md, 68)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.openai_server import FakeOpenAI, Step, reply, status

KEY = "sk-canary-0123456789abcdefghij"
TOKEN = "glpat-canary9876543210zyxwv"
CUT = KEY[:11]

pytestmark = pytest.mark.hostile(41, 68)

TOOL = f"""
from pygent import register_tool

@register_tool(name="fails", description="Fails.", parameters={{"type": "object", "properties": {{}}}})
def fails(rt):
    raise RuntimeError("Authorization: Bearer {KEY}")
"""


def leaks(text: str | bytes) -> list[str]:
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return [word for word in (KEY, TOKEN) if word.encode() in data]


def files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and "work" not in path.relative_to(folder).parts[:1]:
            yield path


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG")}
    work = tmp_path / "work"
    work.mkdir()
    (work / "keys.env").write_text(f"OPENAI_API_KEY={KEY}\nTOKEN={TOKEN}\n")
    (work / "long").write_text("x" * 70_000 + KEY + "y" * 70_000 + TOKEN + "z" * 70_000)
    private = {
        "PYGENT_LOG_FILE": str(tmp_path / "logs" / "pygent.log"),
        "PYGENT_HISTORY_FILE": str(tmp_path / "said.md"),
    }
    keys = {"OPENAI_API_KEY": KEY, "GITLAB_TOKEN": TOKEN, "PYGENT_USE_DOCKER": "0"}
    return {**keep, **private, **keys, "HOME": str(tmp_path)}


def run(home: dict[str, str], *options: str, url: str = "http://127.0.0.1:1/v1") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pygent", *options],
        cwd=Path(home["HOME"]) / "work",
        env={**home, "OPENAI_BASE_URL": url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


SCRIPT = [
    reply(
        "I look.",
        tool_calls=[("bash", {"cmd": "cat keys.env; tr 'a-z' 'a-z' <keys.env >&2; env; cat /proc/$PPID/environ"})],
    ),
    reply("", tool_calls=[("bash", {"cmd": f"printf {CUT}; sleep 0.3; printf {KEY[11:]}; cat long"})]),
    reply("", tool_calls=[("read_file", {"path": "keys.env"}), ("search", {"pattern": "canary"})]),
    reply(
        "", tool_calls=[("write_file", {"path": "copy.env", "content": f"A={KEY}\n"}), ("no_such_tool", {"x": KEY})]
    ),
    reply("", tool_calls=[("edit_file", {"path": "keys.env", "old": f"TOKEN={TOKEN}", "new": "TOKEN="})]),
    reply(f"The key is {KEY}.", tool_calls=[("stop", {})]),
]


@pytest.mark.parametrize("form", ["text", "stream-json"])
def test_nothing_that_a_session_leaves_has_the_key(home: dict[str, str], tmp_path: Path, form: str) -> None:
    asked: list[Any] = []
    script = iter(SCRIPT)

    def answer(request: dict[str, Any]) -> Step:
        asked.append(request["messages"])
        return next(script)

    with FakeOpenAI(answer) as server:
        done = run(home, "-p", f"use {KEY}", "--permission-mode", "yolo", "--output-format", form, url=server.url)
    assert done.returncode == 0, done.stderr
    assert "••••" in done.stdout or "\\u2022" in done.stdout
    said = [m["content"] for messages in asked for m in messages if m["role"] in {"user", "tool"}]
    assert not leaks("\n".join(map(str, said))), "the model's server was told"
    assert not leaks(done.stdout), done.stdout
    assert not leaks(done.stderr), done.stderr
    written_out = (("list",), ("show",), ("export", "markdown"), ("export", "html"), ("export", "jsonl"))
    look(home, tmp_path, () if form == "text" else written_out)


def test_nor_has_what_a_refusal_leaves_that_repeats_the_request(home: dict[str, str], tmp_path: Path) -> None:
    with FakeOpenAI([status(401, f"bad header 'Authorization: Bearer {KEY}' in {{'token': '{TOKEN}'}}")]) as server:
        done = run(home, "-p", "go", "--output-format", "stream-json", url=server.url)
    assert done.returncode == 1
    assert not leaks(done.stdout + done.stderr), done.stdout + done.stderr
    look(home, tmp_path)


def look(home: dict[str, str], tmp_path: Path, commands: tuple[tuple[str, ...], ...] = (("show",),)) -> None:
    """Every file beside the workspace, and ways in which a session is written out.

    Earlier versions of the workspace's own files are kept as they were, since an undo has to bring them back.
    """
    if commands:
        session = run(home, "sessions", "list").stdout.split()[0]
        for command, *form in commands:
            told = run(home, "sessions", command, *(() if command == "list" else (session, *form)))
            assert told.returncode == 0, told.stderr
            assert not leaks(told.stdout + told.stderr), command
    found = list(files(tmp_path))
    assert any(path.name == "pygent.log" for path in found)
    for path in found:
        assert "blobs" in path.parts or not leaks(path.read_bytes()), path
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
        assert path.parent == tmp_path or not stat.S_IMODE(path.parent.stat().st_mode) & 0o077, path.parent
