"""What a tool call that waits for a decision would do: the whole command, the change of a file, or its arguments."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pygent.approvals.summary import visible
from pygent.errors import PygentError
from pygent.tui.diff_draw import LONGEST
from pygent.tui.diffs import FileDiff, compare
from pygent.tui.panes.lines import Line

PIECE = 2_000
"""Characters of a line before it is broken, so that no viewer cuts it."""

Read = Callable[[str], bytes]


@dataclass(slots=True)
class Preview:
    """What a person needs to see before a decision; nothing in it is hidden or cut.

    ``diff`` is the change of a file, ``lines`` all else. ``warning`` is what makes the call pointless or odd.
    """

    lines: list[Line] = field(default_factory=list)
    diff: FileDiff | None = None
    warning: str = ""


def preview(tool: str, arguments: Mapping[str, object], read: Read, root: str = "") -> Preview:
    """The preview of a call. ``read`` answers a file's bytes; paths below ``root`` are shown as relative to it."""
    command, path, question = (arguments.get(name) for name in ("cmd", "path", "question"))
    if tool == "continue" and isinstance(question, str):
        return Preview([Line(piece) for piece in _pieces(question.strip() or "It asks nothing.")])
    if tool == "stop":
        return Preview()
    if isinstance(command, str):
        return Preview(_numbered("$ ", command, "strong"))
    if isinstance(path, str):
        name = visible(path.removeprefix(f"{root.rstrip('/')}/") if root else path)
        content, old, new = (arguments.get(key) for key in ("content", "old", "new"))
        if tool == "write_file" and isinstance(content, str):
            return _written(name, _text(path, read), content)
        if isinstance(old, str) and isinstance(new, str):
            return _edited(name, _text(path, read), old, new, everywhere=arguments.get("replace_all") is True)
    return Preview(_arguments(arguments))


def _text(path: str, read: Read) -> str | None:
    try:
        return read(path).decode("utf-8", "replace")
    except (PygentError, OSError):
        return None


def _written(name: str, before: str | None, after: str) -> Preview:
    if before == after:
        return Preview([Line(f"{name} stays as it is", "muted")])
    return _change(name, before, after)


def _edited(name: str, text: str | None, old: str, new: str, *, everywhere: bool) -> Preview:
    """The file before and after; else both texts and why the call will fail."""
    if text is None:
        return _change(name, old, new, f"{name} cannot be read, so the call will fail.")
    if "\r\n" in text and "\r\n" not in old:  # as the tool does
        old, new = old.replace("\n", "\r\n"), new.replace("\n", "\r\n")
    count = text.count(old) if old else 0
    if count == 0:
        return _change(name, old, new, f"The text to replace is not in {name}, so the call will fail.")
    if count > 1 and not everywhere:
        return _change(name, old, new, f"The text to replace is {count} times in {name}, so the call will fail.")
    return _change(name, text, text.replace(old, new))


def _change(name: str, before: str | None, after: str, warning: str = "") -> Preview:
    diff = compare(name, None if before is None else _shown(before), _shown(after))
    if before is not None and not diff.hunks and before != after:
        warning = warning or "Only line ends change."
    if any(len(line.text) > LONGEST for hunk in diff.hunks for line in hunk.lines):  # which the drawing would cut
        return Preview([Line(name, "strong"), *_whole_lines(diff)], warning=warning)
    return Preview(diff=diff, warning=warning)


def _shown(text: str) -> str:
    return visible(text.replace("\r\n", "\n"))


def _whole_lines(diff: FileDiff) -> list[Line]:
    roles = {"+": "success", "-": "error"}
    return [
        Line(f"{line.kind}{piece}", roles.get(line.kind, "muted"))
        for hunk in diff.hunks
        for line in hunk.lines
        for piece in _pieces(line.text)
    ]


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
