"""The operating system's sandbox for commands on this machine: bubblewrap, a program that needs no rights of its own.

A supervisor (``supervisor.py``) runs as the first process of namespaces of its own: nothing below it outlives it, and
commands see no process, no network and no file but what is listed here.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pygent.errors import SandboxError, SettingsError
from pygent.sandbox import box_limits, seccomp, supervisor
from pygent.sandbox.box_user import User, as_user, interpreter, may_reach, private_folders, tried, user_of
from pygent.sandbox.limits import CommandLimits
from pygent.sandbox.protected import Bind, Protected, linked_repository, writable_parts
from pygent.sandbox.visible import SYSTEM, Tools, private_files, within
from pygent.scratch import remove_folder
from pygent.settings.paths import config_dir, data_dir

PROGRAM = "bwrap"
INSIDE = "/run/pygent"
PROBE_SECONDS = 20.0
"""How long it is waited for an answer: a machine that is busy must not cost the sandbox."""


DROPPED = ("TMPDIR", "TEMP", "TMP")
"""Variables of this machine that mean nothing in the sandbox."""

ALONE = (
    *("--unshare-all", "--unshare-user", "--cap-drop", "ALL", "--new-session", "--as-pid-1"),
    *("--proc", "/proc", "--dev", "/dev"),
)
_READ_ONLY_PROC = ("/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger")
_NO_PROC = (
    *("/proc/acpi", "/proc/asound", "/proc/scsi", "/proc/kcore", "/proc/keys"),
    *("/proc/latency_stats", "/proc/timer_list", "/proc/kallsyms"),
)
_TOO_WIDE = frozenset(
    f"/{name}"
    for name in (
        *("", "boot", "dev", "etc", "home", "media", "mnt", "nix", "opt", "proc", "root", "run", "srv", "sys", "tmp"),
        *("usr", "var", "var/tmp"),
    )
)
"""Workspaces that a sandbox could not hold: other people's files, sockets and programs lie in them."""


class Box:
    """What surrounds the commands in ``root``: a launcher of supervisors (see ``local_workers.Launcher``).

    ``env`` gives the ``PATH`` and the ``HOME`` of the commands. All supervisors of a box share its ``/tmp`` and its
    home folder, which go with it. Thread-safe.
    """

    def __init__(self, root: Path, env: Mapping[str, str], *, network: bool, limits: CommandLimits) -> None:
        self.root = root.resolve()
        self.network = network
        self._limits = limits
        self._path = env.get("PATH", os.defpath)
        self.home = _home_of(env)
        self._user = user_of(self.root)
        self._protected = Protected(self.root, self._user)
        self._own = private_folders(self._user, (supervisor.__file__, box_limits.__file__))
        self._finalizer = weakref.finalize(self, _leave, os.getpid(), self._own, self._protected)
        self._git_config()

    def state(self) -> tuple[object, ...]:
        """What a supervisor is made for; with another state there has to be a new one.

        Raises ``SandboxError`` where the workspace is gone.
        """
        try:
            found = self.root.stat()
        except OSError as error:
            raise SandboxError(
                f"The workspace {str(self.root)!r} does not exist any more, so no command can run in it."
            ) from error
        return (found.st_dev, found.st_ino, self._protected.state())

    def start(self, control: int) -> subprocess.Popen[bytes]:
        """A supervisor in the sandbox that serves the socket ``control``. Raises ``OSError``."""
        python, _ = self._python()
        owner = _pidfd()
        descriptors = [owner] if owner >= 0 else []
        try:
            binds = list(self._protected.binds())
            descriptors += [bind.descriptor for bind in binds]
            options = [*self.options(), *_protecting(binds), "--remount-ro", "/", "--chdir", "/"]
            if rules := seccomp.rules():
                descriptors.append(_memory("rules", rules))
                options += ["--seccomp", str(descriptors[-1])]
            descriptors.append(_memory("options", b"\0".join(map(os.fsencode, options)) + b"\0"))
            return subprocess.Popen(
                [
                    *(str(program()), "--args", str(descriptors[-1]), "--", python, "-I", "-S", "-B"),
                    *(f"{INSIDE}/supervisor.py", str(owner), str(self._limits.memory), str(self._limits.processes)),
                ],
                stdin=control,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=descriptors,
                cwd="/",
                env={},
                start_new_session=True,
                **as_user(self._user),
            )
        finally:
            for fd in descriptors:
                os.close(fd)

    def options(self) -> Iterator[str]:
        """The options of ``bwrap`` but for the protected parts of the workspace, in the order it follows them."""
        yield from base_options(self.network)
        yield from ("--bind", str(self._own / "tmp"), "/tmp")  # noqa: S108
        yield from ("--bind", str(self._own / "var-tmp"), "/var/tmp")  # noqa: S108 - no link: what is shown may lie in it
        yield from ("--bind", str(self._own / "home"), str(self.home))
        hidden = [*_own_data(), self._own]
        tools = Tools(self.home, hidden, self.root)
        tools.add_installation(self._python()[1])
        tools.add_path(self._path)
        tools.add_environments()
        for shown, real in sorted(tools.binds.items()):
            if may_reach(real, self._user):
                yield from ("--ro-bind", real, shown)
        yield from ("--ro-bind", str(self._own / "inside"), INSIDE)
        for folder in _own_data():
            if _is_shown(folder) and folder.is_dir():
                yield from ("--tmpfs", str(folder))
        yield from ("--bind", str(self.root), str(self.root))
        if linked := linked_repository(self.root):
            common, own = linked
            yield from ("--ro-bind", str(common), str(common))
            for part in writable_parts(common, own):
                yield from ("--bind", str(part), str(part))
        for folder in _own_data():
            if within(str(folder), str(self.root)) and folder.is_dir():
                yield from ("--tmpfs", str(folder))

    def _python(self) -> tuple[str, str]:
        found = interpreter(self._user)
        if found is None:
            raise SandboxError("The workspace's owner can start no Python, which watches over commands.")
        return found

    def close(self) -> None:
        """Remove its folders. Safe to call twice; no supervisor may run any more."""
        self._finalizer()

    def _git_config(self) -> None:
        """Give commands the name under which the user commits, and nothing else of the user's own configuration."""
        names = r"^(user\.(name|email)|init\.defaultbranch|core\.autocrlf|pull\.rebase)$"
        environment = {"PATH": os.defpath, "HOME": str(Path.home()), "GIT_CONFIG_NOSYSTEM": "1"}
        with contextlib.suppress(OSError, RuntimeError, subprocess.SubprocessError):
            found = subprocess.run(
                ["git", "config", "--global", "--null", "--get-regexp", names],
                env=environment,
                cwd="/",
                capture_output=True,
                check=True,
                timeout=2,
            ).stdout.decode("utf-8", "replace")
            lines = []
            for item in found.split("\0"):
                key, _, value = item.partition("\n")
                section, _, name = key.partition(".")
                if name and "\n" not in value:
                    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
                    lines.append(f'[{section}]\n\t{name} = "{escaped}"\n')
            (self._own / "home" / ".gitconfig").write_text("".join(lines), "utf-8")


def base_options(network: bool) -> Iterator[str]:
    """What every sandbox has: namespaces, the system read-only, no devices, a network or none."""
    yield from ALONE
    if network:
        yield "--share-net"
    if b"--disable-userns" in _help():  # from 0.8 on; the seccomp rules do so as well
        yield "--disable-userns"
    for path in SYSTEM:
        if os.path.islink(path):
            yield from ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            yield from ("--ro-bind", path, path)
    for path in _READ_ONLY_PROC:
        yield from ("--ro-bind-try", path, path)
    for path in (*_NO_PROC, *_hidden_system()):
        if os.path.isdir(path):
            yield from ("--tmpfs", path)
        elif os.path.exists(path):
            yield from ("--ro-bind", "/dev/null", path)
    resolver = os.path.realpath("/etc/resolv.conf")
    if network and not any(within(resolver, folder) for folder in SYSTEM):
        yield from ("--ro-bind-try", resolver, resolver)


def why_not(root: Path, env: Mapping[str, str]) -> str:
    """Why commands in ``root`` cannot be sandboxed on this system; "" where they can be."""
    if sys.platform != "linux":
        return "this needs Linux"
    root = root.resolve()
    home = _home_of(env)
    if str(root) in _TOO_WIDE or within(str(home), str(root)) or within(str(Path.home()), str(root)):
        return f"the workspace {root} has more in it than a sandbox could hold back: use a folder of its own"
    try:
        user = user_of(root)
    except OSError as error:
        return f"the workspace {root} cannot be looked at: {error.strerror}"
    if interpreter(user) is None:
        return "the workspace's owner can start no Python, which watches over commands"
    return _why_not_here(user)


@functools.cache
def program() -> str | None:
    """The path of bubblewrap, None where it is not installed; only folders of the system count."""
    return shutil.which(PROGRAM, path="/usr/bin:/usr/local/bin:/bin:/run/current-system/sw/bin:/run/wrappers/bin")


@functools.cache
def _why_not_here(user: User | None) -> str:
    """Why it does not work here, found by trying it once in this process."""
    if program() is None:
        return "bubblewrap is not installed (Debian, Ubuntu, Fedora, Arch: the package bubblewrap)"
    return _try([*base_options(network=False), "--remount-ro", "/", "--chdir", "/"], user)


def _try(options: list[str], user: User | None) -> str:
    """Run ``true`` under ``options``; answers what is wrong, "" where nothing is."""
    try:
        done = tried([str(program()), *options, "--", "/bin/sh", "-c", ":"], user, PROBE_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return f"bubblewrap does not start: {error}"
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"bubblewrap does not work here: {lines[-1] if lines else f'exit status {done.returncode}'}"


@functools.cache
def _help() -> bytes:
    """What this bubblewrap says that it can do."""
    try:
        found = subprocess.run(
            [str(program()), "--help"], capture_output=True, check=False, timeout=PROBE_SECONDS, env={}
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return found.stdout + found.stderr


def _protecting(binds: Sequence[Bind]) -> Iterator[str]:
    """By descriptor where that can be: what was looked at is what is mounted, whatever a command does meanwhile."""
    by_descriptor = b"--ro-bind-fd" in _help()
    for bind in binds:
        option = "--bind" if bind.writable else "--ro-bind"
        if by_descriptor:
            yield from (f"{option}-fd", str(bind.descriptor), bind.path)
        else:
            yield from (option, bind.path, bind.path)


@functools.cache
def _hidden_system() -> tuple[str, ...]:
    """What of the system only root may read, where root asks: without capabilities the owner's rights are left."""
    return tuple(private_files()) if os.geteuid() == 0 else ()


def _home_of(env: Mapping[str, str]) -> Path:
    home = os.path.normpath(env.get("HOME") or "/")
    return Path(home) if (home.startswith("/") and home.count("/") > 1) or home == "/root" else Path("/home/pygent")


def _leave(pid: int, own: Path, protected: Protected) -> None:
    if pid == os.getpid():  # not a fork's
        protected.clear()
        remove_folder(own)


def _own_data() -> list[Path]:
    """Pygent's own folders, which no command may see."""
    found = []
    for folder in (config_dir, data_dir):
        with contextlib.suppress(SettingsError):
            found.append(folder().resolve())
    return found


def _is_shown(folder: Path) -> bool:
    return any(within(str(folder), shown) for shown in SYSTEM)


def _pidfd() -> int:
    """A descriptor that becomes readable when this process ends; -1 where the system has none."""
    try:
        return os.pidfd_open(os.getpid())
    except (AttributeError, OSError):
        return -1


def _memory(name: str, data: bytes) -> int:
    """A descriptor from which ``data`` is read."""
    fd = os.memfd_create(name)
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
