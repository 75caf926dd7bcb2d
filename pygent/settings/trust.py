"""Which folders' own settings the user has chosen to follow. Kept in the data folder, by real path."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pygent.errors import SettingsError
from pygent.settings.paths import data_dir, write_private

FILE = "trusted-folders.json"


def is_trusted(folder: str | Path, environ: Mapping[str, str] | None = None) -> bool:
    """True where the user has trusted this very folder (its parents do not count).

    A list that others could have written, or that cannot be read, trusts nobody.
    """
    try:
        return _key(folder) in _read(data_dir(environ) / FILE)
    except (OSError, ValueError):
        return False


def trust(folder: str | Path, environ: Mapping[str, str] | None = None) -> Path:
    """Follow the settings of ``folder`` from now on; returns its real path.

    Raises ``SettingsError`` where it is no folder, or where the list cannot be kept.
    """
    real = Path(_key(folder))
    if not real.is_dir():
        raise SettingsError(f"{str(folder)!r} is not a folder")
    _change(environ, lambda known: [*known, str(real)])
    return real


def distrust(folder: str | Path, environ: Mapping[str, str] | None = None) -> Path:
    """Ignore the settings of ``folder`` again; returns its real path. Raises ``SettingsError``."""
    real = _key(folder)
    _change(environ, lambda known: [name for name in known if name != real])
    return Path(real)


def _key(folder: str | Path) -> str:
    return os.path.realpath(folder)


def _read(path: Path) -> list[str]:
    import json  # noqa: PLC0415

    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return []
    state = os.fstat(handle)
    others = hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & 0o022)
    if others or not stat.S_ISREG(state.st_mode):
        os.close(handle)
        raise ValueError(f"{path} is no file of yours alone")
    with os.fdopen(handle, encoding="utf-8") as file:
        content: Any = json.load(file)
    folders = content.get("folders") if isinstance(content, dict) else None
    if not isinstance(folders, list) or not all(isinstance(name, str) for name in folders):
        raise ValueError(f"{path} does not hold a list of folders")
    return folders


def _change(environ: Mapping[str, str] | None, change: Any) -> None:
    import json  # noqa: PLC0415

    path = data_dir(environ) / FILE
    try:
        known = _read(path)
    except (OSError, ValueError) as error:
        raise SettingsError(f"the list of trusted folders cannot be read: {error}; remove it to start anew") from None
    folders = list(dict.fromkeys(change(known)))
    try:
        write_private(path, json.dumps({"folders": folders}, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}") from None
