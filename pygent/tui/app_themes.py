"""The themes of the application: the one of the first frame, then all; and the one that is being edited."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.app import App
from textual.timer import Timer

from pygent.errors import PygentError, SettingsError
from pygent.settings import config_dir
from pygent.settings.nodes import nearest
from pygent.tui.themes import DEFAULT_THEME, find_file, find_theme, load_themes, read_theme, shipped_folder

if TYPE_CHECKING:
    from textual.theme import Theme

FEW_COLOURS = "pygent-ansi"
"""For terminals that have sixteen colours: mixed ones would all become the same grey there."""

NO_COLOUR = "pygent-contrast"
"""For those that have sixteen and show none: black, white and what lies between must do."""

LOOK = 1.5
"""Seconds between two looks at the file of the theme that is on."""

_OTHERS_FEW = frozenset({"ansi-dark", "ansi-light"})


class ThemeEntry(NamedTuple):
    """A theme as it is listed; ``source`` is ``pygent``, ``yours`` or ``textual``."""

    name: str
    theme: Theme
    source: str


class AppThemes:
    """Registers themes with ``app``; what is wrong with them goes to ``tell``, each thing once."""

    def __init__(self, app: App[Any], tell: Callable[[str], object]) -> None:
        self._app = app
        self.tell = tell
        self._read = False
        self._textuals = frozenset(app.available_themes)
        self._made_legible: set[str] = set()
        self._timer: Timer | None = None
        self._file: Path | None = None
        self._stamp: tuple[int, int] | None = None

    # The start.

    def choose(self, wanted: str, source: str = "default", *, forced: bool = False) -> None:
        """Use the theme ``wanted``; the others are read only where there is none of that name.

        A terminal with few colours gets a theme made for those, unless ``forced``. ``source``: where the name stands.
        """
        if not forced:
            wanted = self._for_terminal(wanted)
        app = self._app
        with contextlib.suppress(PygentError):  # told when all are read
            if (theme := find_theme(wanted, user_folder())) is not None:
                app.register_theme(theme)
        if wanted not in app.available_themes:
            self.complete()
        if wanted not in app.available_themes:
            near = nearest(wanted, app.available_themes) or ";"
            self.tell(
                f"{source}: there is no theme {wanted!r}{near} /theme shows all. {DEFAULT_THEME} is on instead."
            )
            wanted = DEFAULT_THEME
        self.use(wanted)

    def _for_terminal(self, wanted: str) -> str:
        screen = sys.__stderr__  # where Textual draws
        few = self._app.console.color_system in {"standard", "windows"}
        if not few or wanted in _OTHERS_FEW or screen is None or not screen.isatty():
            return wanted
        return NO_COLOUR if self._app.no_color else FEW_COLOURS

    def complete(self) -> None:
        """Register all themes."""
        if not self._read:
            self._read = True
            for theme in load_themes(user_folder(), on_error=lambda error: self.tell(str(error))):
                self._app.register_theme(theme)
            if self._app.is_running:
                self._follow()

    # Choosing while the application runs.

    def use(self, name: str) -> None:
        """Turn a registered theme on."""
        if name in self._textuals and name not in self._made_legible:
            from pygent.tui.theme_colours import legible  # noqa: PLC0415 - for themes that are not ours

            self._made_legible.add(name)
            self._app.register_theme(legible(self._app.available_themes[name]))
        self._app.theme = name
        self._follow()

    def entries(self) -> list[ThemeEntry]:
        """All themes, ours first, then the person's own, read anew; bad files are told."""
        self._read = False
        self.complete()
        ours = {path.stem for path in shipped_folder().glob("*.yaml")}
        entries = []
        for name, theme in self._app.available_themes.items():
            if find_file(name, user_folder()) is not None:
                entries.append(ThemeEntry(name, theme, "yours"))
            else:
                entries.append(ThemeEntry(name, theme, "pygent" if name in ours else "textual"))
        order = ("pygent", "yours", "textual")
        return sorted(entries, key=lambda entry: (order.index(entry.source), entry.name != DEFAULT_THEME, entry.name))

    def names(self) -> list[str]:
        """The names of all themes in the order of ``entries``, without reading files."""
        self.complete()
        return sorted(self._app.available_themes, key=lambda name: (name in self._textuals, name))

    def new(self, name: str) -> Path:
        """Write a file to begin a theme with, and use it. Raises ``SettingsError``."""
        from pygent.tui.theme_starter import write_starter  # noqa: PLC0415 - rarely asked for

        path = write_starter(name, user_folder(), self._app.current_theme)
        self._app.register_theme(read_theme(path))
        self.use(name)
        return path

    # The file of the theme that is on is followed while it is edited.

    def _follow(self) -> None:
        if not self._app.is_running:
            return
        self._file = find_file(self._app.theme, user_folder())
        self._stamp = _stamp(self._file) if self._file is not None else None
        if self._timer is None and self._file is not None:
            self._timer = self._app.set_interval(LOOK, self._look)
        elif self._timer is not None:
            (self._timer.pause if self._file is None else self._timer.resume)()

    def _look(self) -> None:
        if self._file is None or self._file.stem != self._app.theme:
            return
        stamp = _stamp(self._file)
        if stamp is None or stamp == self._stamp:  # an editor may replace it in two steps
            return
        self._stamp = stamp
        try:
            theme = read_theme(self._file)
        except SettingsError as error:
            self.tell(f"{error}\nThe theme stays as it was until the file can be read.")
            return
        app = self._app
        app.register_theme(theme)
        app.refresh_css(animate=False)
        app.theme_changed_signal.publish(theme)


def user_folder() -> Path:
    """Where the person's own themes are; it need not exist."""
    return config_dir() / "themes"


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
