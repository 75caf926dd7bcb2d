"""What on this machine a command should not reach unasked: places, files and sockets that are there now."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pygent import settings as config
from pygent.errors import SettingsError
from pygent.sandbox.docker_engine import DEFAULT_SOCKET, find_endpoint
from pygent.settings.socket_environment import socket_paths

Group = Literal["workspace", "protected", "home", "keys", "others", "place", "engine", "socket"]

KEYS = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".config/gcloud", ".kube", ".docker/config.json", ".password-store"),
    *(".netrc", ".git-credentials", ".npmrc", ".pypirc", ".pgpass", ".config/gh", ".vault-token"),
    *(".bash_history", ".zsh_history", ".local/share/keyrings", ".mozilla", ".config/google-chrome"),
)
"""What in a home folder opens other doors, or tells of them."""

PLACES = ("/tmp", "/var/tmp", "/etc", "/usr/local/bin", "/opt", "/srv", "/var/spool/cron")  # noqa: S108
"""Folders of the system in which a file can do harm or lie in wait."""

PROTECTED = (".git/hooks", ".pygent")
"""What in a workspace other programs run or trust."""

MOST_HOMES = 20
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Target:
    """One of them; ``identity`` is what tells it from another of the same name: its device and inode."""

    group: Group
    path: Path
    identity: str
    is_socket: bool = False


def find_targets(workspace: Path) -> list[Target]:
    """All that is there, as far as this process can see it, without what lies in ``workspace``."""
    root = workspace.resolve()
    out = [*_those("workspace", [root]), *_those("protected", [root / name for name in PROTECTED])]
    homes = _homes()
    for home in homes:
        out += [*_those("home", _with_samples(home)), *_those("keys", _keys(home))]
    with contextlib.suppress(SettingsError):
        out += _those("keys", [config.config_dir() / "credentials.yaml", config.data_dir()])
    out += _those("others", _other_homes(homes))
    out += _those("place", [*homes, *_own_folders(), root.parent, *map(Path, PLACES)])
    endpoint = find_endpoint()
    engine = [Path(DEFAULT_SOCKET), *([endpoint.socket] if endpoint and endpoint.socket else [])]
    out += [*_those("engine", engine), *_those("socket", [path for path in socket_paths() if path not in engine])]
    seen: set[tuple[str, str]] = set()
    kept = []
    for target in out:
        mark = (target.group, target.identity)
        inside = target.group not in {"workspace", "protected"} and target.path.is_relative_to(root)
        if mark not in seen and not inside and str(target.path).isprintable():
            seen.add(mark)
            kept.append(target)
    return kept


def _those(group: Group, paths: Iterable[Path]) -> Iterator[Target]:
    for path in paths:
        try:
            real = path.resolve()
            info = real.stat()
        except OSError:
            continue
        is_socket = stat.S_ISSOCK(info.st_mode)
        if is_socket == (group in {"engine", "socket"}):
            yield Target(group, real, f"{info.st_dev}:{info.st_ino}", is_socket)


def _homes() -> list[Path]:
    """The folder that ``HOME`` names and the one of the user's account, where they differ."""
    found = []
    with contextlib.suppress(RuntimeError):  # a user without a home folder
        found.append(Path.home())
    with contextlib.suppress(ImportError, KeyError, AttributeError):
        import pwd  # noqa: PLC0415 - not on every system

        found.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    return list(dict.fromkeys(path.resolve() for path in found if path.is_dir() and path != Path("/")))


def _with_samples(folder: Path) -> Iterator[Path]:
    """The folder and some files in it, which may be readable where it cannot be listed."""
    yield folder
    count = 0
    with contextlib.suppress(OSError):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if count < SAMPLES and entry.is_file(follow_symlinks=False):
                count += 1
                yield Path(entry.path)


def _keys(home: Path) -> Iterator[Path]:
    for name in KEYS:
        path = home / name
        if path.is_dir():
            yield from _with_samples(path)
        else:
            yield path


def _own_folders() -> list[Path]:
    with contextlib.suppress(SettingsError):
        return [config.config_dir(), config.data_dir()]
    return []


def _other_homes(own: list[Path]) -> list[Path]:
    found: list[Path] = [Path("/root")]
    for folder in ("/home", "/Users"):
        with contextlib.suppress(OSError):
            found += [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    return [path for path in found if path.resolve() not in own][:MOST_HOMES]
