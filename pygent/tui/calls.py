"""How a terminal or a desktop is made to call a person who looks elsewhere: sequences and programs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Literal

from pygent.tui.text import clean_line

Channel = Literal["osc9", "osc99", "osc777", "notify-send", "osascript"]

BELL = "\a"
LONGEST = 200
"""Characters of a message that are sent."""

_PROGRAMS: dict[str, Channel] = {
    "iTerm.app": "osc9",
    "WezTerm": "osc777",
    "ghostty": "osc777",
    "kitty": "osc99",
    "rio": "osc9",
    "foot": "osc777",
}


def channel(terminal: Mapping[str, str], which: Callable[[str], object] = shutil.which) -> Channel | None:
    """How a notification reaches the desktop from here; None where that is not known.

    ``terminal`` are the variables of `pygent.settings.terminal`. A program helps only on the machine of the person.
    """
    here = not terminal.get("SSH_CONNECTION")
    if terminal.get("TMUX") or terminal.get("STY"):  # what these pass on depends on their settings
        return (_by_program(which, terminal) if here else None) or _by_terminal(terminal)
    return _by_terminal(terminal) or (_by_program(which, terminal) if here else None)


def _by_terminal(terminal: Mapping[str, str]) -> Channel | None:
    if terminal.get("KITTY_WINDOW_ID") or "kitty" in terminal.get("TERM", ""):
        return "osc99"
    if terminal.get("WEZTERM_PANE") or terminal.get("GHOSTTY_RESOURCES_DIR"):
        return "osc777"
    if "ghostty" in terminal.get("TERM", "") or terminal.get("TERM", "").startswith("foot"):
        return "osc777"
    if terminal.get("LC_TERMINAL") == "iTerm2":
        return "osc9"
    return _PROGRAMS.get(terminal.get("TERM_PROGRAM", ""))


def _by_program(which: Callable[[str], object], terminal: Mapping[str, str]) -> Channel | None:
    if sys.platform == "darwin":
        return "osascript" if which("osascript") else None
    shown = terminal.get("DISPLAY") or terminal.get("WAYLAND_DISPLAY")
    return "notify-send" if shown and which("notify-send") else None


def sequence(way: Channel, title: str, text: str, *, in_tmux: bool = False) -> str:
    """What is written to the terminal; "" where a program is started instead."""
    title, text = _safe(title), _safe(text)
    if way == "osc9":
        made = f"\x1b]9;{title}: {text}\x1b\\"
    elif way == "osc777":
        made = f"\x1b]777;notify;{title.replace(';', ',')};{text}\x1b\\"
    elif way == "osc99":
        made = f"\x1b]99;i=pygent:d=0;{title}\x1b\\\x1b]99;i=pygent:p=body;{text}\x1b\\"
    else:
        return ""
    return passed_through(made) if in_tmux else made


def passed_through(made: str) -> str:
    """A sequence for the terminal around tmux, which passes it on where ``allow-passthrough`` is on."""
    return "\x1bPtmux;" + made.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def program(way: Channel, title: str, text: str) -> list[str]:
    """The command that shows the notification; empty where a sequence does."""
    title, text = _safe(title), _safe(text)
    if way == "notify-send":
        return ["notify-send", "--app-name=Pygent", "--", title, text]
    if way == "osascript":
        script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
        return ["osascript", "-e", script, title, text]
    return []


def title_sequence(title: str) -> str:
    """Set the terminal's title; in tmux the pane's."""
    return f"\x1b]2;{_safe(title)}\x1b\\"


KEEP_TITLE, GIVE_TITLE_BACK = "\x1b[22;2t", "\x1b[23;2t"
"""Put the title away, and take it out again, where a terminal can."""


def _safe(text: str) -> str:
    return clean_line(text)[:LONGEST].strip()
