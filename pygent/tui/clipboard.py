"""The clipboard: through the terminal, which may be far away, and through a program of this machine.

Nobody answers whether a terminal took what it was sent, so both ways are gone where there are both.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pygent.plain_text import clean
from pygent.tui.panes.text import size_of

if TYPE_CHECKING:
    from textual.app import App

LIMIT = 74_000
"""Bytes of the encoded text that terminals take; many drop what is longer."""

PATIENCE = 3.0
"""Seconds that a program has."""

_PIECE = 76
"""Bytes of a string that ``screen`` passes on at once."""

_PROGRAMS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)


def sequences(text: str, terminal: Mapping[str, str]) -> Iterator[str]:
    """What is written to the terminal: OSC 52, and wrapped for what stands between.

    ``terminal`` are the variables of `pygent.settings.terminal`. tmux takes the plain form where ``set-clipboard`` is
    on, and passes the wrapped one on where ``allow-passthrough`` is.
    """
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    plain = f"\x1b]52;c;{encoded}\a"
    if terminal.get("TMUX"):
        yield plain
        yield "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    elif terminal.get("STY") or terminal.get("TERM", "").startswith("screen"):
        pieces = (plain[at : at + _PIECE] for at in range(0, len(plain), _PIECE))
        yield "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    else:
        yield plain


def program(
    terminal: Mapping[str, str], platform: str = sys.platform, which: Callable[[str], object] = shutil.which
) -> Sequence[str] | None:
    """The program that fills the clipboard of this machine's screen; None where there is none."""
    if platform == "darwin":
        return ("pbcopy",) if which("pbcopy") else None
    for variable, command in _PROGRAMS:
        if terminal.get(variable) and which(command[0]):
            return command
    return ("clip.exe",) if which("clip.exe") else None  # Windows, also from a Linux within it


def give(command: Sequence[str], text: str) -> bool:
    """Give ``text`` to a program; the answer is whether it took it. It may stay to serve the clipboard."""
    data = text.encode("utf-16" if command[0] == "clip.exe" else "utf-8", "replace")
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class Clipboard:
    """What was copied last is what the clipboard has in the end, however long programs take."""

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._newest = 0

    def copy(
        self,
        text: str,
        terminal: Mapping[str, str],
        write: Callable[[str], object],
        failed: Callable[[], object],
    ) -> None:
        """Send ``text`` to the terminal, and give it to a program on a thread.

        ``failed`` is called there where the text is too large for the one and the other did not take it.
        """
        fits = _bytes(text) * 4 // 3 <= LIMIT
        if fits:
            for sequence in sequences(text, terminal):
                write(sequence)
        self._newest += 1
        number = self._newest

        def to_program() -> None:
            with self._one:
                if number != self._newest:  # another text was copied since
                    return
                command = program(terminal)
                given = command is not None and give(command, text)
            if not given and not fits:
                failed()

        threading.Thread(target=to_program, name="pygent-clipboard", daemon=True).start()


CLIPBOARD = Clipboard()
"""There is one."""


def copy(app: App[Any], text: str, plainly: Callable[[str], object]) -> None:
    """Copy for an application; ``plainly`` is how Textual does it, which is right in a browser."""
    text = clean(text)  # a shell that it is pasted into would obey what the screen does not show
    driver = app._driver  # noqa: SLF001 - as Textual's own does
    if driver is None or app.is_web or app.is_headless:
        plainly(text)
        return
    from pygent.settings import terminal  # noqa: PLC0415 - when something is copied

    def failed() -> None:
        size = size_of(_bytes(text))
        app.call_later(
            app.notify,
            f"{size} are more than terminals take ({size_of(LIMIT)}), and no program for the clipboard works here: "
            "wl-copy, xclip, xsel, pbcopy. /export writes all into a file.",
            title="Not copied",
            severity="warning",
        )

    app._clipboard = text  # noqa: SLF001 - what is pasted within the application
    CLIPBOARD.copy(text, terminal(), driver.write, failed)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
