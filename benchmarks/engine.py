"""A Docker engine to measure with: the one that answers, else one of our own for the time of the measurement."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMAGE = "pygent-bench/busybox:1"


@dataclass(frozen=True)
class Engine:
    """A client of the engine and a small image that it has."""

    client: Any
    image: str

    def container(self) -> Any:
        """The running container."""
        return self.client.containers.list()[0]


@contextlib.contextmanager
def docker_engine() -> Iterator[Engine | None]:
    """An engine of our own, whatever else runs on the machine; None where it cannot be started."""
    daemon, busybox = shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin"), shutil.which("busybox")
    if daemon is None or busybox is None or os.geteuid() != 0:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pygent-dockerd-", ignore_cleanup_errors=True) as folder:
        address = f"unix://{folder}/docker.sock"
        process = subprocess.Popen(
            [daemon, "--host", address, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec",
             "--pidfile", f"{folder}/dockerd.pid", "--storage-driver", "overlay2", "--iptables=false",
             "--ip6tables=false", "--ip-forward=false", "--bridge=none"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        before = os.environ.get("DOCKER_HOST")
        os.environ["DOCKER_HOST"] = address
        try:
            client = _connect(address)
            if client is not None:
                _import_image(client, Path(busybox))
                yield Engine(client, IMAGE)
                client.close()
            else:
                yield None
        finally:
            if before is None:
                del os.environ["DOCKER_HOST"]
            else:
                os.environ["DOCKER_HOST"] = before
            process.terminate()
            process.wait(20)


def _connect(address: str) -> Any:
    import docker

    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with contextlib.suppress(docker.errors.DockerException):
            client = docker.DockerClient(address)
            client.ping()
            return client
        time.sleep(0.1)
    return None


def _import_image(client: Any, busybox: Path) -> None:
    """A root file system of busybox and links to it."""
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for folder in ("tmp", "workspace", "home", "root", "etc", "proc", "sys", "dev"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name in names:
            if name != "busybox":
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(entry)
    repository, _, tag = IMAGE.partition(":")
    client.api.import_image_from_data(buffer.getvalue(), repository=repository, tag=tag)
