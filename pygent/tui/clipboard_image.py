"""An image from the clipboard, by whichever program of this machine can read it. Runs beside the screen's thread."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys

from pygent.images import ACCEPTED, MAX_BYTES, ImageError, read_image
from pygent.settings.paths import data_dir
from pygent.tui.draft import Picture

SECONDS = 5.0

KEPT = 50
"""Pasted images that are kept on disk."""

READERS = (
    ("wl-paste", ("--no-newline", "--type", "image/png")),
    ("xclip", ("-selection", "clipboard", "-target", "image/png", "-out")),
)
READERS_MAC = (("pngpaste", ("-",)),)


class NoImage(ImageError):
    """The clipboard gives no image; the text says what can be done."""


def clipboard_image() -> Picture:
    """The image in the clipboard, also kept in a private file, so that a draft or a tool can come back to it.

    Raises ``ImageError`` and ``OSError``.
    """
    data = _read()
    name = f"pasted-{hashlib.sha256(data).hexdigest()[:8]}.png"
    folder = data_dir() / "pasted"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    for old in sorted(folder.glob("pasted-*.png"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)
    return Picture(str(file), read_image(str(file), data))


def _read() -> bytes:
    """The image in the clipboard as a PNG. Raises ``NoImage``."""
    readers = READERS_MAC if sys.platform == "darwin" else READERS
    found = [(shutil.which(name), options) for name, options in readers]
    programs = [(path, options) for path, options in found if path]
    if not programs:
        names = " or ".join(name for name, _ in readers)
        raise NoImage(f"Reading an image from the clipboard needs {names}; or paste the path of an image file.")
    for path, options in programs:
        try:
            done = subprocess.run(
                [path, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and done.stdout:
            if len(done.stdout) > MAX_BYTES:
                raise NoImage(f"The image in the clipboard is too large; accepted: {ACCEPTED}.")
            return done.stdout
    raise NoImage("There is no image in the clipboard. Text is pasted with the terminal's own key.")
