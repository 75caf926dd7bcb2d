"""The set-up screen with what it needs from the core."""

from __future__ import annotations

from collections.abc import Sequence

from pygent.models.discover import find_servers, list_models
from pygent.settings import Settings, save_user_settings
from pygent.tui.screens.setup import SetupScreen

OPENAI = "https://api.openai.com/v1"


def setup_screen(settings: Settings) -> SetupScreen:
    """The screen that asks where the model is, and remembers it where that is wished."""
    return SetupScreen(settings, discover=find_servers, list_models=_models, save=save_user_settings)


def _models(base_url: str | None, key: str | None) -> Sequence[str]:
    return list_models(base_url or OPENAI, key)
