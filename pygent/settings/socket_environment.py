"""The variables that lead to sockets with which a program can act in a person's name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SOCKET_NAMES = ("SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS")
"""The agents of ssh and gpg, and the message buses of the session and of the system."""


def socket_paths(environ: Mapping[str, str] | None = None) -> list[Path]:
    """The paths in them, whether or not there is a socket, and the usual ones of the user's session."""
    environ = os.environ if environ is None else environ
    found = []
    for name in SOCKET_NAMES:
        value = environ.get(name, "").removeprefix("unix:path=").partition(",")[0].partition(":")[0]
        if value.startswith("/"):
            found.append(Path(value))
    if (folder := environ.get("XDG_RUNTIME_DIR", "")).startswith("/"):
        found += [
            Path(folder) / name for name in ("bus", "wayland-0", "pipewire-0", "gnupg/S.gpg-agent", "docker.sock")
        ]
    return found
