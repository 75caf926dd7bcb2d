"""How a person likes the panes: sizes, what is hidden, which tab; kept in the data folder from one start to the next.

The file is one line of JSON with numbers only, so that the first frame can know it without loading a parser.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import field
from pathlib import Path

from pygent.errors import SettingsError
from pygent.records import record
from pygent.settings import data_dir
from pygent.settings.paths import write_private

FILE = "layout.json"
SIDE_PANES = ("tool-log", "tasks", "workspace")
WHOLE = 1000
SIDE = 400
"""The width of the side panes in thousandths of the screen's."""

HEIGHTS = {"tool-log": 5, "tasks": 3, "workspace": 5}
"""Their heights, in relation to each other."""

_LARGEST = 2000
_PART = r'"([a-z-]{1,20})": (\d{1,4})'
_WHOLE_FILE = r'\{("[a-z-]{1,20}": \d{1,4}(, |\}\s*$))+'


@record(frozen=False)
class Arrangement:
    """What is remembered. ``hidden`` are side panes that do not show, ``side_hidden`` says that none does."""

    side: int = SIDE
    heights: dict[str, int] = field(default_factory=lambda: dict(HEIGHTS))
    hidden: set[str] = field(default_factory=set)
    side_hidden: bool = False
    tab: str = SIDE_PANES[0]

    def text(self) -> str:
        """The line that is kept."""
        values = {"side": self.side, "side-hidden": int(self.side_hidden), "tab": SIDE_PANES.index(self.tab)}
        values |= self.heights
        values |= {f"{pane}-hidden": int(pane in self.hidden) for pane in SIDE_PANES}
        return "{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}\n"

    @classmethod
    def parse(cls, text: str) -> Arrangement | None:
        """What ``text`` keeps; None where that is not to be understood. What is missing is as it is at first."""
        if not re.fullmatch(_WHOLE_FILE, text):
            return None
        values = {name: int(number) for name, number in re.findall(_PART, text)}
        out = cls(side=values.get("side", SIDE), side_hidden=bool(values.get("side-hidden")))
        out.heights |= {pane: values[pane] for pane in SIDE_PANES if pane in values}
        out.hidden = {pane for pane in SIDE_PANES if values.get(f"{pane}-hidden")}
        tab = values.get("tab", 0)
        sound = 100 <= out.side <= 900 and all(1 <= height <= 1000 for height in out.heights.values())
        if not sound or tab >= len(SIDE_PANES):
            return None
        out.tab = SIDE_PANES[tab]
        return out


LAYOUTS: dict[str, Callable[[], Arrangement]] = {
    "reset": Arrangement,
    "wide": lambda: Arrangement(side=250),
    "even": lambda: Arrangement(side=500),
    "alone": lambda: Arrangement(side_hidden=True),
}
"""What ``/layout`` offers."""


def read_arrangement() -> tuple[Arrangement, str]:
    """What is kept, and a complaint about the file, "" where there is none."""
    try:
        path = data_dir() / FILE
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (SettingsError, FileNotFoundError, NotADirectoryError):
        return Arrangement(), ""
    except OSError as error:
        return Arrangement(), f"The layout is not remembered: {error.strerror or error}"
    try:
        found = Arrangement.parse(os.read(handle, _LARGEST).decode("utf-8", "replace"))
    except OSError:
        found = None
    finally:
        os.close(handle)
    if found is None:
        return Arrangement(), f"{path} cannot be understood; the layout begins anew and takes its place."
    return found, ""


def write_arrangement(text: str) -> Path:
    """Keep what `Arrangement.text` answered. Raises ``OSError`` and ``SettingsError``."""
    path = data_dir() / FILE
    write_private(path, text)
    return path
