"""The one shell in the container that starts every command, and the protocol with it.

The shell reads requests as shell code from its input. A command writes to the first channel (the engine's standard
output) and nothing else does, save the end marker, 32 random hexadecimal digits that the command cannot know. Its
exit status comes on the second channel (standard error), which the command does not have::

    status line:  MARKER EXIT LEFT OOM REFUSED [names of the processes left]

LEFT counts the processes of the command that still run. Since the container began the kernel has ended OOM processes
for want of memory, and REFUSED times started none because there were too many. With LEFT at 0 the marker follows;
otherwise the shell waits for a `_k` request that ends them all. `kill -9 -1` is a builtin there: it ends all
processes of the user except the shell itself, at once, with nothing to fork.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pygent.errors import SandboxError
from pygent.sandbox.commands import check_command
from pygent.sandbox.docker_container import WORKDIR, Container, Shortages, close_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

STDOUT, STDERR = 1, 2
CHUNK = 64 * 1024
# Written for any POSIX shell (dash, busybox, bash). The functions fork nothing.
PREAMBLE = r"""exec 3>&2 2>/dev/null; kill -9 -1; cd WORKDIR
_b=sh; if command -v bash >/dev/null; then _b='bash --norc --noprofile'; fi
_r=; if command -v setsid >/dev/null; then _r=setsid; fi
_m=/sys/fs/cgroup/memory.events; [ -r $_m ] || _m=/sys/fs/cgroup/memory/memory.oom_control
_f=/sys/fs/cgroup/pids.events; [ -r $_f ] || _f=/sys/fs/cgroup/pids/pids.events
_s() { _n=0; _w=; for _p in /proc/[0-9]*; do _q=${_p#/proc/}; [ "$_q" = 1 ] || [ "$_q" = $$ ] || [ ! -O $_p ] || {
_c=; read -r _c <$_p/stat; case ${_c##*') '} in Z*|X*|'') ;; *) _n=$((_n+1)); [ $_n -gt 5 ] || { _c='?'
read -r _c <$_p/comm; _w="$_w $_c"; };; esac; }; done; }
_o() { _k=0; while read -r _p _q; do [ "$_p" != oom_kill ] || _k=$_q; done <$_m
_l=0; while read -r _p _q; do [ "$_p" != max ] || _l=$_q; done <$_f; }
_t() { printf '%s %s %s %s %s%s\n' "$1" "$2" $_n $_k $_l "$_w" >&3
[ $_n -gt 0 ] || { kill -9 -1; printf '\036%s\036' "$1"; }; }
_e() { _s; _o; _t "$1" "$2"; }
_k() { kill -9 -1; _e "$1" "$2"; }
""".replace("WORKDIR", WORKDIR)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Status:
    """What the shell reports after a command."""

    exit_status: int
    left: int
    shortages: Shortages
    names: tuple[str, ...]


class ShellEnded(Exception):
    """The connection to the shell has ended."""


class Shell:
    """One shell, used by one thread at a time. ``abort`` may be called from any thread.

    ``hello`` comes first: the engine may send nothing before the first request, or its client would lose it.
    """

    def __init__(self, container: Container) -> None:
        api = container.api
        self._exec_id: str = api.exec_create(
            container.id, ["sh"], stdin=True, stdout=True, stderr=True, user=str(container.owner), workdir=WORKDIR
        )["Id"]
        self.container = container
        self._sock: Any = api.exec_start(self._exec_id, socket=True)
        self._raw: Any = getattr(self._sock, "_sock", None) or self._sock
        self._buffer = bytearray()

    def hello(self, timeout: float = 5.0) -> Shortages:
        """Ready the shell, which ends every other process of its user; answers what was short.

        Raises ``SandboxError``.
        """
        request = PREAMBLE
        end_by = time.monotonic() + timeout
        while True:
            exchange = Exchange(self, request + "_k {marker} 0\n")
            status = exchange.wait(end_by)
            if status.left == 0:
                return status.shortages
            time.sleep(0.005)
            request = ""

    def send(self, code: str) -> None:
        try:
            self._raw.settimeout(30)
            self._raw.sendall(code.encode("utf-8", "surrogateescape"))
        except (OSError, ValueError) as error:
            raise ShellEnded from error

    def receive(self, timeout: float) -> list[tuple[int, bytes]]:
        """What has come on the two channels, [] after ``timeout`` seconds. Raises ``ShellEnded``."""
        try:
            self._raw.settimeout(timeout)
            data = self._raw.recv(CHUNK)
        except (TimeoutError, BlockingIOError):
            return []
        except (OSError, ValueError) as error:
            raise ShellEnded from error
        if not data:
            raise ShellEnded
        self._buffer += data
        return list(self._frames())

    def alive(self) -> bool:
        """Whether the connection still stands, looked at while no command runs."""
        try:
            self.receive(0)
        except ShellEnded:
            return False
        return True

    def ended(self) -> bool:
        """Ask the engine whether the shell has ended, for one whose output a process still holds open."""
        return not self.container.api.exec_inspect(self._exec_id)["Running"]

    def abort(self) -> None:
        """Cut the connection. Processes in the container go on until the next shell ends them."""
        close_socket(self._sock)

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        position = 0
        while len(self._buffer) - position >= 8:
            size = int.from_bytes(self._buffer[position + 4 : position + 8], "big")
            if len(self._buffer) - position - 8 < size:
                break
            yield self._buffer[position], bytes(self._buffer[position + 8 : position + 8 + size])
            position += 8 + size
        del self._buffer[:position]


class Exchange:
    """One request and what answers it. The last ``{marker}`` in ``code`` becomes the marker."""

    def __init__(self, shell: Shell, code: str) -> None:
        self._shell = shell
        self.marker = secrets.token_hex(16)
        self._end = b"\x1e" + self.marker.encode() + b"\x1e"
        self._held = b""
        self._lines = b""
        self.status: Status | None = None
        before, _, after = code.rpartition("{marker}")
        shell.send(f"{before}{self.marker}{after}")

    @property
    def done(self) -> bool:
        return self.status is not None and self.status.left == 0 and self._held == self._end

    def receive(self, timeout: float) -> bytes:
        """The next piece of output (b"" after ``timeout`` seconds). Raises ``ShellEnded``."""
        output = bytearray()
        for channel, data in self._shell.receive(timeout):
            if channel == STDOUT:
                output += data
            elif channel == STDERR:
                self._read_status(data)
        return self._without_end(bytes(output)) if output else b""

    def rest(self) -> bytes:
        """What looked like the beginning of the end and was not."""
        held, self._held = self._held, b""
        return b"" if held == self._end else held

    def ask_again(self, *, end_all: bool) -> None:
        """Have the shell report once more, after it has ended what is left if ``end_all``."""
        exit_status = self.status.exit_status if self.status else 0
        self.status = None
        self._shell.send(f"{'_k' if end_all else '_e'} {self.marker} {exit_status}\n")

    def wait(self, end_by: float, on_output: Callable[[bytes], object] = lambda _: None) -> Status:
        """Receive until the shell has reported. Raises ``SandboxError`` at ``end_by`` or when the shell ends."""
        while not self.done and (self.status is None or self.status.left == 0):
            left = end_by - time.monotonic()
            if left <= 0:
                raise SandboxError("the shell in the container does not answer")
            try:
                on_output(self.receive(min(left, 0.5)))
            except ShellEnded as error:
                raise SandboxError("the shell in the container has ended") from error
        assert self.status is not None
        return self.status

    def _without_end(self, data: bytes) -> bytes:
        """``data`` less its end where that begins the marker or is it. Output goes on behind a false one."""
        data = self._held + data
        cut = max(0, len(data) - len(self._end))
        while (cut := data.find(b"\x1e", cut)) >= 0:
            if self._end.startswith(data[cut:]):
                self._held = data[cut:]
                return data[:cut]
            cut += 1
        self._held = b""
        return data

    def _read_status(self, data: bytes) -> None:
        self._lines += data
        *lines, self._lines = self._lines.split(b"\n")
        for line in lines:
            fields = line.decode("utf-8", "replace").split()
            if len(fields) >= 5 and fields[0] == self.marker and all(field.isdigit() for field in fields[1:5]):
                exit_status, left, killed, refused = (int(field) for field in fields[1:5])
                self.status = Status(exit_status, left, Shortages(killed, refused), tuple(fields[5:]))
        self._lines = self._lines[-4096:]


def command_code(cmd: str, env: Mapping[str, str] | None) -> str:
    """The request that runs ``cmd`` in a new shell. Raises ``ValueError`` for what no shell can be told."""
    command = check_command(cmd).decode("utf-8", "surrogateescape")
    variables = ""
    for name, value in (env or {}).items():
        if not _NAME.fullmatch(name) or "\0" in value:
            raise ValueError(f"{name!r} cannot be the name or the value of a variable.")
        variables += f"{name}={_quoted(value)} "
    return f"{variables}$_r $_b -c {_quoted(command)} </dev/null 2>&1 3>&-; _e {{marker}} $?\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
