"""The settings in a saved state (``/save DIR``): written without keys, and taken up as far as they widen nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pygent.errors import SettingsError
from pygent.settings.fields import BY_KEY
from pygent.settings.file_source import folder_layer, read_layer
from pygent.settings.layers import Layer
from pygent.settings.masking import shown
from pygent.settings.model import Settings
from pygent.settings.narrow import narrow
from pygent.settings.secrets import secrets_of, without_secrets

if TYPE_CHECKING:
    from pygent.persona import Persona

MANIFEST = "pygent.json"
"""The file by which a folder is known as a saved state."""

SETTINGS_FILE = "settings.yaml"

_LEFT_OUT = {
    "api_key", "env", "headers", "providers", "proxy", "certificates", "personas",  # hold keys, or may
    "workspace", "ephemeral", "snapshot", "init_files", "history_file", "log_file",  # are of one start
}  # fmt: skip


def settings_text(settings: Settings) -> str:
    """What is set other than by default, as a settings file without keys: nothing of servers but their addresses."""
    import yaml  # noqa: PLC0415 - slow to load

    from pygent.settings.yaml_source import parse_yaml  # noqa: PLC0415

    values = {}
    for key, value in settings.values().items():
        if key in BY_KEY and key not in _LEFT_OUT and settings.source(key) != "default":
            plain = shown(key, value)
            one = yaml.safe_dump({key: plain}, allow_unicode=True, sort_keys=False)
            problems: list[SettingsError] = []
            read_layer(parse_yaml(one, Path(SETTINGS_FILE)), Path(SETTINGS_FILE), SETTINGS_FILE, problems)
            if plain not in (None, "", [], {}) and not problems:  # what cannot be read back is not written
                values[key] = plain
    head = "# Settings of the session that was saved; without keys. --load takes those that widen nothing.\n"
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False) if values else ""
    return without_secrets(head + text, secrets_of(settings))


def saved_layer(
    folder: Path, source: str, below: Settings, personas: Mapping[str, Persona], problems: list[SettingsError]
) -> Layer:
    """The settings of a saved state that may hold over ``below``: those that a workspace's own file may set as well.

    What is no saved state is a problem. ``source`` says who names the folder.
    """
    if not (folder / MANIFEST).is_file():
        what = "is no saved state; /save DIR makes one" if folder.is_dir() else "does not exist"
        problems.append(SettingsError(f"{source}: {str(folder)!r} {what}", key="snapshot"))
        return {}
    layer = folder_layer(folder, SETTINGS_FILE, str(folder / SETTINGS_FILE), problems)
    return narrow(layer, below, personas)[0]
