"""One container: how it is confined, the lease that ends it with its owner, and its removal.

Its own process (PID 1) runs as an unprivileged user and only reads an input that this process holds: when this
process is gone, however it went, the input ends and the engine removes the container. Commands run as the owner of
the workspace, so no file changes hands, and so one signal to all processes of that user ends every command and never
the container.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pygent.errors import SandboxUnavailable
from pygent.sandbox.commands import FIXED_ENVIRONMENT
from pygent.sandbox.docker_reaper import owner_labels
from pygent.sandbox.limits import CommandLimits
from pygent.sandbox.protected import Protected
from pygent.settings.command_environment import HOST_NAMES

WORKDIR = "/workspace"
HOME = "/home/pygent"
NOBODY = 65534
TMPFS = "rw,exec,nosuid,nodev"

SHM = 256
EVENTS_LATE = 0.2
"""Seconds that the engine may need to tell what has happened."""

HOLD = "while read -r line; do :; done"
"""What PID 1 does. Only `sh` is needed for it."""

CACHES = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "PIP_CACHE_DIR": ".cache/pip",
    "UV_CACHE_DIR": ".cache/uv",
    "PYTHONPYCACHEPREFIX": ".cache/pycache",
    "NPM_CONFIG_CACHE": ".cache/npm",
    "NPM_CONFIG_PREFIX": ".local",
    "YARN_CACHE_FOLDER": ".cache/yarn",
    "CCACHE_DIR": ".cache/ccache",
    "GOPATH": "go",
    "GOCACHE": ".cache/go-build",
    "CARGO_HOME": ".cargo",
}
"""Where tools keep what they fetch and build: the image is read-only, and the workspace is not theirs."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The user and group in the container that commands run as."""

    uid: int
    gid: int

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}"


@dataclass(frozen=True, slots=True)
class Shortages:
    """What the commands of a container wanted and did not get, counted since it began."""

    out_of_memory: int = 0
    refused_processes: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a container is made of."""

    root: Path
    image: str
    env: Mapping[str, str]
    network: bool
    limits: CommandLimits
    session_id: str
    owner: Owner
    protected: Protected

    @property
    def keeper(self) -> int:
        """The user of the container's own process, whom commands cannot signal."""
        return NOBODY if self.owner.uid != NOBODY else NOBODY - 1


class Container:
    """A running container and its lease. ``start`` makes one; ``remove`` may be called from any thread, twice too."""

    def __init__(self, api: Any, container_id: str, plan: Plan, lease: Any) -> None:
        self.api = api
        self.id = container_id
        self.owner = plan.owner
        self.limits = plan.limits
        self._lease = lease
        self._short = Shortages()

    @classmethod
    def start(cls, api: Any, plan: Plan, image: Mapping[str, Any]) -> Container:
        """Create, attach the lease, start. Raises ``SandboxUnavailable``; nothing is left behind then."""
        from docker.errors import APIError  # noqa: PLC0415

        container_id = ""
        lease = None
        try:
            container_id = api.create_container_from_config(
                configuration(api, plan, image),
                name=f"pygent-{plan.session_id[:12]}-{secrets.token_hex(3)}",
            )["Id"]
            lease = api.attach_socket(container_id, params={"stdin": 1, "stream": 1})
            api.start(container_id)
        except APIError as error:
            _abandon(api, container_id, lease)
            raise SandboxUnavailable(_why_not_started(error, plan)) from error
        except BaseException:
            _abandon(api, container_id, lease)
            raise
        return cls(api, container_id, plan, lease)

    def running(self) -> bool:
        """Whether the engine has it and it runs. Raises what the client raises where the engine does not answer."""
        from docker.errors import NotFound  # noqa: PLC0415

        try:
            return bool(self.api.inspect_container(self.id)["State"]["Running"])
        except NotFound:
            return False

    def shortages(self, now: Shortages) -> list[str]:
        """What was short since this was asked before, in sentences."""
        before, self._short = self._short, now
        out = []
        if now.out_of_memory > before.out_of_memory:
            out.append(self.limits.about_memory())
        if now.refused_processes > before.refused_processes:
            out.append(self.limits.about_processes())
        return out

    def ran_out_of_memory(self, since: float) -> bool:
        """Whether the engine has seen it run out of memory since then, a wall-clock time; also once it is gone."""
        events = self.api.events(
            since=f"{since:.3f}",
            until=f"{time.time() + EVENTS_LATE:.3f}",
            filters={"container": self.id, "event": "oom"},
            decode=True,
        )
        with contextlib.closing(events):
            return next(iter(events), None) is not None

    def remove(self, timeout: float = 5.0) -> None:
        """Remove it and wait until it is gone. Does nothing where it already is, or where the engine is."""
        import requests  # noqa: PLC0415
        from docker.errors import APIError, DockerException, NotFound  # noqa: PLC0415

        end_by = time.monotonic() + timeout
        with contextlib.suppress(NotFound, DockerException, requests.RequestException, OSError):
            with contextlib.suppress(APIError):  # 409: the lease or somebody else is removing it just now
                self.api.remove_container(self.id, force=True, v=True)
            while time.monotonic() < end_by:
                self.api.inspect_container(self.id)  # ends the loop by NotFound
                time.sleep(0.01)
        self.let_go()

    def let_go(self) -> None:
        """Give up the lease, which ends it."""
        close_socket(self._lease)


def configuration(api: Any, plan: Plan, image: Mapping[str, Any]) -> Any:
    """All that the engine is told: the container can reach its workspace and two temporary folders, and no more."""
    from docker.types import LogConfig, Mount  # noqa: PLC0415

    own = f"uid={plan.owner.uid},gid={plan.owner.gid}"
    limits, disk = plan.limits, plan.limits.usable_disk
    host = api.create_host_config(
        network_mode="bridge" if plan.network else "none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        read_only=True,
        tmpfs={
            "/tmp": f"{TMPFS},mode=1777,size={disk}m",  # noqa: S108 - the container's own
            HOME: f"{TMPFS},mode=0700,size={disk}m,{own}",
            # Without it `ipc none` takes away the semaphores that multiprocessing needs.
            "/dev/shm": f"rw,noexec,nosuid,nodev,mode=1777,size={min(SHM, limits.memory // 8)}m",  # noqa: S108
        },
        mounts=[Mount(target=WORKDIR, source=str(plan.root), type="bind"), *_read_only_parts(plan)],
        pids_limit=limits.processes,
        mem_limit=f"{limits.memory}m",
        memswap_limit=f"{limits.memory}m",
        ipc_mode="none",
        init=True,
        auto_remove=True,
        log_config=LogConfig(type="none"),
    )
    return api.create_container_config(
        image=plan.image,
        entrypoint=["sh", "-c"],
        command=[HOLD],
        user=f"{plan.keeper}:{plan.keeper}",
        stdin_open=True,
        tty=False,
        detach=False,  # so that the input ends when the one who attached to it is gone
        working_dir=WORKDIR,
        hostname="pygent",
        environment=environment(plan.env, (image.get("Config") or {}).get("Env") or []),
        labels=owner_labels(plan.session_id),
        healthcheck={"test": ["NONE"]},
        stop_signal="SIGKILL",
        host_config=host,
    )


def _read_only_parts(plan: Plan) -> list[Any]:
    """Mounts for what other programs run or trust, made first where it is absent: so it cannot be made inside."""
    from docker.types import Mount  # noqa: PLC0415

    mounts = []
    with contextlib.suppress(OSError):  # a workspace that cannot be looked into cannot be changed either
        plan.protected.state()
        for bind in list(plan.protected.binds()):  # all of them first: some are found through the others' descriptors
            os.close(bind.descriptor)
            target = f"{WORKDIR}/{Path(bind.path).relative_to(plan.root)}"
            mounts.append(Mount(target=target, source=bind.path, type="bind", read_only=not bind.writable))
    return mounts


def environment(env: Mapping[str, str], image_env: list[str]) -> dict[str, str]:
    """The variables of commands: the image's, those given without what only means something outside, and our own."""
    out = dict(item.split("=", 1) for item in image_env if "=" in item)
    path = out.get("PATH") or "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    out.update({name: value for name, value in env.items() if name not in {*HOST_NAMES, "PWD", "OLDPWD"}})
    for name in [name for name in out if name == "LANGUAGE" or name.startswith("LC_")]:
        del out[name]  # locales of this machine, which the image need not have
    out.update(FIXED_ENVIRONMENT)
    out.update(LANG="C.UTF-8", HOME=HOME, USER="pygent", LOGNAME="pygent", TMPDIR="/tmp")  # noqa: S108
    out.update({name: f"{HOME}/{folder}" for name, folder in CACHES.items()})
    out["PATH"] = f"{HOME}/.local/bin:{path}"
    return out


def owner_of(root: Path, *, rootless: bool) -> Owner:
    """Who commands run as: the workspace's owner, who is root inside where the engine itself is that user's."""
    if rootless:
        return Owner(0, 0)
    info = root.stat()
    return Owner(info.st_uid, info.st_gid)


def close_socket(sock: Any) -> None:
    """End a connection that the engine has taken over, in both directions, and free it."""
    import socket as sockets  # noqa: PLC0415

    if sock is None:
        return
    raw = getattr(sock, "_sock", None) or sock
    response = getattr(sock, "_response", None)
    with contextlib.suppress(OSError):
        raw.shutdown(sockets.SHUT_RDWR)  # closing alone leaves it open where a buffer still refers to it
    for part in (response, sock):
        if part is not None:
            with contextlib.suppress(OSError, ValueError):
                part.close()


def _abandon(api: Any, container_id: str, lease: Any) -> None:
    close_socket(lease)
    if container_id:
        with contextlib.suppress(Exception):  # the first error is the one to tell
            api.remove_container(container_id, force=True, v=True)


def _why_not_started(error: Exception, plan: Plan) -> str:
    reason = str(getattr(error, "explanation", "") or error)
    if "bind source path does not exist" in reason:
        return (
            f"The container engine does not see {plan.root}, or another folder of that name: it runs on another "
            "machine, or the folder is not shared with it. Use an engine on this machine (DOCKER_HOST), share the "
            "folder, or --no-docker."
        )
    return cannot_start(reason, plan)


def cannot_start(reason: str, plan: Plan) -> str:
    """Why there is no container, and what to do."""
    return (
        f"A container of the image {plan.image} could not be started: {reason.strip()}. The image has to have `sh`; "
        f"name another with --image NAME (PYGENT_IMAGE), check the engine with docker info, or use --no-docker."
    )
