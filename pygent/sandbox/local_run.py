"""One command of the local sandbox: its output as it comes, its limits, and how it ended."""

from __future__ import annotations

import os
import select
import signal
import socket

from pygent import clock
from pygent.cancellation import CancelToken
from pygent.errors import DeadlineExceeded
from pygent.sandbox.base import CommandResult, CommandStatus, OutputSink
from pygent.sandbox.limits import CommandLimits
from pygent.sandbox.live import LiveOutput
from pygent.sandbox.local_workers import START_LIMIT, STOP_LIMIT, Worker
from pygent.sandbox.output import OutputBuffer
from pygent.sandbox.supervisor import LENGTH, READY

_READ = 64 * 1024
_CANCEL_LOOK = 0.05  # how often a running command asks its cancel token, in seconds
_ZERO = (0).to_bytes(LENGTH, "big")


class Run:
    """One command from request to result. ``failed`` is the error number where it did not start at all.

    ``limits`` are those that its supervisor holds, None for none.
    """

    def __init__(
        self,
        buffer: OutputBuffer,
        timeout: float,
        cancel: CancelToken | None,
        on_output: OutputSink | None,
        limits: CommandLimits | None = None,
    ) -> None:
        self.buffer = buffer
        self.failed: int | None = None
        self._timeout = timeout
        self._limits = limits
        self._cancel = cancel
        self._live = LiveOutput(on_output)
        self._stopped: CommandStatus | None = None
        self._note: list[str] = []
        self._answer = b""

    def on(self, worker: Worker, request: bytes) -> CommandResult:
        """Have ``worker`` run the command and answer how it ended."""
        started = clock.now()
        ours, theirs = os.pipe()
        try:
            os.set_blocking(ours, False)
            try:
                sent = socket.send_fds(worker.socket, [request], [theirs])
                if sent < len(request):
                    worker.socket.sendall(memoryview(request)[sent:])
            except OSError:
                worker.sound = False
            finally:
                os.close(theirs)
            if worker.sound:
                started = self._listen(worker, ours, started)
                self._read_rest(ours)
        finally:
            os.close(ours)
        self._live.add(self.buffer.finish())
        self._live.deliver()
        return self._result(worker, clock.now() - started)

    def _listen(self, worker: Worker, output: int, started: float) -> float:
        """Read until the supervisor says that all is over; answers when the command began.

        The time that a new supervisor needs is not the command's.
        """
        poll = select.poll()
        poll.register(output, select.POLLIN)
        poll.register(worker.socket, select.POLLIN)
        control = worker.socket.fileno()
        ends = started + self._timeout + (0 if worker.ready else START_LIMIT)
        while True:
            now = clock.now()
            if self._stopped is None:
                reason = self._reason_to_stop(now >= ends)
                if reason is not None:
                    self._stopped = reason
                    ends = now + STOP_LIMIT
                    self._send_stop(worker)
            elif now >= ends:
                worker.sound = False
                return started
            for fd, event in poll.poll(self._patience(now, ends)):
                if fd == control:
                    if not self._hear(worker):
                        return started
                    if self._answer == READY:
                        self._answer, worker.ready = b"", True
                        started = clock.now()
                        ends = ends if self._stopped else started + self._timeout
                elif not event & select.POLLIN or not self._read(output):
                    poll.unregister(output)
            self._live.deliver_due()

    def _reason_to_stop(self, late: bool) -> CommandStatus | None:
        if self.buffer.flooded:
            return "flooded"
        error = self._cancel.error if self._cancel is not None else None
        if error is not None:
            if isinstance(error, DeadlineExceeded):
                self._note.append("the time limit of the whole run was reached")
                return "timeout"
            return "cancelled"
        return "timeout" if late else None

    def _patience(self, now: float, ends: float) -> int:
        """How long to wait for the next event, in milliseconds."""
        wait = ends - now
        if self._cancel is not None and self._stopped is None:
            wait = min(wait, _CANCEL_LOOK)
        wait = self._live.wait(wait)
        return max(0, min(int(wait * 1000) + 1, 3_600_000))

    def _send_stop(self, worker: Worker) -> None:
        try:
            worker.socket.sendall(_ZERO)
        except OSError:
            worker.sound = False

    def _hear(self, worker: Worker) -> bool:
        """Take what the supervisor says. False once its answer is whole, or it is gone."""
        try:
            data = worker.socket.recv(4096)
        except OSError:
            data = b""
        if not data:
            worker.sound = False
            return False
        self._answer += data
        if not worker.ready and self._answer.startswith(READY) and self._answer != READY:
            self._answer, worker.ready = self._answer[len(READY) :], True
        return self._answer == READY or not self._answer.endswith(b"\n")

    def _read(self, output: int) -> bool:
        """Read once. False at the end of the output."""
        try:
            data = os.read(output, _READ)
        except BlockingIOError:
            return True
        if data and not self.buffer.flooded:
            self._live.add(self.buffer.feed(data))
        return bool(data)

    def _read_rest(self, output: int) -> None:
        """What is still in the pipe. Never waits: a process that got away may hold the other end."""
        try:
            while not self.buffer.flooded and (data := os.read(output, _READ)):
                self._live.add(self.buffer.feed(data))
        except BlockingIOError:
            pass

    def _result(self, worker: Worker, seconds: float) -> CommandResult:
        words = self._answer.decode("utf-8", "replace").split()
        status: CommandStatus = self._stopped or "ok"
        exit_status: int | None = None
        if not words:
            worker.sound = False
            if worker.closed:
                status = "cancelled"
                self._note.append("the sandbox was closed")
            elif self._stopped is None:
                status = "lost"
                self._note.append("the process that watches over commands was killed, and the command was ended")
        elif words[0] == "failed":
            self.failed = int(words[1])
        else:
            _, code, ended, left, limit = words[:5]
            names = words[5] if len(words) > 5 else ""
            if code != "-":
                exit_status = self._exit_status(int(code))
                if status in {"timeout", "cancelled"}:
                    status = "ok"  # it ended by itself in time; only what it left behind was stopped
                if limit != "-" and self._limits is not None:
                    worker.sound = False  # with it goes what the command has put into its shared memory
                    about = self._limits.about_memory if limit == "memory" else self._limits.about_processes
                    self._note.append(about().rstrip("."))
                elif int(ended):
                    what = "1 process was" if ended == "1" else f"{ended} processes were"
                    self._note.append(
                        f"{what} still running in the background ({names}) and had to end with the command"
                    )
            if int(left):
                worker.sound = False
                self._note.append(f"{left} of its processes could not be ended")
        if self.buffer.flooded:
            status = "flooded"
        note = "; ".join(self._note)
        return CommandResult(status, exit_status, self.buffer.text(), seconds, self.buffer.file, note)

    def _exit_status(self, status: int) -> int:
        """The number that a shell would show."""
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return code
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        self._note.append(f"the shell was ended by {name}")
        return 128 - code
