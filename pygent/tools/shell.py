"""``bash``: run a command in the sandbox."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from pygent.errors import ToolError
from pygent.tools.failing import failing_part
from pygent.tools.hints import hint
from pygent.tools.registry import Tool

LONGEST = 3600
"""Seconds that one command may take at most."""

_GAP = re.compile(r"\n\[… (?P<size>[\d,]+) bytes left out; [^\n]+ …\]\n")
_LOOKED_THROUGH = 8 * 1024 * 1024
_OF_THE_GAP = 64 * 1024


def bash(rt: Any, cmd: str, timeout: float | None = None) -> object:
    """Run a shell command, ``timeout`` in seconds."""
    if not cmd.strip():
        raise ToolError("the command is empty")
    if timeout is None or not hasattr(rt, "scope"):  # a duck-typed runtime knows no timeout
        output = rt.bash(cmd)
    elif not math.isfinite(timeout) or timeout <= 0:
        raise ToolError(f"timeout must be a positive number of seconds, not {timeout}")
    else:
        output = rt.bash(cmd, timeout=min(timeout, LONGEST))
    scope = getattr(rt, "scope", None)
    if not isinstance(output, str) or not getattr(scope, "outcome", None):
        return output
    if file := getattr(scope, "rest", ""):
        output = _with_failures(output, f"$ {cmd}\n", file)
    said = hint(rt, cmd, output, getattr(scope, "exit_status", None))
    before, end, status = output.rpartition("\n[exit status: ")
    return f"{before}\n[{said}]{end}{status}" if said and end else output


def _with_failures(output: str, head: str, file: str) -> str:
    """A failed command's output, which has a gap since it was too long to hold, with what tells of failures there."""
    gap = _GAP.search(output)
    if gap is None:
        return output
    size = int(gap["size"].replace(",", ""))
    try:
        with Path(file).open("rb") as all_of_it:
            all_of_it.seek(len(output[: gap.start()].removeprefix(head).encode()))
            missing = all_of_it.read(min(size, _LOOKED_THROUGH)).decode("utf-8", "replace")
    except OSError:  # it goes with the runtime
        return output
    return f"{output[: gap.end()]}{failing_part(missing, _OF_THE_GAP)}\n{output[gap.end() :]}"


TOOLS = (
    Tool(
        "bash",
        "Run a shell command in the workspace folder. cd and variables do not last; no input can be typed.",
        {
            "type": "object",
            "properties": {
                "cmd": {"type": "string"},
                "timeout": {"type": "number", "description": "seconds, default 30"},
            },
            "required": ["cmd"],
        },
        bash,
        "run",
    ),
)
