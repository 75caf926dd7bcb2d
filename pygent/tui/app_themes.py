"""The themes of the application: the one of the first frame, then all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App

from pygent.errors import PygentError
from pygent.settings import config_dir
from pygent.tui.themes import DEFAULT_THEME, find_theme, load_themes


class AppThemes:
    """Registers themes with ``app``; what is wrong with them goes to ``tell``, once."""

    def __init__(self, app: App[Any], tell: Callable[[str], object]) -> None:
        self._app = app
        self._tell = tell
        self._read = False

    def choose(self, wanted: str) -> None:
        """Use the theme ``wanted``; the others are read only where there is none of that name."""
        app = self._app
        with contextlib.suppress(PygentError):  # told when all are read
            if (theme := find_theme(wanted, _folder())) is not None:
                app.register_theme(theme)
        if wanted not in app.available_themes:
            self.complete()
        if wanted not in app.available_themes:
            self._tell(f"There is no theme {wanted!r}; /theme lists them.")
            wanted = DEFAULT_THEME
        app.theme = wanted

    def complete(self) -> None:
        """Register all themes."""
        if not self._read:
            self._read = True
            for theme in load_themes(_folder(), on_error=lambda error: self._tell(str(error))):
                self._app.register_theme(theme)


def _folder() -> Path:
    return config_dir() / "themes"
