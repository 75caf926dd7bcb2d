"""A private container engine for tests, and images made from this machine's programs: no registry, no network."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Self

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SH_IMAGE = "pygent-test/sh:1"
BASH_IMAGE = "pygent-test/bash:1"
FULL_IMAGE = "pygent-test/full:1"

PROGRAMS = (
    "cat chmod cp cut date dd df dirname basename echo env expr false head id ln ls mkdir mkfifo mknod mktemp mv "
    "nproc od paste printenv printf pwd readlink rm rmdir seq sha256sum sleep sort stat stty tail tee test timeout "
    "touch tr true tty uname uniq wc whoami yes nohup setsid grep sed find xargs mount umount unshare su kill ps diff"
)


class NoEngine(Exception):
    """An engine cannot be started here; the text says why."""


def find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{PATH}")


class DockerEngine:
    """A daemon of our own under a temporary folder. Start and stop it with ``with``."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pgd-", dir="/tmp"))  # short: a socket's path has 107 bytes
        self.socket = self.folder / "docker.sock"
        self.host = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self._images: set[str] = set()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, timeout: float = 20.0) -> None:
        """Start it and wait until it answers. It ends with the thread that calls this. Raises ``NoEngine``."""
        dockerd, setpriv = find("dockerd"), find("setpriv")
        if dockerd is None:
            raise NoEngine("dockerd is not installed (Debian: docker.io)")
        if os.geteuid() != 0:
            raise NoEngine("starting dockerd needs root")
        if find("busybox") is None:
            raise NoEngine("busybox is not installed (Debian: busybox-static)")
        command = [dockerd, "--host", self.host, "--data-root", str(self.folder / "data")]
        command += ["--exec-root", str(self.folder / "exec"), "--pidfile", str(self.folder / "pid")]
        command += ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none"]
        if setpriv is not None:
            command = [setpriv, "--pdeathsig", "TERM", *command]  # it ends with the tests, however they end
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        end_by = time.monotonic() + timeout
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end_by:
                raise NoEngine(f"dockerd did not start:\n{self.log()[-2000:]}")
            time.sleep(0.02)

    @property
    def process_id(self) -> int:
        """Of the daemon, for those who want to mistreat it."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self) -> None:
        self.stop()
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            mounted = line.split()[1]
            if mounted.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "-l", mounted], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / "log").read_text("utf-8", "replace")
        return ""

    def image(self, name: str) -> str:
        """Have one of the images above, importing it the first time."""
        if name not in self._images:
            archive = {SH_IMAGE: sh_archive, BASH_IMAGE: bash_archive, FULL_IMAGE: full_archive}[name]()
            self.docker("import", "--change", f"ENV PATH={PATH}", "--change", 'CMD ["sh"]', "-", name, stdin=archive)
            self._images.add(name)
        return name

    def docker(self, *arguments: str, stdin: bytes | None = None) -> str:
        """The answer of the command-line client, for looking from outside. Raises ``CalledProcessError``."""
        client = find("docker")
        assert client is not None
        done = subprocess.run(
            [client, "--host", self.host, *arguments], input=stdin, capture_output=True, check=True, timeout=60
        )
        return done.stdout.decode().strip()

    def containers(self, *filters: str) -> list[str]:
        """Ids of all containers, also those that do not run, whose labels fit."""
        chosen = [part for label in filters or ("pygent.session",) for part in ("--filter", f"label={label}")]
        return self.docker("ps", "--all", "--quiet", "--no-trunc", *chosen).split()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(100)
        return False


def _archive(fill: Callable[[tarfile.TarFile], None]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr", "usr/bin", "workspace"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        _text(tar, "etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
        _text(tar, "etc/group", "root:x:0:\nnogroup:x:65534:\n")
        fill(tar)
    return out.getvalue()


def _text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text), 0o644
    tar.addfile(entry, io.BytesIO(text.encode()))


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def _busybox(tar: tarfile.TarFile) -> None:
    busybox = find("busybox")
    assert busybox is not None
    tar.add(os.path.realpath(busybox), "bin/busybox")
    for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            _link(tar, f"bin/{applet}", "busybox")


@cache
def sh_archive() -> bytes:
    """A root file system of busybox alone: `sh` and no `bash`."""
    return _archive(_busybox)


@cache
def empty_archive() -> bytes:
    """Folders and no program."""
    return _archive(lambda _: None)


@cache
def bash_archive() -> bytes:
    """bash, dash as `sh`, coreutils and what they need, copied from this machine."""
    return _archive(lambda tar: _copy_programs(tar, ["bash", "dash", *PROGRAMS.split()]))


@cache
def full_archive() -> bytes:
    """The same with git and the system's Python, where this machine has them."""

    def fill(tar: tarfile.TarFile) -> None:
        _copy_programs(tar, ["bash", "dash", "git", *PROGRAMS.split()], extra=["/usr/bin/python3"])
        for library in sorted(Path("/usr/lib").glob("python3.*")):
            _copy_library(tar, library)

    return _archive(fill)


def _copy_library(tar: tarfile.TarFile, library: Path) -> None:
    left_out = {"__pycache__", "test", "tests", "idlelib", "ensurepip", "dist-packages", "lib2to3", "turtledemo"}
    needed: set[str] = set()
    for folder, folders, files in os.walk(library):
        folders[:] = [name for name in folders if name not in left_out and not name.startswith("config-")]
        for file in files:
            path = os.path.join(folder, file)
            tar.add(path, path.lstrip("/"), recursive=False)
            if file.endswith(".so"):
                needed |= _libraries(path)
    for path in sorted(needed):
        _add_once(tar, path)


def _copy_programs(tar: tarfile.TarFile, programs: list[str], extra: list[str] | None = None) -> None:
    wanted = [path for name in programs if (path := find(name))] + [
        path for path in extra or [] if Path(path).exists()
    ]
    for path in wanted:
        real = os.path.realpath(path)
        _add_once(tar, real, f"usr/bin/{Path(path).name}")
        for library in sorted(_libraries(real)):
            _add_once(tar, library)
    _link(tar, "bin/sh", "/usr/bin/dash" if find("dash") else "/usr/bin/bash")
    _link(tar, "bin/bash", "/usr/bin/bash")


def _libraries(path: str) -> set[str]:
    done = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    words = done.stdout.replace("=>", " ").split()
    return {word for word in words if word.startswith("/") and os.path.exists(word)}


def _add_once(tar: tarfile.TarFile, path: str, name: str | None = None) -> None:
    name = name or path.lstrip("/")
    if name not in tar.getnames():
        tar.add(os.path.realpath(path), name)
