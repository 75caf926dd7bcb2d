"""The parent of commands on this machine: a small process that outlives none of them and leaves none behind.

It is started as a script with an interpreter that loads nothing else, and imports nothing of Pygent. On Linux it is a
"subreaper": whatever a command leaves behind, also after ``setsid`` or a double fork, becomes its child, so it can
find and end all of it. It works for one owner over the socket on descriptor 0 and runs one command at a time; when
the owner goes away, however that happens, it ends the running command and itself.

In a sandbox of the operating system it is the first process of a process namespace: whatever it sees there is below
it, nothing there can signal or trace it, and nothing there outlives it. Then it holds limits as well.

It says ``ready`` first. A request is a length (4 bytes) and NUL-separated fields: folder, number of arguments,
arguments, NAME=VALUE lines; the command's output goes to a descriptor passed with it. A length of 0 stops the
running command. The answer is one line: ``done STATUS STOPPED LEFT LIMIT NAMES`` (STATUS as from ``wait``, or ``-``
where the command was ended; STOPPED and LEFT count what was ended behind it and what could not be; LIMIT is the one
that it went over, ``memory``, ``processes`` or ``-``; NAMES are those of the first), or ``failed ERRNO``.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

TYPE_CHECKING = False  # importing typing would cost more than the rest of this process
if TYPE_CHECKING:
    from typing import Any

GRACE_AFTER_EXIT = 0.3
GRACE_AFTER_TERM = 0.15
GIVE_UP = 2.0
LENGTH = 4
READY = b"ready\n"
_PR_SET_CHILD_SUBREAPER = 36
_DEFAULTS = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE", "SIGXFSZ", "SIGTSTP", "SIGTTIN", "SIGTTOU")
    if (number := getattr(signal, name, None)) is not None
]


def become_subreaper() -> None:
    """Adopt orphaned descendants (Linux). Elsewhere only those that can still be found are ended."""
    if sys.platform != "linux":
        return
    try:
        import ctypes  # noqa: PLC0415 - elsewhere not needed

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def processes() -> dict[int, tuple[int, str]]:
    """All processes of the machine: pid to (parent's pid, name). Zombies are not among them."""
    found: dict[int, tuple[int, str]] = {}
    if not os.path.exists("/proc/self/stat"):  # noqa: PTH110 - pathlib costs more than the rest of this process
        return _processes_by_ps()
    for entry in os.listdir("/proc"):  # noqa: PTH208 - as above
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:  # noqa: PTH123 - as above
                line = file.read()
        except OSError:
            continue
        name, _, rest = line.partition(b"(")[2].rpartition(b")")
        fields = rest.split()
        if fields[0] not in {b"Z", b"X"}:
            found[int(entry)] = (int(fields[1]), name.decode("utf-8", "replace"))
    return found


def _processes_by_ps() -> dict[int, tuple[int, str]]:
    found: dict[int, tuple[int, str]] = {}
    with os.popen("ps -axo pid=,ppid=,stat=,comm=") as lines:  # noqa: S605 - no input in it
        for line in lines:
            pid, parent, state, name = [*line.split(None, 3), "", "", "", ""][:4]
            if pid.isdigit() and parent.isdigit() and not state.startswith("Z") and not name.startswith("ps "):
                found[int(pid)] = (int(parent), os.path.basename(name.strip()))  # noqa: PTH119 - as above
    return found


def descendants() -> dict[int, str]:
    """Everything below this process: pid to name."""
    everything = processes()
    below: dict[int, str] = {}
    ours = {os.getpid()}
    while True:
        more = {pid: name for pid, (parent, name) in everything.items() if parent in ours and pid not in below}
        if not more:
            return below
        below.update(more)
        ours = set(more)


def send_signal(pid: int, number: int) -> None:
    """Signal a process that may have ended meanwhile, or belong to someone else."""
    try:
        os.kill(pid, number)
    except OSError:
        return


class Supervisor:
    """Runs the requests that come over ``owner``, one after the other.

    ``owner_end`` becomes readable when the owner ends; None where this process is the owner's child and can tell.
    ``watch`` is called while a command runs, about every ``watch.every`` seconds; it answers the limit that was
    reached, or "".
    """

    def __init__(self, owner: socket.socket, owner_end: int | None = None, watch: Any = None) -> None:
        self.owner = owner
        self.owner_pid = os.getppid()
        self.alone = os.getpid() == 1
        self.watch = watch
        self.limit = "-"
        self.waker, woken = os.pipe()
        os.set_blocking(self.waker, False)
        os.set_blocking(woken, False)
        for number in _DEFAULTS:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        self.poll = select.poll()
        self.poll.register(owner, select.POLLIN)
        self.poll.register(self.waker, select.POLLIN)
        # A fork of the owner may hold the other end of the socket open: then only this tells.
        self.owner_end = self._watch_owner() if owner_end is None else owner_end
        if self.owner_end >= 0:
            self.poll.register(self.owner_end, select.POLLIN)
        self.main = 0
        self.status: int | None = None

    def serve(self) -> None:
        """Say that it is ready, and work until the owner goes away."""
        try:
            self.owner.sendall(READY)
        except OSError:
            return
        while (request := self._receive()) is not None:
            fields, output = request
            try:
                answer = self._run(fields, output)
            except OSError as error:
                answer = f"failed {error.errno or 0}"
            try:
                self.owner.sendall(answer.encode("utf-8", "replace") + b"\n")
            except OSError:
                return

    def _watch_owner(self) -> int:
        """A descriptor that becomes readable when the owner ends; -1 where the system has none."""
        try:
            return os.pidfd_open(self.owner_pid)
        except (AttributeError, OSError):
            return -1

    def _receive(self) -> tuple[list[bytes], int] | None:
        """The next request; None where the owner is gone. A stop that comes too late is passed over."""
        data = b""
        output = -1
        while True:
            if len(data) >= LENGTH:
                size = int.from_bytes(data[:LENGTH], "big")
                if size == 0:
                    data = data[LENGTH:]
                    continue
                if len(data) >= LENGTH + size:
                    return data[LENGTH : LENGTH + size].split(b"\0"), output
            if not self._ready():
                return None
            try:
                piece, passed, _, _ = self.owner.recvmsg(1 << 18, socket.CMSG_SPACE(4))
            except OSError:
                return None
            for level, kind, content in passed:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    output = int.from_bytes(content[:4], sys.byteorder)
                    os.set_inheritable(output, False)
            if not piece:
                return None
            data += piece

    def _ready(self) -> bool:
        """Wait for something to read from the owner. False where it has ended."""
        while True:
            ready = [fd for fd, _ in self.poll.poll()]
            if self.owner_end in ready:
                return False
            if self.owner.fileno() in ready:
                return True
            self._drain_waker()

    def _run(self, fields: list[bytes], output: int) -> str:
        try:
            self.status = None
            self.limit = "-"
            count = int(fields[1])
            arguments = fields[2 : 2 + count]
            environment = dict(line.split(b"=", 1) for line in fields[2 + count :] if b"=" in line)
            os.chdir(fields[0])
            try:
                self.main = self._spawn(arguments, environment, output)
            finally:
                os.chdir("/")
        finally:
            os.close(output)  # only the command and what it starts hold it now
        stopped = not self._wait()
        ended: dict[int, str] = {}
        if self._reap():
            if stopped:
                self._terminate()
            left = self._end_all(ended)
        else:
            left = 0
        ended.pop(self.main, None)
        status = "-" if stopped or self.status is None else str(self.status)
        names = ",".join(sorted({name.replace(" ", "_").replace("\n", "_") for name in ended.values()})[:5])
        return f"done {status} {len(ended)} {left} {self.limit} {names}"

    @staticmethod
    def _spawn(arguments: list[bytes], environment: dict[bytes, bytes], output: int) -> int:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ]
        program = arguments[0]
        try:
            return os.posix_spawn(
                program, arguments, environment, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_DEFAULTS
            )
        except NotImplementedError:  # an older C library: a process group of its own at least
            return os.posix_spawn(
                program, arguments, environment, file_actions=actions, setpgroup=0, setsigmask=[], setsigdef=_DEFAULTS
            )

    def _wait(self) -> bool:
        """Wait for the command, and a moment for what it left running. False where it was stopped before its end."""
        ends: float | None = None
        looked = time.monotonic()
        while True:
            alive = self._reap()
            if self.status is not None:
                if not alive:
                    return True
                if ends is None:
                    ends = time.monotonic() + GRACE_AFTER_EXIT
                if time.monotonic() >= ends:
                    return True
            timeout = 500 if self.owner_end < 0 else None  # without a descriptor to watch the owner, look at times
            if ends is not None:
                timeout = max(1, int((ends - time.monotonic()) * 1000))
            elif self.watch is not None:
                if time.monotonic() - looked >= self.watch.every:
                    self._look()
                    looked = time.monotonic()
                timeout = int(self.watch.every * 1000)
            for fd, _ in self.poll.poll(timeout):
                if fd == self.waker:
                    self._drain_waker()
                else:
                    self._hear_stop(fd)
                    return self.status is not None
            if os.getppid() != self.owner_pid:
                return self.status is not None

    def _look(self) -> None:
        """End a command that takes more than it may."""
        reached = self.watch()
        if reached:
            self.limit = reached
            send_signal(-1, signal.SIGKILL)

    def _hear_stop(self, fd: int) -> None:
        """While a command runs, the owner sends nothing but a stop, or it is gone."""
        if fd == self.owner_end:
            return
        try:
            data = self.owner.recv(LENGTH)
        except OSError:
            data = b""
        if not data:
            self.poll.unregister(fd)

    def _drain_waker(self) -> None:
        try:
            while len(os.read(self.waker, 512)) == 512:
                pass
        except OSError:
            pass

    def _reap(self) -> bool:
        """Take note of all children that have ended. Answers whether there are others."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.main:
                self.status = status

    def _terminate(self) -> None:
        """Ask politely first: a program may want to remove its lock file."""
        try:
            os.killpg(self.main, signal.SIGTERM)
        except OSError:
            return
        ends = time.monotonic() + GRACE_AFTER_TERM
        while self.status is None and self._reap() and (left := ends - time.monotonic()) > 0:
            select.select([self.waker], [], [], left)
            self._drain_waker()

    def _end_all(self, ended: dict[int, str]) -> int:
        """Kill all descendants, collect their names in ``ended``, answer how many could not be killed.

        First all are stopped, until no new one appears: what forks faster than it is found cannot get away.
        """
        if self.alone:
            ended.update(descendants())
            send_signal(-1, signal.SIGKILL)  # all but this process, in one go
        stopped: set[int] = set()
        for _ in range(0 if self.alone else 50):
            fresh = {pid: name for pid, name in descendants().items() if pid not in stopped}
            if not fresh:
                break
            for pid in fresh:
                send_signal(pid, signal.SIGSTOP)
            stopped.update(fresh)
            ended.update(fresh)
        ends = time.monotonic() + GIVE_UP
        while True:
            left = descendants()
            for pid in left:
                send_signal(pid, signal.SIGKILL)
            ended.update(left)
            if not self._reap():
                return 0
            if time.monotonic() > ends:
                return max(1, len(descendants()))
            select.select([self.waker], [], [], 0.02)
            self._drain_waker()


def main() -> None:
    """Serve the socket on descriptor 0.

    Arguments, of a sandbox only: a descriptor that becomes readable at the owner's end, and the limits of commands:
    megabytes of memory, processes.
    """
    watch = None
    if os.getpid() == 1:
        sys.path.append(os.path.dirname(__file__))  # noqa: PTH120 - as above
        watch = __import__("box_limits").enter(*map(int, sys.argv[2:4]))
    else:
        become_subreaper()
    owner_end = int(sys.argv[1]) if len(sys.argv) > 1 else None
    own = os.dup(0)  # not inherited by commands, unlike 0 itself
    empty = os.open("/dev/null", os.O_RDWR)
    os.dup2(empty, 0)
    os.close(empty)
    if owner_end is not None and owner_end >= 0:
        os.set_inheritable(owner_end, False)
    Supervisor(socket.socket(fileno=own), owner_end, watch).serve()


if __name__ == "__main__":
    main()
