"""What a changed setting does to the application that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pygent.errors import PygentError
from pygent.tui.settings_rows import AT_ONCE, NEXT_RUN, default_of

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp


def apply_setting(app: PygentApp, key: str, value: Any) -> str:
    """Follow a setting's new value where that can be; None is its default.

    Answers what went wrong, "" for nothing.
    """
    if key not in AT_ONCE | NEXT_RUN:
        return ""
    session = app.session
    value = default_of(key) if value is None else value
    try:
        if key == "theme":
            if value not in app.available_themes:
                return f"There is no theme {value!r}; /theme lists them."
            app.themes.use(value)
        elif key == "permission_mode":
            session.set_permission_mode(value or ("auto" if session.status().confined else "ask"))
        elif key == "budget":
            session.set_budget(value)
        elif key == "confirm_bash":
            session.set_confirm_bash(bool(value))
        elif key == "model" and session.opened and not session.status().demo:
            session.set_model(value)
        session.prefer(**{key: value})
        if key == "keymap":
            app.follow_keymap()
    except (PygentError, ValueError) as error:
        return str(error)
    app.main.state_changed()
    if app.attention is not None:
        app.attention.changed()
    return ""
