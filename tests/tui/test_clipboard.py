"""Copying: what is sent to the terminal, which program is used, and what is said when neither works."""

from __future__ import annotations

import base64
import re
import sys
import threading
from pathlib import Path

import pytest

from pygent.tui.clipboard import LIMIT, Clipboard, give, program, sequences

PLAIN = "\x1b]52;c;aMOp\a"


@pytest.mark.parametrize(
    ("terminal", "sent"),
    [
        ({}, [PLAIN]),
        ({"TMUX": "/tmp/x", "TERM": "screen-256color"}, [PLAIN, "\x1bPtmux;\x1b\x1b]52;c;aMOp\a\x1b\\"]),
        ({"STY": "1.x"}, [f"\x1bP{PLAIN}\x1b\\"]),
    ],
)
def test_the_sequence_is_wrapped_for_what_stands_between(terminal: dict[str, str], sent: list[str]) -> None:
    assert list(sequences("hé", terminal)) == sent


def test_screen_gets_it_in_pieces() -> None:
    (sent,) = sequences("x" * 500, {"TERM": "screen"})
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sent, re.DOTALL)
    assert all(len(piece) <= 76 for piece in pieces)
    whole = "".join(pieces)
    assert base64.b64decode(whole.removeprefix("\x1b]52;c;").removesuffix("\a")) == b"x" * 500


@pytest.mark.parametrize(
    ("terminal", "platform", "there", "expected"),
    [
        ({}, "darwin", {"pbcopy", "xclip"}, "pbcopy"),
        ({"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, "linux", {"wl-copy", "xclip"}, "wl-copy"),
        ({"DISPLAY": ":0"}, "linux", {"wl-copy", "xclip", "xsel"}, "xclip"),
        ({"DISPLAY": ":0"}, "linux", {"xsel"}, "xsel"),
        ({}, "linux", {"xclip"}, None),
        ({}, "linux", {"clip.exe"}, "clip.exe"),
    ],
)
def test_the_program_follows_from_the_screen(
    terminal: dict[str, str], platform: str, there: set[str], expected: str | None
) -> None:
    found = program(terminal, platform, lambda name: name in there)
    assert (found[0] if found else None) == expected


def test_a_program_gets_the_text_and_one_that_fails_is_no_harm(tmp_path: Path) -> None:
    target = tmp_path / "copied"
    assert give(
        [sys.executable, "-c", f"import sys; open({str(target)!r}, 'wb').write(sys.stdin.buffer.read())"], "hé"
    )
    assert target.read_text("utf-8") == "hé"
    assert not give([sys.executable, "-c", "raise SystemExit(3)"], "x")
    assert not give([str(tmp_path / "nothing")], "x")


def test_what_is_too_large_is_not_sent_and_that_is_said() -> None:
    clipboard, sent, failed = Clipboard(), list[str](), threading.Event()
    clipboard.copy("x" * LIMIT, {}, sent.append, failed.set)
    assert failed.wait(5)
    assert sent == []
    clipboard.copy("x" * 50_000, {}, sent.append, failed.set)
    assert len(sent) == 1
