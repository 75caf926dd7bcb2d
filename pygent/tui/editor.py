"""The prompt in the person's own editor."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported


def edit(app: App[object], text: str) -> str | None:
    """What ``text`` became in the editor; None where there is no editor, or no terminal to show it in.

    The shell looks up ``$VISUAL`` and ``$EDITOR``, so that one with options works too.
    """
    with tempfile.TemporaryDirectory(prefix="pygent-") as folder:
        file = Path(folder) / "prompt.md"
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                done = subprocess.run(["sh", "-c", '${VISUAL:-${EDITOR:-vi}} "$1"', "sh", str(file)], check=False)
        except (SuspendNotSupported, OSError):
            return None
        if done.returncode != 0:
            return None
        return file.read_text(encoding="utf-8", errors="replace").rstrip("\n")
