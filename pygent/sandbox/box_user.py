"""Whom commands in a sandbox run as: for root the owner of the workspace, and what that user may reach."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from pygent.scratch import own_folder, scratch_folder

User = tuple[int, int]
"""A user's and a group's number."""

_PROBE_SECONDS = 20.0


def user_of(root: Path) -> User | None:
    """Whom commands in ``root`` run as, None where that is this process's user. Raises ``OSError``."""
    if os.geteuid() != 0:
        return None
    found = root.stat()
    return (found.st_uid, found.st_gid) if found.st_uid else None


def as_user(user: User | None) -> dict[str, Any]:
    """The arguments of ``subprocess`` that start a process as ``user``."""
    return {"user": user[0], "group": user[1], "extra_groups": ()} if user else {}


def tried(command: list[str], user: User | None, seconds: float) -> subprocess.CompletedProcess[bytes]:
    """Run a program as ``user`` to see whether it can be. Raises ``OSError`` and ``subprocess.SubprocessError``."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=seconds,
        cwd="/",
        env={},
        **as_user(user),
    )


@functools.cache
def interpreter(user: User | None) -> tuple[str, str] | None:
    """A Python that ``user`` can start, and where it is installed; None where there is none."""
    own = (os.path.realpath(sys.executable), sys.base_prefix)
    if user is None:
        return own
    for program, prefix in (own, ("/usr/bin/python3", "/usr")):
        try:
            done = tried([program, "-I", "-S", "-c", "import ctypes"], user, _PROBE_SECONDS)
        except (OSError, subprocess.SubprocessError):
            continue
        if done.returncode == 0:
            return program, prefix
    return None


def may_reach(path: str, user: User | None) -> bool:
    """Whether ``user`` may pass through all folders above ``path`` and look into it."""
    if user is None:
        return True
    uid, gid = user
    for folder in (Path(path), *Path(path).parents):
        try:
            found = folder.stat()
        except OSError:
            return False
        bits = stat.S_IXUSR if found.st_uid == uid else stat.S_IXGRP if found.st_gid == gid else stat.S_IXOTH
        if stat.S_ISDIR(found.st_mode) and not found.st_mode & bits:
            return False
    return True


def private_folders(user: User | None, modules: tuple[str, ...]) -> Path:
    """A new folder with ``tmp``, ``var-tmp``, ``home``, and ``inside`` with copies of ``modules``, for ``user``."""
    own = scratch_folder("box-")
    for name in ("tmp", "var-tmp", "home", "inside"):
        (own / name).mkdir(mode=0o700)
        if user:
            os.chown(own / name, *user)
    for module in modules:
        copy = shutil.copyfile(module, own / "inside" / Path(module).name)
        copy.chmod(0o444)
    if user:  # who may pass through, but not look around
        own.chmod(0o711)
        own_folder().chmod(0o711)
    return own
