"""Writing a choice into the person's own settings, beside the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pygent.errors import PygentError

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp


def remember(app: PygentApp, updates: Mapping[str, object], told: Callable[[Path | PygentError], object]) -> None:
    """Save ``updates`` on a thread; ``told`` gets the file, or why it could not be, on the interface's thread."""

    def save() -> None:
        from pygent.settings import save_user_settings  # noqa: PLC0415 - brings the YAML parser

        answer: Path | PygentError
        try:
            answer = save_user_settings(updates)
        except PygentError as error:
            answer = error
        app.call_later(told, answer)

    app.run_worker(save, thread=True, exit_on_error=False)


def stronger_source(source: str) -> str:
    """What decides over the person's own file: an option, a variable or another file; "" for nothing.

    ``source`` is a setting's, as `Settings.source` tells it.
    """
    parts = [part for part in source.split(" + ") if not part.startswith(("config.yaml", "credentials.yaml"))]
    return "" if not parts or parts[-1] in {"default", "personas/*.yaml"} else parts[-1]


def choose_theme(app: PygentApp, name: str) -> None:
    """Use a theme from now on, and remember it."""
    app.themes.use(name)

    def told(answer: Path | PygentError) -> None:
        if isinstance(answer, PygentError):
            app.main.note("/theme", f"{name} is on, but could not be remembered: {answer}", level="warning")
            return
        over = stronger_source(app.session.settings.source("theme"))
        rest = f"; at the next start {over} still decides" if over else ""
        app.notify(f"Theme {name}: remembered in {answer}{rest}", timeout=4)

    remember(app, {"theme": name}, told)
