"""How text from outside becomes one row: names and arguments on one line, cut to a width in cells."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.cells import cell_len, set_cell_size

from pygent.todos import progress
from pygent.tui.text import UNSEEN, clean, seconds

ELLIPSIS = "…"

_ODD = re.compile(UNSEEN.pattern[:-1] + "\n\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAIN_ARGUMENTS = (
    "cmd",
    "command",
    "pattern",
    "query",
    "path",
    "prompt",
    "question",
    "plan",
    "task_id",
    "url",
    "name",
)


def visible(name: str) -> str:
    r"""A file's name with every control and hidden character, and every undecodable byte, spelled out (``\n``)."""
    return _ODD.sub(lambda match: _escape(match.group()), name)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as Python keeps it in names
        code -= 0xDC00
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def output_lines(text: str) -> list[str]:
    """The lines of a program's output as a terminal would leave them, without what acts on a terminal."""
    lines = clean(text).split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def one_line(text: str, limit: int = 400) -> str:
    """The beginning of ``text`` on one line; line ends are shown as ↵."""
    cut = clean(text[: limit * 2]).strip()
    joined = re.sub(r" *\n+ *", " ↵ ", cut)
    joined = re.sub(r"  +", " ", joined)
    return joined if len(joined) <= limit and len(text) <= limit * 2 else joined[:limit] + ELLIPSIS


def summary(arguments: Mapping[str, object], folder: str = "") -> str:
    """The argument that tells what a call is about, on one line; a path below ``folder`` from there."""
    if "persona" in arguments and "prompt" in arguments:
        return one_line(f"{arguments['persona']}: {arguments['prompt']}")
    for name in _MAIN_ARGUMENTS:
        value = arguments.get(name)
        if isinstance(value, str) and value:
            below = name == "path" and folder and value.startswith(folder.rstrip("/") + "/")
            return one_line(value[len(folder.rstrip("/")) + 1 :] or "." if below else value)
    todos = arguments.get("todos")
    if isinstance(todos, list) and todos and all(isinstance(one, Mapping) for one in todos):
        found = progress(todos)
        return one_line(f"{found.words} · {found.now}" if found.now else found.words)
    import json  # noqa: PLC0415 - no first frame needs it

    parts = (
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in arguments.items()
    )
    return one_line(" ".join(parts))


def took(value: float) -> str:
    """How long a finished call took; milliseconds where it was quick."""
    return f"{max(0.0, value) * 1000:.0f}ms" if value < 0.0995 else seconds(value)


def running_for(value: float) -> str:
    """How long something has been going on, in whole seconds so that it does not flicker."""
    return "0s" if value < 1 else f"{int(value)}s" if value < 60 else seconds(int(value))


def size_of(count: int) -> str:
    """Bytes as people write them."""
    if count < 1024:
        return f"{count} B"
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} KiB"
    if count < 1024**3:
        return f"{count / 1024**2:.1f} MiB"
    return f"{count / 1024**3:.1f} GiB"


def fit(text: str, width: int) -> str:
    """``text`` cut to at most ``width`` cells, with an ellipsis where something is missing."""
    if width <= 0:
        return ""
    if (len(text) <= width and text.isascii()) or cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def fit_end(text: str, width: int) -> str:
    """``text`` cut to ``width`` cells at its beginning: a path says most at its end."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return ELLIPSIS + text if width > 0 else ""
