"""Commands on this machine, as the person who runs Pygent: no protection, but nothing survives its command."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import socket
import weakref
from collections.abc import Mapping
from pathlib import Path

from pygent.cancellation import CancelToken
from pygent.errors import SandboxError, SandboxUnavailable
from pygent.redaction import Redactor
from pygent.sandbox.base import CommandResult, OutputSink
from pygent.sandbox.commands import FIXED_ENVIRONMENT, check_command, check_timeout
from pygent.sandbox.limits import CommandLimits
from pygent.sandbox.local_run import Run
from pygent.sandbox.local_workers import Bare, Launcher, Pool, encode_request
from pygent.sandbox.output import OutputBuffer
from pygent.sandbox.strays import MARKER, end_marked


class LocalSandbox:
    """Runs commands in ``root`` with just the variables of ``env`` and those that keep programs from asking.

    ``spill_dir`` gets the output of commands that say much (see ``OutputBuffer``). ``launcher`` starts the processes
    that watch over commands. Any number of threads may run commands at once. Raises ``SandboxUnavailable`` where the
    system is not POSIX or has no shell.
    """

    kind = "local"
    confined = False
    summary = "LOCAL: commands run as you"
    limits: CommandLimits | None = None

    def __init__(self, root: Path, env: Mapping[str, str], spill_dir: Path, launcher: Launcher | None = None) -> None:
        if not hasattr(os, "posix_spawn") or not hasattr(socket, "AF_UNIX"):
            raise SandboxUnavailable(
                "Running commands on this machine needs a POSIX system (Linux, macOS, or WSL on Windows). "
                "Use Docker (--docker) otherwise."
            )
        shell = shutil.which("bash") or shutil.which("sh")
        if shell is None:
            raise SandboxUnavailable("There is neither bash nor sh on the PATH. Install one, or use --docker.")
        self.workdir = str(root)
        self._root = root
        self._spill_dir = spill_dir
        self.redactor = Redactor()
        self._shell = shell
        self._env = {**env, **FIXED_ENVIRONMENT}
        self._pool = Pool(launcher or Bare())
        self._finalizer = weakref.finalize(self, self._pool.close)

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
        """Run ``cmd`` to its end, with all it starts. See ``Sandbox.run``.

        Raises ``ValueError`` for a command or a timeout that cannot be used, ``SandboxError`` where nothing starts.
        """
        command = check_command(cmd)
        timeout = check_timeout(timeout)
        marker = secrets.token_hex(8)
        variables = {**self._env, **(env or {}), MARKER: marker}
        request = encode_request(self.workdir, [os.fsencode(self._shell), b"-c", command], variables)
        buffer = OutputBuffer(spill_dir=self._spill_dir, on_file=on_file, redactor=self.redactor)
        run = Run(buffer, timeout, cancel, on_output, self.limits)
        worker = self._pool.take()
        try:
            result = run.on(worker, request)
        except BaseException:  # a callback that raises, Ctrl+C: the command must not go on behind it
            worker.sound = False
            run.buffer.finish()
            raise
        finally:
            self._pool.give_back(worker)
        if result.status == "lost" and (complaint := worker.complaint()):
            why = complaint.splitlines()[-1]
            raise SandboxError(f"The sandbox could not be started: {why}. `--local-sandbox off` goes without it.")
        if result.status == "lost":
            end_marked(marker)
        if run.failed is not None:
            raise SandboxError(self._why(run.failed))
        return result

    def close(self) -> None:
        """End all commands and their supervisors. Safe to call twice and from any thread."""
        self._finalizer()

    def _why(self, code: int) -> str:
        if code in {errno.ENOENT, errno.ENOTDIR} and not self._root.is_dir():
            return f"The workspace {self.workdir!r} does not exist any more, so no command can run in it."
        if code == errno.E2BIG:
            return "The command and its environment are too long for this system."
        return f"The command could not be started: {os.strerror(code)}."
