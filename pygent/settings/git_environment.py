"""The variables that git is started with: where it is and who asks, nothing that changes what it does."""

from __future__ import annotations

import os
from collections.abc import Mapping

GIT_NAMES = ("HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME")


def git_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this process that git may see; of ``PATH`` only the absolute folders."""
    environ = os.environ if environ is None else environ
    out = {name: environ[name] for name in GIT_NAMES if environ.get(name)}
    folders = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder.startswith("/")]
    return {**out, "PATH": os.pathsep.join(folders)}
