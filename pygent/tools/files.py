"""``write_file``, ``read_file`` and ``download_file``."""

from __future__ import annotations

import codecs
import contextlib
from dataclasses import dataclass
from typing import Any

from pygent.errors import ToolError
from pygent.tools.registry import Tool

LINES = 500
"""Lines that ``read_file`` shows where no limit is asked for."""
LINE_LIMIT = 1000
"""Characters of one line that are shown."""
TEXT_LIMIT = 24_000
"""Characters of one answer of ``read_file``, so that it is never cut in the middle."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class FileText:
    """A text file as it is. ``problem`` says why it cannot be written back without loss, empty where it can."""

    text: str
    problem: str = ""


def load(rt: Any, path: str) -> FileText:
    """Read a text file of the workspace.

    Raises ``ToolError`` for a binary file or where the runtime cannot read files, and what the runtime raises.
    """
    workspace = getattr(rt, "workspace", None)
    if workspace is None:
        return FileText(_call(rt, "read_file")(path))
    return decode(path, workspace.read_bytes(path))


def decode(path: str, data: bytes) -> FileText:
    """The text of a file's bytes; ``ToolError`` where they are no text."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            with contextlib.suppress(UnicodeDecodeError):
                return FileText(data[len(mark) :].decode(codec), name)
    if b"\0" in data[:8192]:
        raise ToolError(f"{path} is a binary file of {len(data)} bytes; use bash to look into it")
    try:
        return FileText(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        where = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        return FileText(data.decode("utf-8", "replace"), f"not UTF-8 ({where})")


def write_file(rt: Any, path: str, content: str) -> object:
    """Create or overwrite a text file."""
    return rt.write_file(path, content)


def read_file(rt: Any, path: str, start: int = 1, limit: int = LINES) -> str:
    """The lines of a text file from ``start`` on, numbered from 1, at most ``limit``."""
    workspace = getattr(rt, "workspace", None)
    if workspace is not None and workspace.is_dir(path):
        return _listing(path, workspace.list_dir(path))
    file = load(rt, path)
    lines = file.text.removeprefix("\ufeff").split("\n")
    if lines[-1] == "":
        lines.pop()
    notes = [file.problem] if file.problem else []
    notes += ["byte order mark"] if file.text.startswith("\ufeff") else []
    notes += ["CRLF line ends"] if "\r\n" in file.text else []
    about = f" [{', '.join(notes)}]" if notes else ""
    if not lines:
        return f"{path}: empty file{about}"
    first = max(int(start), 1)
    if first > len(lines):
        raise ToolError(f"{path} has {len(lines)} lines; there is no line {first}")
    shown = _numbered(lines, first, max(int(limit), 1))
    last = first + len(shown) - 1
    head = f"{path}: lines {first}-{last} of {len(lines)}{about}"
    more = f"\n… {len(lines) - last} more lines; go on with start={last + 1}" if last < len(lines) else ""
    return "\n".join([head, *shown]) + more


def download_file(rt: Any, path: str, binary: bool = False) -> object:
    """A file as it is, base64 where ``binary``."""
    read = _call(rt, "read_file")
    return read(path, binary=True) if binary else read(path)


def _call(rt: Any, name: str) -> Any:
    method = getattr(rt, name, None)
    if method is None:
        raise ToolError("this runtime cannot read files; use bash, such as cat")
    return method


def _numbered(lines: list[str], first: int, limit: int) -> list[str]:
    out: list[str] = []
    size = 0
    for number, line in enumerate(lines[first - 1 : first - 1 + limit], first):
        text = line.removesuffix("\r")
        if len(text) > LINE_LIMIT:
            text = f"{text[:LINE_LIMIT]}… ({len(text) - LINE_LIMIT} more characters)"
        size += len(text) + 8
        if size > TEXT_LIMIT and out:
            break
        out.append(f"{number}\t{text}")
    return out


def _listing(path: str, entries: Any) -> str:
    names = sorted(f"{entry.name}/" if entry.is_dir else entry.name for entry in entries)
    more = f"\n… {len(names) - LINES} more" if len(names) > LINES else ""
    return f"{path} is a folder of {len(names)} entries:\n" + "\n".join(names[:LINES]) + more


_TEXT = {"type": "string"}

TOOLS = (
    Tool(
        "write_file",
        "Create or overwrite a text file.",
        {"type": "object", "properties": {"path": _TEXT, "content": _TEXT}, "required": ["path", "content"]},
        write_file,
        "write",
    ),
    Tool(
        "read_file",
        "Read a text file with line numbers, or list a folder.",
        {
            "type": "object",
            "properties": {
                "path": _TEXT,
                "start": {"type": "integer", "description": "first line, from 1"},
                "limit": {"type": "integer", "description": f"lines, default {LINES}"},
            },
            "required": ["path"],
        },
        read_file,
        "read",
    ),
)

DOWNLOAD = Tool(
    "download_file",
    "Get a file's raw content; base64 if binary.",
    {"type": "object", "properties": {"path": _TEXT, "binary": {"type": "boolean"}}, "required": ["path"]},
    download_file,
    "read",
)
