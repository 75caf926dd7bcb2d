"""The set-up screen with what it needs from the core."""

from __future__ import annotations

from pygent.session import find_servers, list_models
from pygent.settings import Settings, save_user_settings
from pygent.tui.screens.setup import SetupScreen


def setup_screen(settings: Settings) -> SetupScreen:
    """The screen that asks where the model is, and remembers it where that is wished."""
    return SetupScreen(settings, discover=find_servers, list_models=list_models, save=save_user_settings)
