"""The password that lets a browser in: from a variable or a file, so that it stands in no list of processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pygent.errors import SettingsError

VARIABLE = "PYGENT_WEB_PASSWORD"
OPTION = "--password-file"
SHORTEST, LONGEST = 8, 1024


def web_password(file: Path | None = None, environ: Mapping[str, str] | None = None) -> str | None:
    """The first line of ``file``, else what the variable says; None where neither is given.

    Raises ``SettingsError`` where the file cannot be read, where others can read it, and where the password is too
    short to be one.
    """
    if file is None:
        text = (os.environ if environ is None else environ).get(VARIABLE, "").strip()
        return _checked(text, VARIABLE) if text else None
    try:
        with file.open(encoding="utf-8") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.readline(LONGEST + 2).strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SettingsError(f"{OPTION}: {file} cannot be read: {why}", key="password_file") from None
    if os.name == "posix" and mode & 0o077:
        raise SettingsError(
            f"{OPTION}: others can read {file} (mode {mode & 0o777:o}); accepted: a file of your own, chmod 600",
            key="password_file",
        )
    return _checked(text, f"{OPTION} {file}")


def _checked(text: str, where: str) -> str:
    if SHORTEST <= len(text) <= LONGEST:
        return text
    raise SettingsError(
        f"{where}: a password of {len(text)} characters cannot be used; accepted: {SHORTEST} to {LONGEST}",
        key="web_password",
    )
