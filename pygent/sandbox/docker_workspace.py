"""Which folders may be mounted, and whether the engine mounted the same folder that this process sees."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path

from pygent.errors import SandboxError, SandboxUnavailable
from pygent.sandbox.docker_container import WORKDIR
from pygent.sandbox.docker_engine import DEFAULT_SOCKET, Endpoint
from pygent.sandbox.docker_shell import Exchange, Shell


def refuse_dangerous(root: Path, endpoint: Endpoint | None) -> None:
    """Raise ``SandboxUnavailable`` where mounting ``root`` would hand over more than a workspace."""
    refuse = "Use a folder of its own for the work: --workspace DIR."
    if not root.is_dir():
        raise SandboxUnavailable(f"The workspace {root} is not a folder. {refuse}")
    with contextlib.suppress(RuntimeError):  # a user without a home folder
        home = Path.home().resolve()
        if home.is_relative_to(root):
            what = "the whole file system" if root == Path("/") else "your home folder" if root == home else f"{home}"
            raise SandboxUnavailable(
                f"The workspace {root} cannot be given to a container: with it, commands could change {what}, "
                f"your keys and your shell's start-up files among it. {refuse}"
            )
    if root == Path(root.anchor):
        raise SandboxUnavailable(f"The workspace {root} cannot be given to a container. {refuse}")
    sockets = [
        Path(DEFAULT_SOCKET),
        root / "docker.sock",
        *([endpoint.socket] if endpoint and endpoint.socket else []),
    ]
    for path in sockets:
        real = path.resolve()
        if real.is_socket() and real.is_relative_to(root):
            raise SandboxUnavailable(
                f"The workspace {root} cannot be given to a container: it has the container engine's socket {real}, "
                f"with which commands could take over this machine. {refuse}"
            )


def check_same_folder(shell: Shell, root: Path) -> None:
    """Have the container look for a file that is made here for this moment.

    An engine on another machine mounts that machine's folder of the same name. Raises ``SandboxUnavailable`` then.
    """
    name = f".pygent-{secrets.token_hex(8)}"
    try:
        os.close(os.open(root / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    except OSError:
        return  # a workspace that cannot be written cannot be told apart, and not be harmed either
    try:
        status = Exchange(shell, f"[ -f {WORKDIR}/{name} ]; _e {{marker}} $?\n").wait(time.monotonic() + 5)
    except SandboxError as error:
        raise SandboxUnavailable(str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            (root / name).unlink()
    if status.exit_status != 0:
        raise SandboxUnavailable(
            f"The container engine mounted another folder than {root}: it runs on another machine (see DOCKER_HOST), "
            "or the folder is not shared with its virtual machine. Use an engine on this machine, share the folder, "
            "or work without a container: --no-docker (PYGENT_USE_DOCKER=0)."
        )
