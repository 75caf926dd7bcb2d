"""Text from outside that would drive a terminal, in every place where Pygent shows it: what reaches a real one."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pygent.cli import main
from tests.fakes.openai_server import FakeOpenAI, Step, reply, status
from tests.fakes.raw_terminal import RawTerminal, misleading, obeyed

EVIL = (
    "\x1b]0;PWN\x07\x1b]2;PWN\x1b\\\x1b]8;;http:pwn\x07L\x1b]8;;\x07\x1b]52;c;UFdO\x07\x1b]9;PWN\x07\x1b]777;notify;PWN;x\x07"
    "\x1b[2J\x1b[3J\x1b[6n\x1b[c\x1b[?1000h\x1b[?9977l\x1b[99;88r\x1bc\x1b7\x1b=\x1bPq#0;2;0;0;0\x1b\\\x1b_Gi=1\x1b\\"
    "\x9b31m\x9d0;PWN\x9c\x90q\x9c\x85\x84\x07\x08\x0b\x0c\x0e\x7f\u202eRLO\u202c\u2066LRI\u2069\u200bz\u2028s\ufeffb"
)  # fmt: skip
"""Titles, links, clipboard, notifications, erasing, questions, modes, resets, graphics, C0 and C1, bidirectional."""
NAME = EVIL.replace("/", "")
BRANCH = "b\u202er\u200ba\x9b2J\x9d0;PWN\x9cn\u2066ch"  # git itself refuses the C0 controls


def world(folder: Path, url: str) -> tuple[Path, dict[str, str]]:
    """A home, and a workspace whose name, files, branch and settings are hostile."""
    work = folder / f"work {NAME}"
    work.mkdir(parents=True)
    (work / f"file {NAME}").write_text(f"line {EVIL}\nanother\n")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(work)]
    subprocess.run([*git, "init", "-q", "-b", BRANCH], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", f"first {EVIL}"], check=True)
    settings = folder / ".config" / "pygent"
    settings.mkdir(parents=True)
    persona = {"name": f"one {EVIL}", "description": f"about {EVIL}"}
    (settings / "config.yaml").write_text(json.dumps({"personas": [persona], "notify": "both"}))
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
    env = {
        **keep,
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "OPENAI_API_KEY": "test-key",
        "OPENAI_BASE_URL": url,
        "PYGENT_USE_DOCKER": "0",
        "PYGENT_PERMISSION_MODE": "ask",
        "PYGENT_MODEL": f"model {EVIL}",
        "PYGENT_PERSONA_NAME": f"me {EVIL}",
        "PYGENT_LOG_FILE": str(folder / "pygent.log"),
        "PYGENT_HISTORY_FILE": str(folder / "said.md"),
    }
    return work, env


def script() -> list[Step]:
    """What the model says and calls."""
    printf = f"printf '%s\\n' 'printed {EVIL}'; cat file*; ls"
    todo = [{"text": f"to do {EVIL}", "state": "active"}]
    return [
        reply(f"I begin.\n\n# Head {EVIL}\n\n- item {EVIL}\n\n`code {EVIL}`\n\n[link {EVIL}](http://a{EVIL})",
              reasoning=f"thought {EVIL}", tool_calls=[("bash", {"cmd": printf})]),
        reply(f"Then {EVIL}", tool_calls=[("write_file", {"path": f"new {NAME}", "content": f"new {EVIL}\n"})]),
        reply("", tool_calls=[(f"tool{NAME}", {f"key{NAME}": EVIL}), ("update_todos", {"todos": todo})]),
        reply("", tool_calls=[("read_file", {"path": f"missing {NAME}"}), ("search", {"pattern": "line"})]),
        reply(f"DONE-NOW {EVIL}"),
        status(400, f"server says {EVIL}"),
    ]  # fmt: skip


ALLOWED = {
    *("'\\n'", "'\\r'", "'\\x07'", "CSI 22;2t", "CSI 23;2t", "CSI <u", "CSI >25u", "CSI H", "CSI m"),
    *("CSI ?2026$p", "CSI ?2048$p"),
    *(f"CSI ?{mode}{on}" for mode in (7, 25, 1000, 1003, 1004, 1006, 1015, 1049, 2004, 2026, 2048) for on in "hl"),
    *("OSC 2", "OSC 22"),
}  # fmt: skip
"""What Pygent does by itself: modes, the cursor, colours, the title, the pointer, a bell that calls the person."""

F3, F5 = "\x1bOR", "\x1b[15~"
SCREENS = [
    *(F3, "\r", "\x1b", "\x1b"),  # a call with all of its output
    *(F5, "\r", "\x1b", "\x1b"),  # a file
    *("/status\r", "\x1b", "/context\r", "\x1b", "/resume\r", "\x1b", "/undo\r", "\x1b", "/copy\r"),
]


@pytest.mark.hostile(35, 56)
def test_a_terminal_is_told_nothing_by_what_is_shown(tmp_path: Path) -> None:
    with FakeOpenAI(script()) as server:
        work, env = world(tmp_path, server.url)
        prompt = f"a prompt {EVIL.replace(chr(0), '')}"
        with RawTerminal([sys.executable, "-m", "pygent", prompt], work, env) as terminal:
            terminal.wait("Allow once")
            for answered in (1, 2):  # the command, then the file
                while len(server.requests) == answered:
                    terminal.pause(0.7)  # keys typed ahead do not approve
                    terminal.type("1")
            terminal.wait("DONE-NOW")
            for keys in (*SCREENS, "\x1b", "\x1b"):
                terminal.settle()
                terminal.type(keys)
            terminal.settle()
            terminal.type("and again\r")
            terminal.wait("server says")
            terminal.settle()
            terminal.type("\x11")
            assert terminal.end() == 0
    assert "<U+202E>" in terminal.shown, "an approval shows what is hidden"
    assert "RLO" in terminal.shown, "what reads as text is there"
    told = obeyed(terminal.text)
    copied = {one for one in told if one.startswith("OSC 52 c;")}
    assert not told - copied - ALLOWED, "a terminal would do more"
    assert not misleading(terminal.text)
    assert copied, "/copy copies"
    for one in copied:
        text = base64.b64decode(one.removeprefix("OSC 52 c;")).decode()
        assert "DONE-NOW" in text
        assert not obeyed(text) - {"'\\n'"}, "a shell that it is pasted into would obey"


COMMANDS = [
    ("sessions", "list"),
    ("sessions", "list", "--format", "json"),
    ("sessions", "show", "ID"),
    ("sessions", "export", "ID", "--format", "jsonl"),
    ("sessions", "export", "ID", "--format", "html"),
    ("config", "show"),
    ("personas",),
    ("doctor",),
]


@pytest.mark.hostile(56)
def test_nor_by_what_is_printed_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def check(*texts: str) -> None:
        for text in texts:
            assert not obeyed(text) - {"'\\n'", "'\\t'"}, text
            assert not misleading(text), text

    with FakeOpenAI(script()) as server:
        work, env = world(tmp_path, server.url)
        prompt = ["-p", f"words {EVIL.replace(chr(0), '')}", "--permission-mode", "yolo"]
        for options in (prompt, ["-c", "-p", "again", "--output-format", "stream-json"]):
            command = [sys.executable, "-m", "pygent", *options]
            done = subprocess.run(
                command, cwd=work, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
            )
            check(done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
        monkeypatch.chdir(work)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        session = ""
        for options in COMMANDS:
            main([session if word == "ID" else word for word in options])
            told = capfd.readouterr()
            check(*told)
            session = session or told.out.split()[0]
    check((tmp_path / "pygent.log").read_text("utf-8"), (tmp_path / "said.md").read_text("utf-8"))
