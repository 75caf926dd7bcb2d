"""One line about a call for the person who decides on it; nothing in it can hide."""

from __future__ import annotations

import json
import re
import unicodedata

from pygent.approvals.base import PendingCall

_RUN_OF_SPACES = re.compile(r" {41,}|\n{9,}")
"""Longer than any indentation; so many can push what follows out of sight."""


def summarize(call: PendingCall, reason: str = "") -> str:
    """What is asked for, the whole command or path of it, and why it is asked, on a line of its own."""
    arguments = call.arguments
    path = arguments.get("path")
    if isinstance(arguments.get("cmd"), str):
        text = f"Run: {visible(arguments['cmd'])}"
    elif isinstance(path, str) and isinstance(arguments.get("content"), str):
        content = arguments["content"]
        lines = content.count("\n") + (not content.endswith("\n") and bool(content))
        text = f"Write {visible(path)} ({lines} {'line' if lines == 1 else 'lines'})"
    elif isinstance(path, str) and call.tool == "edit_file":
        text = f"Edit {visible(path)}"
    elif call.tool == "web_fetch" and isinstance(arguments.get("url"), str):
        text = f"Read {visible(arguments['url'])}"
    elif call.tool == "continue" and isinstance(arguments.get("question"), str):
        text = f"Question: {visible(arguments['question'])}"
    elif call.tool == "stop":
        text = "Stop"
    else:
        shown = json.dumps(arguments, ensure_ascii=False, default=str)
        text = f"{call.tool} {visible(shown)}" if arguments else call.tool
    return f"{text}\n{reason}" if reason else text


def visible(text: str) -> str:
    """The text with every character that a screen would hide or obey written out.

    Control, format and bidirectional characters become ``<U+202E>``, long runs of blanks say how long they are.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if _shows(char) else f"<U+{ord(char):04X}>" for char in text)
    return _RUN_OF_SPACES.sub(lambda run: f"<{len(run.group())} {_blank(run.group())}>", text)


def _shows(char: str) -> bool:
    if char in "\n\t ":
        return True
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def _blank(run: str) -> str:
    return "spaces" if run[0] == " " else "line ends"
