"""Where Pygent keeps its settings and its data on this machine, and how private files are written."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pygent.errors import SettingsError

NAME = "pygent"
WORKSPACE_FOLDER = ".pygent"
"""The folder in a workspace that has its settings."""


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The user's folder for settings; it need not exist. Raises ``SettingsError`` where there is no home folder."""
    return _folder("config", "XDG_CONFIG_HOME", "~/.config", environ)


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The user's folder for sessions, trust and other data; it need not exist. Raises ``SettingsError``."""
    return _folder("data", "XDG_DATA_HOME", "~/.local/share", environ)


def _folder(kind: str, variable: str, default: str, environ: Mapping[str, str] | None) -> Path:
    if sys.platform in {"darwin", "win32", "android"}:
        import platformdirs  # noqa: PLC0415

        find = platformdirs.user_config_path if kind == "config" else platformdirs.user_data_path
        return find(NAME, appauthor=False)
    # The same answer as platformdirs gives here, without the 40 ms of its import.
    environ = os.environ if environ is None else environ
    home = environ.get("HOME")
    base = environ.get(variable, "").strip()
    if base.startswith("/"):  # the XDG specification ignores relative ones
        return Path(base) / NAME
    try:
        return (Path(home) / default[2:] if home else Path(default).expanduser()) / NAME
    except RuntimeError:
        raise SettingsError(f"there is no home folder; set HOME or {variable}", key=variable) from None


def write_private(path: Path, text: str) -> None:
    """Write ``path`` in one piece, readable only by its owner, its folder made private if it is new.

    Raises ``OSError``.
    """
    import tempfile  # noqa: PLC0415

    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
