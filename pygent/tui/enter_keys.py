"""Enter together with other keys, as terminals without the newer key protocol send it; Textual does not know it."""

from __future__ import annotations

from collections.abc import MutableMapping
from enum import StrEnum
from typing import cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

SPELLED = {"\r": "alt+enter", "shift+\r": "shift+enter"}
"""What Textual calls the keys of xterm's `modifyOtherKeys`, which tmux passes on, and what they are."""


class Extra(StrEnum):
    """Keys beside Textual's own."""

    AltEnter = "alt+enter"


def know() -> None:
    """Let Escape and Enter in one piece be Alt+Enter, where it would be Enter alone and send what is not finished."""
    cast("MutableMapping[str, object]", ANSI_SEQUENCES_KEYS).setdefault("\x1b\r", (Extra.AltEnter,))
