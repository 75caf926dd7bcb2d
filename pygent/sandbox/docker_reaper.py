"""Whose a container is, and the removal of those whose owner is gone.

The lease ends a container with its owner; this is for what a lease cannot reach, such as a power loss or a container
that was made and never started. It goes by the labels of the owner, never by a name.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SESSION = "pygent.session"
HOST = "pygent.owner.host"
PID = "pygent.owner.pid"
STARTED = "pygent.owner.started"


def owner_labels(session_id: str) -> dict[str, str]:
    """The labels that say that a container is this process's, and of which session."""
    return {
        SESSION: session_id,
        HOST: host_identity(),
        PID: str(os.getpid()),
        STARTED: process_start(os.getpid()) or "",
    }


def host_identity() -> str:
    """This machine and its process table: a pid means something only inside it."""
    namespace = ""
    with contextlib.suppress(OSError):
        namespace = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    return f"{socket.gethostname()}/{namespace}"


def process_start(pid: int) -> str | None:
    """When process ``pid`` started, in a form to compare; None where there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_without_proc(pid)
    state, *fields = text.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else f"{boot}/{fields[18]}"


def owner_lives(labels: Mapping[str, str]) -> bool:
    """Whether the process that the labels name still runs. True in case of doubt."""
    if labels.get(HOST) != host_identity():
        return True
    pid = labels.get(PID, "")
    return not pid.isdigit() or process_start(int(pid)) == labels.get(STARTED)


def reap(api: Any) -> list[str]:
    """Remove the containers whose owner on this machine is gone, and answer their ids."""
    from docker.errors import APIError  # noqa: PLC0415

    gone = []
    for container in api.containers(all=True, filters={"label": [f"{HOST}={host_identity()}"]}):
        if not owner_lives(container.get("Labels") or {}):
            with contextlib.suppress(APIError):  # somebody else removes it at the same time
                api.remove_container(container["Id"], force=True, v=True)
                gone.append(str(container["Id"]))
    return gone


def _start_without_proc(pid: int) -> str | None:
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
