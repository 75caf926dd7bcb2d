"""What every sandbox asks of a command before it runs it."""

from __future__ import annotations

import os

MAX_COMMAND = 128 * 1024 - 1
"""Bytes that Linux takes as one argument."""

MAX_TIMEOUT = 24 * 3600.0
"""Seconds; a longer timeout is cut to it."""

FIXED_ENVIRONMENT = {
    "CI": "true",
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
}
"""Variables of every command: programs neither ask nor page nor draw."""


def check_command(cmd: str) -> bytes:
    """The command's bytes. Raises ``ValueError`` where no shell could take it."""
    if not isinstance(cmd, str):
        raise ValueError(f"A command is a text, not {type(cmd).__name__}.")  # noqa: TRY004 - one error for all of it
    if "\0" in cmd:
        raise ValueError("The command holds a NUL character, which no shell can take. Use printf '\\0' or a file.")
    try:
        data = os.fsencode(cmd)
    except UnicodeEncodeError as error:
        raise ValueError(f"The command holds {cmd[error.start]!r}, which UTF-8 cannot express.") from None
    if len(data) > MAX_COMMAND:
        raise ValueError(
            f"The command has {len(data):,} bytes, more than the limit of {MAX_COMMAND:,}. "
            "Write it to a file and run that."
        )
    return data


def check_timeout(timeout: float) -> float:
    """Seconds between just above 0 and a day. Raises ``ValueError`` for what is no positive number."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
        raise ValueError(f"timeout must be a number of seconds above 0, not {timeout!r}.")
    return float(min(timeout, MAX_TIMEOUT))
