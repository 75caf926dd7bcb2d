"""The first block of a conversation: what this is, where it works, and how to begin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from pygent._version import __version__
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import Block
from pygent.tui.text import clean_line
from pygent.tui.wrap import Line, cells, cut

if TYPE_CHECKING:
    from pygent.session import Session

HINTS = (
    ("/", "commands"),
    ("@", "files"),
    ("!", "run a command in the sandbox"),
    ("F1", "help"),
    ("Ctrl+P", "everything"),
)


class WelcomeBlock(Block):
    """Name, version, workspace, model and sandbox, and a few keys."""

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None

    def plain(self) -> str:
        return f"pygent {__version__}"

    def estimate(self, width: int) -> int:
        return 14  # more than it has costs nothing, less would cut the first frame

    def lines(self, width: int, palette: Palette) -> list[Line]:
        out: list[Line] = [
            [],
            [
                Segment("   "),
                Segment("▞▚ ", palette.mark),
                Segment("pygent", palette.strong),
                Segment(f"  {__version__}", palette.muted),
            ],
            [Segment(f"      {self._motto()}"[: max(0, width - 1)], palette.muted)],
            [],
        ]
        for name, value, style in self._facts(palette):
            out.append(
                [
                    Segment(f"      {name:<13}", palette.muted),
                    Segment(cut(value, max(1, width - 21)), style),
                ]
            )
        return [*out, [], *_hints(width, palette), []]

    def _motto(self) -> str:
        if self.session is not None and self.session.status().demo:
            return "A demo: a scripted model, no server, but real tools and real files."
        return "You and an agent, working on code together."

    def _facts(self, palette: Palette) -> list[tuple[str, str, Style]]:
        session = self.session
        if session is None:
            return []
        status = session.status()
        facts = [
            ("workspace", clean_line(short_path(status.workspace)), palette.text),
            ("model", clean_line(status.model), palette.text),
        ]
        if session.opened:
            facts.append(("sandbox", status.sandbox, palette.text if status.confined else palette.warning))
        else:
            facts.append(("sandbox", "starting …", palette.muted))
        facts.append(
            ("permissions", f"{status.permission_mode} · {MODES.get(status.permission_mode, '')}", palette.text)
        )
        return facts


MODES = {
    "plan": "reads only",
    "ask": "asks before it writes or runs",
    "auto": "free in the workspace, asks beyond it",
    "yolo": "never asks",
}


def short_path(path: Path) -> str:
    """``path`` with the home folder as ``~``."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}".removesuffix("/.")
    except (ValueError, RuntimeError):
        return str(path)


def _hints(width: int, palette: Palette) -> list[Line]:
    lines: list[Line] = []
    line: Line = [Segment("      ")]
    for key, what in HINTS:
        piece = [Segment(key, palette.accent + Style(bold=True)), Segment(f" {what}   ", palette.muted)]
        if cells(line) + cells(piece) > width and len(line) > 1:
            lines.append(line)
            line = [Segment("      ")]
        line = [*line, *piece]
    return [*lines, line]
