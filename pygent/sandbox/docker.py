"""Commands in a container: one container a sandbox, one shell in it that starts every command."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pygent.cancellation import CancelToken
from pygent.errors import DeadlineExceeded, SandboxError, Stopped
from pygent.redaction import Redactor
from pygent.sandbox.base import CommandResult, CommandStatus, OutputSink
from pygent.sandbox.commands import check_timeout
from pygent.sandbox.docker_command import CommandRun, Outcome
from pygent.sandbox.docker_container import WORKDIR, Plan, owner_of
from pygent.sandbox.docker_engine import available, find_endpoint, runs_as_user
from pygent.sandbox.docker_link import SETTLE, Link
from pygent.sandbox.docker_shell import command_code
from pygent.sandbox.docker_workspace import refuse_dangerous
from pygent.sandbox.limits import CommandLimits
from pygent.sandbox.output import OutputBuffer
from pygent.sandbox.protected import Protected

__all__ = ["DockerSandbox", "available"]

NEW_CONTAINER = (
    "The next command starts in a new one: the workspace is as it was, /tmp and the home folder of the commands are "
    "empty."
)
NEW_SHELL = "The shell that starts the commands was ended, by this command or from outside, and was opened again."


class DockerSandbox:
    """Runs commands in a container of its own, which is gone when this process is.

    ``root`` is the workspace on this machine, ``env`` the variables for commands (``PATH``, ``HOME`` and others that
    only mean something outside are left out), ``spill_dir`` where long outputs are kept, ``on_progress`` gets a line
    now and then while an image is pulled, ``limits`` is what all commands together may use.
    The constructor starts nothing; ``open`` does, or else the first ``run``.
    Raises ``SandboxUnavailable`` for a workspace that must not be mounted.
    """

    kind = "docker"
    workdir = WORKDIR
    confined = True

    def __init__(
        self,
        root: str | Path,
        image: str,
        env: Mapping[str, str],
        network: bool = False,
        spill_dir: str | Path | None = None,
        session_id: str = "",
        on_progress: Callable[[str], None] | None = None,
        *,
        limits: CommandLimits | None = None,
    ) -> None:
        self.root = Path(root).resolve()
        self.image = image
        self.network = network
        self.limits = limits or CommandLimits()
        self._env = dict(env)
        self._spill_dir = spill_dir
        self.redactor = Redactor()
        self._session_id = session_id or secrets.token_hex(6)
        self._on_progress = on_progress
        refuse_dangerous(self.root, find_endpoint())
        self._turn_lock = threading.Lock()  # one command at a time: what ends one ends all
        self._closing = CancelToken()
        self._link = Link()
        self._news = ""
        self._began = 0.0  # when the last command did, for the engine's events
        self._finalizer = weakref.finalize(self, self._link.release)

    @property
    def summary(self) -> str:
        return f"docker · network {'on' if self.network else 'off'}"

    @property
    def container_id(self) -> str | None:
        """The engine's id of the container, None before it is started and once it is gone."""
        container = self._link.container
        return container.id if container else None

    def open(self, cancel: CancelToken | None = None) -> None:
        """Start the container, pulling its image first where it is missing. Does nothing where it runs.

        Raises ``SandboxUnavailable`` with what to do, ``Cancelled`` or ``DeadlineExceeded`` by ``cancel``, and
        ``Cancelled`` when the sandbox is closed meanwhile.
        """
        with self._turn(cancel):
            self._ready(cancel)

    def run(
        self,
        cmd: str,
        *,
        timeout: float,
        cancel: CancelToken | None = None,
        on_output: OutputSink | None = None,
        on_file: OutputSink | None = None,
        env: Mapping[str, str] | None = None,
    ) -> CommandResult:
        """As ``Sandbox.run`` has it. Commands of several threads run one after another.

        ``timeout`` counts from the start of the command, not from the wait for another one or for the container.
        Raises ``ValueError`` for a command or a timeout that cannot be used, ``SandboxUnavailable`` where no
        container can be started, ``SandboxError`` once it is closed.
        """
        code = command_code(cmd, env)
        timeout = check_timeout(timeout)
        if self._closing.cancelled:
            raise SandboxError("the sandbox is closed")
        try:
            with self._turn(cancel):
                self._ready(cancel)
                return self._run(code, timeout, cancel, on_output, on_file)
        except Stopped as stopped:
            status: CommandStatus = "timeout" if isinstance(stopped, DeadlineExceeded) else "cancelled"
            return CommandResult(status, None, "", 0.0, note=f"The command was not started: {stopped}.")

    def close(self) -> None:
        """Remove the container. A command in it ends as cancelled, a pull is given up."""
        self._closing.cancel("the sandbox was closed")
        self._link.release()
        self._finalizer.detach()

    @contextlib.contextmanager
    def _turn(self, cancel: CancelToken | None) -> Iterator[None]:
        self._check(cancel)
        while not self._turn_lock.acquire(timeout=0.05):
            self._check(cancel)
        try:
            yield
        finally:
            self._turn_lock.release()

    def _check(self, cancel: CancelToken | None) -> None:
        self._closing.check()
        if cancel is not None:
            cancel.check()

    def _ready(self, cancel: CancelToken | None) -> None:
        """A container with a shell that waits for a request, made or mended where it is not there."""
        link = self._link
        if link.shell is not None and link.shell.alive():
            return
        if link.container is not None:
            self._mend()
            if link.shell is not None:
                return
        owner = owner_of(self.root, rootless=runs_as_user(find_endpoint()))
        plan = Plan(
            root=self.root,
            image=self.image,
            env=self._env,
            network=self.network,
            limits=self.limits,
            session_id=self._session_id,
            owner=owner,
            protected=Protected(self.root, (owner.uid, owner.gid) if owner.uid and os.geteuid() == 0 else None),
        )
        link.start(plan, self._on_progress, lambda: self._check(cancel))

    def _run(
        self,
        code: str,
        timeout: float,
        cancel: CancelToken | None,
        on_output: OutputSink | None,
        on_file: OutputSink | None,
    ) -> CommandResult:
        shell = self._link.shell
        if shell is None:
            raise SandboxError("the sandbox is closed")
        stops = [token for token in (self._closing, cancel) if token is not None]
        buffer = OutputBuffer(spill_dir=self._spill_dir, on_file=on_file, redactor=self.redactor)
        command = CommandRun(shell, code, timeout, stops, on_output, buffer)
        news, self._news = self._news, ""
        self._began = time.time()
        try:
            outcome = command.run()
        except BaseException:  # Ctrl+C, or a sink that raised: nothing of the command may go on
            self._mend()
            raise
        outcome, note = self._after(outcome)
        return command.result(outcome, " ".join(part for part in (news, note) if part))

    def _after(self, outcome: Outcome) -> tuple[Outcome, str]:
        """End what an ended command has left, and say what that has cost."""
        if outcome.status == "ok" and not outcome.stuck:
            return outcome, ""
        if self._closing.cancelled:
            return replace(outcome, status="cancelled"), "The sandbox was closed."
        if outcome.status == "lost":
            self._mend(NEW_SHELL)
        elif outcome.stuck:
            self._link.drop()
            self._news = f"Processes of the command could not be ended, so its container was. {NEW_CONTAINER}"
        else:
            self._mend()
        note, self._news = self._news, ""
        return outcome, note

    def _mend(self, said: str = "") -> None:
        """A new shell, which ends what the old one started; without the container where it has no place for one."""
        reason = self._link.lost_container(self._began)
        if not reason:
            try:
                self._news = " ".join([*([said] if said else []), *self._link.open_shell()])
                return
            except SandboxError:
                reason = (
                    self._link.lost_container(self._began, settle=SETTLE)
                    or "The container could take no further process and was removed."
                )
        self._link.drop()
        self._news = f"{reason} {NEW_CONTAINER}"
