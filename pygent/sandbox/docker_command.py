"""One command from its start to its end: output, limits, and the children it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pygent import clock
from pygent.cancellation import CancelToken
from pygent.errors import DeadlineExceeded
from pygent.sandbox.base import CommandResult, CommandStatus, OutputSink
from pygent.sandbox.docker_question import Question
from pygent.sandbox.docker_shell import Exchange, Shell, ShellEnded, Status
from pygent.sandbox.live import LiveOutput
from pygent.sandbox.output import OutputBuffer

POLL = 0.05
"""Seconds between two looks at the cancel tokens."""

GRACE = 0.1
"""Seconds that children have to end by themselves once the command has, such as the reader of `> >(tee log)`."""

GRACE_POLL = 0.02
STUCK = 2.0
"""Seconds after which a process that cannot be ended costs the container."""

NO_SPACE = "No space left on device"
END = 4096
"""Characters at the end of a failed command's output in which its reason is looked for."""

SILENCE = 1.0
"""Seconds without output between two questions to the engine whether the shell is still there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. ``stuck``: processes are left that the shell could not end."""

    status: CommandStatus
    exit_status: int | None = None
    stuck: bool = False


class CommandRun:
    """Runs one request in ``shell``. ``stops`` end it early, as does ``timeout`` in seconds."""

    def __init__(
        self,
        shell: Shell,
        code: str,
        timeout: float,
        stops: Sequence[CancelToken],
        on_output: OutputSink | None,
        buffer: OutputBuffer,
    ) -> None:
        self._shell = shell
        self._code = code
        self._timeout = timeout
        self._stops = stops
        self._live = LiveOutput(on_output)
        self._buffer = buffer
        self._started = clock.now()
        self._notes: list[str] = []
        self._left_since: float | None = None
        self._next_look = 0.0
        self._left: Status | None = None
        self._question: Question | None = None
        self._next_question = 0.0

    def run(self) -> Outcome:
        """Follow the command to its end, or to the reason to end it; then the caller has to."""
        try:
            exchange = Exchange(self._shell, self._code)
        except ShellEnded:
            return Outcome("lost")
        try:
            outcome = self._follow(exchange)
        except ShellEnded:
            outcome = Outcome("lost")
        self._feed(exchange.rest())
        return outcome

    def result(self, outcome: Outcome, note: str) -> CommandResult:
        """What the caller of the sandbox gets; ``note`` joins those of the command itself."""
        self._live.add(self._buffer.finish())
        self._live.deliver()
        return CommandResult(
            status=outcome.status,
            exit_status=outcome.exit_status,
            output=self._buffer.text(),
            seconds=clock.now() - self._started,
            output_file=self._buffer.file,
            note=" ".join([*self._notes, *([note] if note else [])]),
        )

    def _follow(self, exchange: Exchange) -> Outcome:
        heard = clock.now()
        while not exchange.done:
            data = exchange.receive(self._patience())
            now = clock.now()
            if data:
                heard = now
                self._feed(data)
            self._live.deliver_due()
            if (stop := self._reason_to_stop(now)) is not None:
                self._feed(exchange.receive(0))  # what has come meanwhile
                return Outcome(stop)
            if exchange.status is not None and exchange.status.left:
                self._look_after_children(exchange, exchange.status, now)
            elif now - heard > SILENCE and self._shell_is_gone(now):
                raise ShellEnded
            if self._left_since is not None and now - self._left_since > STUCK:
                return Outcome("ok", exchange.status.exit_status if exchange.status else None, stuck=True)
        assert exchange.status is not None
        self._tell(exchange.status)
        return Outcome("ok", exchange.status.exit_status)

    def _patience(self) -> float:
        if self._left_since is not None:
            return GRACE_POLL
        left = self._started + self._timeout - clock.now()
        return max(0.001, self._live.wait(min(POLL, left)))

    def _feed(self, data: bytes) -> None:
        if data:
            self._live.add(self._buffer.feed(data))

    def _reason_to_stop(self, now: float) -> CommandStatus | None:
        if self._buffer.flooded:
            return "flooded"
        if self._left_since is not None:
            return None  # the command has ended, and its children are about to
        for token in self._stops:
            if (error := token.error) is not None:
                return "timeout" if isinstance(error, DeadlineExceeded) else "cancelled"
        return "timeout" if now - self._started >= self._timeout else None

    def _look_after_children(self, exchange: Exchange, status: Status, now: float) -> None:
        if self._left_since is None:
            self._left_since = now
            self._next_look = now + GRACE_POLL
        if now < self._next_look:
            return
        over = now - self._left_since >= GRACE
        if over and self._left is None:
            self._left = status
        exchange.ask_again(end_all=over)
        self._next_look = now + GRACE_POLL

    def _shell_is_gone(self, now: float) -> bool:
        if self._question is None:
            if now >= self._next_question:
                self._question = Question(self._shell.ended)
            return False
        gone = self._question.answer(now)
        if gone is not None:
            self._question = None
            self._next_question = now + SILENCE
        return gone is True

    def _tell(self, status: Status) -> None:
        if self._left is not None:
            count = self._left.left
            what = "process that the command left running was" if count == 1 else "processes left running were"
            self._notes.append(f"{count} {what} ended: {', '.join(self._left.names)}{', …' if count > 5 else ''}.")
        self._notes += self._shell.container.shortages(status.shortages)
        if status.exit_status and NO_SPACE in self._buffer.text()[-END:]:
            self._notes.append(self._shell.container.limits.about_disk())
