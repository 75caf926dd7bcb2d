"""The person's own editor, on the prompt or on a file."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from pygent.settings import editor

WINDOWS = frozenset(
    {
        "code",
        "code-insiders",
        "codium",
        "cursor",
        "windsurf",
        "zed",
        "subl",
        "sublime_text",
        "atom",
        "mate",
        "bbedit",
        "gedit",
        "gnome-text-editor",
        "kate",
        "kwrite",
        "mousepad",
        "xed",
        "pluma",
        "geany",
        "gvim",
        "mvim",
        "neovide",
        "idea",
        "pycharm",
        "webstorm",
        "goland",
        "clion",
        "fleet",
        "open",
        "xdg-open",
        "notepad",
    }
)
"""Editors with a window of their own: the screen stays, and nobody waits for them."""

_DEFAULTS = ("vi", "nano", "vim", "nvim", "micro", "emacs")


def edit(app: App[object], text: str, name: str = "prompt.md") -> str | None:
    """What ``text`` became in the editor; None where there is no editor, or no terminal to show it in.

    ``name`` is the file's, by which an editor knows what it is.
    """
    with tempfile.TemporaryDirectory(prefix="pygent-") as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        if _suspended(app, _command(), file) != 0:
            return None
        return file.read_text(encoding="utf-8", errors="replace").rstrip("\n")


def edit_file(app: App[object], path: Path) -> str:
    """Open a file in the editor, and wait for it unless it has a window of its own.

    Answers why that could not be, "" where it could.
    """
    if app.is_web:
        return "In the browser there is no terminal for an editor. Ask the agent for the change, or open it yourself."
    command = _command()
    if not command:
        return "There is no editor: set $VISUAL or $EDITOR, such as EDITOR=nano."
    try:
        words = shlex.split(command)
    except ValueError:
        words = [command]
    name = Path(words[0]).name
    if name in WINDOWS:
        if shutil.which(words[0]) is None:
            return f"The editor {words[0]!r} was not found; set $VISUAL or $EDITOR."
        _leave_alone([*words, str(path)])
        return ""
    code = _suspended(app, command, path)
    if code is None:
        return "Here is no terminal for an editor."
    if code in {126, 127}:
        return f"The editor {words[0]!r} could not be started; set $VISUAL or $EDITOR."
    return f"The editor {name} ended with exit status {code}." if code else ""


def _command() -> str:
    return editor() or next((name for name in _DEFAULTS if shutil.which(name)), "")


def _suspended(app: App[object], command: str, file: Path) -> int | None:
    """The exit status of the editor on the whole terminal; None where there is no terminal.

    The shell reads the command, so that one with options works too.
    """
    if not command:
        return None
    try:
        with app.suspend():
            return subprocess.run(["sh", "-c", f'{command} "$1"', "sh", str(file)], check=False).returncode
    except (SuspendNotSupported, OSError):
        return None


def _leave_alone(words: list[str]) -> None:
    """Start a program that goes on by itself."""
    nowhere = subprocess.DEVNULL
    subprocess.Popen(
        ["sh", "-c", '"$@" &', "sh", *words], stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    ).wait()
