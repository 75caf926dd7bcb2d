"""git's own three-way merge of one file's lines."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

from pygent.git.repository import SECONDS, GitError, GitTimeout, git_program
from pygent.scratch import own_folder
from pygent.settings import git_environment

_MOST_CONFLICTS = 127


def merge_file(
    here: bytes, base: bytes, there: bytes, labels: tuple[str, str], favour: Literal["ours", "theirs"] | None = None
) -> tuple[bytes, bool] | None:
    """What ``git merge-file`` makes of them, with conflict markers, and whether there was no conflict.

    ``favour`` takes the lines of that side where both changed the same: ``"ours"`` is ``here``. None where there is
    no git. Needs no repository and reads no configuration. Raises ``GitError``.
    """
    git = git_program()
    if git is None:
        return None
    environment = {
        **git_environment(),
        "GIT_DIR": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "LC_ALL": "C",
    }
    names = ("here", "base", "there")
    with tempfile.TemporaryDirectory(prefix="merge-", dir=own_folder(), ignore_cleanup_errors=True) as folder:
        try:
            for name, data in zip(names, (here, base, there), strict=True):
                (Path(folder) / name).write_bytes(data)
            done = subprocess.run(
                [
                    git,
                    "merge-file",
                    "--stdout",
                    *([f"--{favour}"] if favour else []),
                    "-L",
                    labels[0],
                    "-L",
                    "base",
                    "-L",
                    labels[1],
                    *names,
                ],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GitTimeout(f"git merge-file took more than {SECONDS:g} s") from error
        except OSError as error:
            raise GitError(f"git merge-file could not be run: {os.strerror(error.errno or 0)}") from error
    if not 0 <= done.returncode <= _MOST_CONFLICTS:
        raise GitError(f"git merge-file failed with exit status {done.returncode}")
    return done.stdout, done.returncode == 0
