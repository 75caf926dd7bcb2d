"""``bash``: run a command in the sandbox."""

from __future__ import annotations

import math
from typing import Any

from pygent.errors import ToolError
from pygent.tools.registry import Tool

LONGEST = 3600
"""Seconds that one command may take at most."""


def bash(rt: Any, cmd: str, timeout: float | None = None) -> object:
    """Run a shell command, ``timeout`` in seconds."""
    if not cmd.strip():
        raise ToolError("the command is empty")
    if timeout is None or not hasattr(rt, "scope"):  # a duck-typed runtime knows no timeout
        return rt.bash(cmd)
    if not math.isfinite(timeout) or timeout <= 0:
        raise ToolError(f"timeout must be a positive number of seconds, not {timeout}")
    return rt.bash(cmd, timeout=min(timeout, LONGEST))


TOOLS = (
    Tool(
        "bash",
        "Run a shell command. Every call starts fresh in the workspace folder: cd and variables do not last. "
        "No input can be typed.",
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
