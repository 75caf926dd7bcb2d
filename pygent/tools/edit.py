"""``edit_file``: replace an exact text, and where it is not there, show what comes nearest."""

from __future__ import annotations

import re
from typing import Any

from pygent.errors import ToolError
from pygent.tools.blanks import places
from pygent.tools.files import load
from pygent.tools.registry import Tool

EDIT_LIMIT = 4_000_000
"""Characters of a file that can be edited."""
DIFF_LINES = 200
"""Lines of the diff that is answered."""

_MIDDLE_LIMIT = 5000
_NEAR_ENOUGH = 0.5
_NUMBERED = re.compile(r"^\s*\d+\t", re.MULTILINE)


def edit_file(rt: Any, path: str, old: str, new: str, replace_all: bool = False) -> str:
    """Replace ``old``, which must be there exactly once unless ``replace_all``, and answer the diff.

    Where it is not there, but in one place whole lines differ from it only in blanks at their ends or in one
    indentation for all of them, these are replaced, with ``new`` indented alike, and the answer says so.
    Line ends and a byte order mark stay as they are.
    """
    if not old:
        raise ToolError("old is empty; use write_file to create or replace a whole file")
    file = load(rt, path)
    if file.problem:
        raise ToolError(f"{path} is {file.problem}; it cannot be edited without loss")
    text = file.text
    if len(text) > EDIT_LIMIT:
        raise ToolError(f"{path} has {len(text)} characters, more than can be edited; use bash, such as sed")
    old, new = _with_line_ends(text, old, new)
    if old == new:
        raise ToolError("old and new are the same; nothing would change")
    count = text.count(old)
    if count == 0:
        return _edit_but_for_blanks(rt, path, text, old, new)
    if count > 1 and not replace_all:
        where = ", ".join(str(line) for line in _lines_of(text, old)[:10])
        raise ToolError(
            f"old occurs {count} times in {path} (lines {where}). Add lines around it so that it occurs once, "
            "or set replace_all"
        )
    changed = text.replace(old, new)
    rt.write_file(path, changed)
    times = f" in {count} places" if count > 1 else ""
    return f"Edited {path}{times}.\n{diff(text, changed)}"


def _edit_but_for_blanks(rt: Any, path: str, text: str, old: str, new: str) -> str:
    found = places(text, old)
    if not found:
        raise ToolError(_not_there(path, text, old))
    if len(found) > 1:
        where = ", ".join(str(place.line) for place in found[:10])
        raise ToolError(
            f"old does not occur in {path} as it stands; {len(found)} places differ from it in blanks only "
            f"(lines {where}). Give the text exactly as it is in one of them, with lines around it"
        )
    place = found[0]
    taken, end = place.fitted(new.strip("\r\n")), place.end
    if not new.strip("\r\n"):  # the lines go, with the end of the last one
        taken, end = "", end + len(text[end:]) - len(text[end:].removeprefix("\r").removeprefix("\n"))
    changed = text[: place.start] + taken + text[end:]
    if changed == text:
        raise ToolError("old and new differ in blanks only from what stands there; nothing would change")
    rt.write_file(path, changed)
    how = f"What stands there differs from old in {place.difference}; new was fitted."
    return f"Edited {path}. {how}\n{diff(text, changed)}"


def diff(before: str, after: str) -> str:
    """The changed lines with three lines around them, in unified form without file names."""
    old, new = _split(before), _split(after)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    start, end = max(0, start - 3), max(0, end - 3)
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(middle_old), len(middle_new)) > _MIDDLE_LIMIT:
        return f"(lines {start + 1} to {len(new) - end} changed; too many to show)"
    out = _hunks(middle_old, middle_new, start)
    if len(out) > DIFF_LINES:
        out = [*out[:DIFF_LINES], f"… {len(out) - DIFF_LINES} more lines"]
    return "\n".join(out)


def _hunks(old: list[str], new: list[str], offset: int) -> list[str]:
    import difflib  # noqa: PLC0415 - only needed once something was edited

    out: list[str] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(3):
        first, last = group[0], group[-1]
        out.append(
            f"@@ -{first[1] + offset + 1},{last[2] - first[1]} +{first[3] + offset + 1},{last[4] - first[3]} @@"
        )
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                out.extend(f" {line}" for line in old[old_from:old_to])
                continue
            out.extend(f"-{line}" for line in old[old_from:old_to])
            out.extend(f"+{line}" for line in new[new_from:new_to])
    return out


def _with_line_ends(text: str, old: str, new: str) -> tuple[str, str]:
    """``old`` and ``new`` with the line ends of a file that has CRLF throughout."""
    if "\r\n" not in text or text.count("\n") != text.count("\r\n"):
        return old, new
    return _crlf(old), _crlf(new)


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    elif lines:
        lines[-1] += "  (no line end)"
    return [line.removesuffix("\r") for line in lines]


def _lines_of(text: str, part: str) -> list[int]:
    out, at = [], text.find(part)
    while at >= 0:
        out.append(text.count("\n", 0, at) + 1)
        at = text.find(part, at + len(part))
    return out


def _not_there(path: str, text: str, old: str) -> str:
    said = f"old does not occur in {path}"
    if all(_NUMBERED.match(line) for line in old.splitlines()):
        return f"{said}: leave out the line numbers that read_file puts before each line"
    found = _nearest(text.split("\n"), old.strip("\r\n").split("\n"))
    if found is None:
        return f"{said}, nor anything near it; read the file again"
    first, lines, only_blanks = found
    shown = "\n".join(f"{number}\t{line.rstrip(chr(13))}" for number, line in enumerate(lines, first))
    hint = "; it differs in blanks or indentation only" if only_blanks else ""
    return f"{said}. The nearest is at line {first}{hint}:\n{shown}"


def _nearest(lines: list[str], wanted: list[str]) -> tuple[int, list[str], bool] | None:
    """First line number, lines, and whether only blanks differ, of the part that is most like ``wanted``."""
    import difflib  # noqa: PLC0415 - only needed where the text was not found

    size = len(wanted)
    plain = [" ".join(line.split()) for line in lines]
    target = [" ".join(line.split()) for line in wanted]
    at_offset = {line: offset for offset, line in reversed(list(enumerate(target))) if line}
    starts: dict[int, int] = {}
    for number, line in enumerate(plain):
        if line in at_offset:
            start = max(0, number - at_offset[line])
            starts[start] = starts.get(start, 0) + 1
    best = sorted(starts, key=lambda start: -starts[start])[:5]
    if not best:
        longest = max(target, key=len)
        near = difflib.get_close_matches(
            longest[:500], [line[:500] for line in plain[:5000] if line], n=1, cutoff=0.5
        )
        numbers = [number for number, line in enumerate(plain[:5000]) if near and line[:500] == near[0]]
        best = [max(0, number - target.index(longest)) for number in numbers[:1]]
    goal = "\n".join(target)[:5000]

    def likeness(start: int) -> float:
        return difflib.SequenceMatcher(None, "\n".join(plain[start : start + size])[:5000], goal).ratio()

    scored = [(likeness(start), -start) for start in best]
    if not scored or max(scored)[0] < _NEAR_ENOUGH:
        return None
    start = -max(scored)[1]
    part = lines[start : start + size]
    return start + 1, [line[:300] for line in part[:40]], plain[start : start + size] == target


TOOLS = (
    Tool(
        "edit_file",
        "Replace an exact text in a file; answers the diff.",
        {
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "old": {"type": "string", "description": "text as it is in the file, unique"},
                "new": {"type": "string"},
                "replace_all": {"type": "boolean"},
            },
            "required": ["path", "old", "new"],
        },
        edit_file,
        "write",
    ),
)
