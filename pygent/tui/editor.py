"""The prompt in the person's own editor."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported


def edit(app: App[object], text: str, name: str = "prompt.md") -> str | None:
    """What ``text`` became in the editor; None where there is no editor, or no terminal to show it in.

    ``name`` is the file's, by which an editor knows what it is. The shell looks up ``$VISUAL`` and ``$EDITOR``, so
    that one with options works too.
    """
    with tempfile.TemporaryDirectory(prefix="pygent-") as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                done = subprocess.run(["sh", "-c", '${VISUAL:-${EDITOR:-vi}} "$1"', "sh", str(file)], check=False)
        except (SuspendNotSupported, OSError):
            return None
        if done.returncode != 0:
            return None
        return file.read_text(encoding="utf-8", errors="replace").rstrip("\n")
