"""What a tool call that waits for a decision would do: the whole command, the diff of a file, or its arguments."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping

from pygent.approvals.summary import visible
from pygent.errors import PygentError
from pygent.tui.panes.lines import Line

PIECE = 2_000
"""Characters of a line before it is broken, so that no viewer cuts it."""

LARGEST = 400_000
"""Characters up to which two texts are compared; longer ones are shown as they are."""

Read = Callable[[str], bytes]


def preview(tool: str, arguments: Mapping[str, object], read: Read) -> list[Line]:
    """The lines that a person needs to see before a decision; nothing in them is hidden or cut."""
    command, path = arguments.get("cmd"), arguments.get("path")
    if isinstance(command, str):
        return _numbered("$ ", command, "strong")
    if isinstance(path, str) and tool == "write_file" and isinstance(arguments.get("content"), str):
        return _change(path, str(arguments["content"]), read)
    if isinstance(path, str) and isinstance(arguments.get("old"), str) and isinstance(arguments.get("new"), str):
        return _diff(path, str(arguments["old"]), str(arguments["new"]))
    return _arguments(arguments)


def _change(path: str, content: str, read: Read) -> list[Line]:
    try:
        before: str | None = read(path).decode("utf-8", "replace")
    except (PygentError, OSError):
        before = None
    if before is None:
        head = [Line(f"new file {visible(path)}", "strong")]
        return head + [Line(f"+{piece}", "success") for piece in _pieces(content.rstrip("\n"))]
    return _diff(path, before, content) or [Line(f"{visible(path)} stays as it is", "muted")]


def _diff(path: str, before: str, after: str) -> list[Line]:
    if len(before) + len(after) > LARGEST:
        old = [Line(f"-{piece}", "error") for piece in _pieces(before)]
        return old + [Line(f"+{piece}", "success") for piece in _pieces(after)]
    name = visible(path)
    lines: list[Line] = []
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm=""):
        role = {"+": "success", "-": "error", "@": "primary"}.get(line[:1], "muted")
        if line.startswith(("+++ ", "--- ")):
            role = "strong"
        lines.extend(Line(piece, role) for piece in _pieces(line))
    return lines


def _arguments(arguments: Mapping[str, object]) -> list[Line]:
    lines: list[Line] = []
    for name, value in arguments.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if "\n" in text:
            lines.append(Line(f"{visible(name)}:", "muted"))
            lines.extend(Line(f"  {piece}") for piece in _pieces(text))
        else:
            head = f"{visible(name)}: "
            lines.extend(
                Line(head + piece, "", ((0, len(head), "muted"),)) if number == 0 else Line(piece)
                for number, piece in enumerate(_pieces(text))
            )
    return lines or [Line("no arguments", "muted")]


def _numbered(sign: str, text: str, role: str) -> list[Line]:
    return [
        Line((sign if number == 0 else " " * len(sign)) + piece, role) for number, piece in enumerate(_pieces(text))
    ]


def _pieces(text: str) -> list[str]:
    return [
        line[start : start + PIECE]
        for line in visible(text).expandtabs(4).split("\n")
        for start in range(0, max(1, len(line)), PIECE)
    ]
