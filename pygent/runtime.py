"""``Runtime``: a workspace and a sandbox, behind the few methods that tools need."""

from __future__ import annotations

import base64
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from pygent.cancellation import CancelToken
from pygent.copying import copy_in, copy_out
from pygent.errors import PygentError, SandboxError, WorkspaceError
from pygent.events import FilesChanged, ToolOutput
from pygent.redaction import HIDDEN, Redactor
from pygent.sandbox import CommandLimits, CommandResult, OutputSink, Sandbox, limits_of, open_sandbox
from pygent.sandbox.bans import find_banned
from pygent.sandbox.description import describe
from pygent.sandbox.live import Sampled
from pygent.sandbox.output import OutputBuffer
from pygent.sandbox.protected import naming
from pygent.scope import Scope
from pygent.scratch import remove_folder, scratch_folder
from pygent.settings import command_environment, existing_init_files, from_environment
from pygent.settings.secrets import all_keys
from pygent.web_access import WebAccess
from pygent.workspace import Workspace

CONTAINER_WORKDIR = "/workspace"
LIVE_LIMIT = 1024 * 1024
"""Characters of one command's output that are all streamed as events; what comes after them only now and then."""


class Runtime:
    """Runs commands and keeps files, locally or in a Docker container.

    ``workspace`` is a folder, made if it is missing; without one, and always with ``temporary``, it is a temporary
    one that ``cleanup`` and the interpreter's exit remove. ``use_docker`` None takes Docker if its engine answers.
    ``local_sandbox`` is for commands without a container: ``"on"`` bubblewrap, ``"auto"`` where it works, ``"off"``.
    ``initial_files`` are copied into the workspace. ``limits`` is what all commands in a container may use. Without
    ``start`` a container starts with the first command. What is not given comes from the ``PYGENT_*`` variables.
    Thread-safe.

    Raises ``SandboxUnavailable`` where Docker or a sandbox was asked for and cannot be had, ``WorkspaceError`` where
    the workspace cannot be used, ``SettingsError`` for a variable that cannot be read.
    """

    def __init__(  # noqa: PLR0913 - the documented constructor
        self,
        image: str | None = None,
        use_docker: bool | None = None,
        initial_files: Sequence[str | Path] | None = None,
        workspace: str | Path | None = None,
        banned_commands: Iterable[str] | None = None,
        banned_apps: Iterable[str] | None = None,
        *,
        network: bool | None = None,
        env: Mapping[str, str] | None = None,
        limits: CommandLimits | None = None,
        session_id: str | None = None,
        on_progress: Callable[[str], None] | None = None,
        temporary: bool = False,
        start: bool = True,
        redactor: Redactor | None = None,
        local_sandbox: str | None = None,
    ) -> None:
        settings = from_environment()
        self.redactor = Redactor(all_keys(settings)) if redactor is None else redactor
        """The keys that no output and no kept file may have."""
        self.image = image or settings.image
        self.banned_commands = set(settings.banned_commands if banned_commands is None else banned_commands)
        self.banned_apps = set(settings.banned_apps if banned_apps is None else banned_apps)
        self._network = settings.network if network is None else network
        self._local = local_sandbox or settings.local_sandbox
        self.web = WebAccess()
        self._env = dict(command_environment(settings) if env is None else env)
        self._limits = limits or limits_of(settings)
        self._session_id = session_id or ""
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._closed = False
        self._private = scratch_folder()  # long outputs, and a temporary workspace
        self._finalizer = weakref.finalize(self, remove_folder, self._private)
        self._sandbox: Sandbox | None = None
        try:
            named = None if temporary else workspace or settings.workspace
            self.temporary = named is None
            """Whether ``cleanup`` removes the workspace."""
            self.base_dir = _folder(named or self._private / "workspace")
            self.workspace = Workspace(self.base_dir, aliases=(CONTAINER_WORKDIR,))
            self._sandbox = self._open(settings.use_docker if use_docker is None else use_docker, start=start)
            self.use_docker = self._sandbox.kind == "docker"
            for path in existing_init_files(settings) if initial_files is None else initial_files:
                self.upload_file(path)
        except BaseException:
            self.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.cleanup()

    @property
    def network(self) -> bool:
        """Whether the network is switched on for what is done here; a local command may reach it all the same."""
        return self._network

    @property
    def sandbox(self) -> Sandbox:
        """Where commands run. After ``close_sandbox`` a new one of that kind, which starts with its first command.

        Raises ``SandboxError`` after ``cleanup``.
        """
        with self._lock:
            if self._closed:
                raise SandboxError("The runtime was cleaned up.")
            if self._sandbox is None:
                self._sandbox = self._open(self.use_docker, start=False)
            return self._sandbox

    def bash(self, cmd: str, timeout: float = 30, *, on_output: OutputSink | None = None) -> str:
        """Run a shell command for at most ``timeout`` seconds; answers ``$ cmd``, its output and how it ended.

        A banned command is not run; the answer says so. ``on_output`` gets the output as it comes.
        Raises ``ValueError`` for a command or timeout that cannot be used, ``SandboxError`` where it cannot run.
        """
        refusal = self.refusal(cmd)
        if refusal:
            return f"$ {cmd}\n{refusal}"
        return describe(cmd, self.run(cmd, timeout=timeout, on_output=on_output), timeout)

    def run(
        self,
        cmd: str,
        *,
        timeout: float = 30,
        cancel: CancelToken | None = None,
        on_output: OutputSink | None = None,
        on_file: OutputSink | None = None,
    ) -> CommandResult:
        """Run a shell command; answers how it ended, and names changed files that other programs trust. No bans hold.

        Raises ``ValueError`` for a command or timeout that cannot be used, ``SandboxError`` where it cannot run.
        """
        run = partial(self.sandbox.run, cmd, timeout=timeout, cancel=cancel, on_output=on_output, on_file=on_file)
        return naming(self.base_dir, run)

    def refusal(self, cmd: str) -> str:
        """Why a command is banned, ``""`` where it is not. A ban is a hint to the model, no protection."""
        found = find_banned(cmd, self.banned_commands, self.banned_apps)
        return f"Refused: {found!r} is banned here and was not run. Do it another way." if found else ""

    def write_file(self, path: str, content: str) -> str:
        """Create or overwrite a UTF-8 file. Raises ``WorkspaceError`` where it cannot be, or a key would be lost."""
        if HIDDEN in content:
            _check_keys(self, path, content)
        self.workspace.write_text(path, content)
        return f"Wrote {self.workspace.relative(path)} ({len(content.encode()):,} bytes)"

    def read_file(self, path: str, binary: bool = False) -> str:
        """A file's text, or its bytes in base64. Raises ``WorkspaceError`` where it cannot be read."""
        if binary:
            return base64.b64encode(self.workspace.read_bytes(path)).decode("ascii")
        return self.workspace.read_text(path)

    def upload_file(self, src: str | Path, dest: str | None = None) -> str:
        """Copy a file or folder of this machine into the workspace, as ``dest`` or under its own name.

        Links in a folder that lead out of it are left out. Raises ``WorkspaceError``.
        """
        source = Path(src).expanduser()
        target = self.upload_target(src, dest)
        count = copy_in(source, self.workspace, target)
        return f"Copied {source} to {target}" + (f" ({count} files)" if source.is_dir() else "")

    def upload_target(self, src: str | Path, dest: str | None = None) -> str:
        """Where ``upload_file`` puts it: a file goes into ``dest`` where that is a folder."""
        source = Path(src).expanduser()
        if dest is None or (not source.is_dir() and self.workspace.is_dir(dest)):
            dest = f"{dest or '.'}/{source.resolve().name if dest is None else source.name}"
        return self.workspace.relative(dest)

    def export_file(self, path: str, dest: str | Path) -> str:
        """Copy a file or folder out; ``dest`` may be a folder that exists. Raises ``WorkspaceError``."""
        target, count = copy_out(self.workspace, path, Path(dest).expanduser())
        return f"Copied {path} to {target}" + ("" if count is None else f" ({count} files)")

    def set_network(self, on: bool) -> None:
        """Switch the sandbox's network. Raises ``PygentError`` where nothing surrounds the commands."""
        if not self.sandbox.confined:
            raise PygentError("Commands run on this machine and use its network; only a sandbox's can be switched.")
        if on != self._network:
            self._network = on
            self.close_sandbox()

    def set_docker(self, on: bool) -> None:
        """Run commands in a container from now on, or not. Raises ``SandboxUnavailable``, and all is as it was."""
        if on == self.use_docker:
            return
        sandbox = self._open(on)
        self.close_sandbox()
        with self._lock:
            self._sandbox, self.use_docker = sandbox, on

    def close_sandbox(self) -> None:
        """End the container or what else commands run in; the files stay, and a later command opens it again."""
        with self._lock:
            sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.close()

    def cleanup(self) -> None:
        """End the sandbox and remove a temporary workspace. Safe to call twice and from any thread."""
        with self._lock:
            self._closed = True
        self.close_sandbox()
        self._finalizer()

    def sibling(
        self,
        *,
        workspace: Path | None = None,
        image: str | None = None,
        network: bool | None = None,
        start: bool = True,
    ) -> Runtime:
        """Another runtime with the same sandbox, variables and bans, in ``workspace`` or a temporary one.

        ``image`` instead of this one's is for its container. ``network`` False closes its network; it has none that
        this one lacks. ``start`` as for ``Runtime``.
        """
        made = Runtime(
            *(image or self.image, self.use_docker, (), workspace, self.banned_commands, self.banned_apps),
            network=self._network and network is not False,
            env=self._env,
            limits=self._limits,
            session_id=self._session_id,
            temporary=workspace is None,
            start=start,
            redactor=self.redactor,
            local_sandbox=self._local,
        )
        made.web = self.web
        return made

    @property
    def output_dir(self) -> Path:
        """Where long outputs are kept until ``cleanup``; nobody else writes there."""
        return self._private / "output"

    def keep_output(self, text: str) -> str:
        """Keep a long text for the person in a file; answers its path, "" where it cannot be kept."""
        buffer = OutputBuffer(0, 0, spill_dir=self.output_dir, redactor=self.redactor)
        buffer.feed(text.encode("utf-8", "replace"))
        buffer.finish()
        return buffer.file or ""

    def scoped(self, scope: Scope) -> ScopedRuntime:
        """The view of this runtime that one tool call gets."""
        return ScopedRuntime(self, scope)

    def _open(self, use_docker: bool | None, *, start: bool = True) -> Sandbox:
        sandbox = open_sandbox(
            self.base_dir,
            use_docker=use_docker,
            image=self.image,
            network=self._network,
            env=self._env,
            spill_dir=self.output_dir,
            session_id=self._session_id,
            on_progress=self._on_progress,
            limits=self._limits,
            start=start,
            local=self._local,
        )
        sandbox.redactor = self.redactor
        return sandbox


class ScopedRuntime:
    """A runtime as one tool call sees it: its output streams as events, writes are told, and a cancel ends it.

    What is not here is the runtime's own. Methods raise ``Cancelled`` or ``DeadlineExceeded`` once the call should
    end; a command that runs then ends as a result.
    """

    def __init__(self, runtime: Runtime, scope: Scope) -> None:
        self.runtime = runtime
        self.scope = scope

    def __getattr__(self, name: str) -> Any:
        return getattr(self.runtime, name)

    def bash(self, cmd: str, timeout: float = 30, *, on_output: OutputSink | None = None) -> str:
        """As ``Runtime.bash``; the output streams as it comes."""
        refusal = self.runtime.refusal(cmd)
        if refusal:
            self.scope.outcome = "denied"
            return f"$ {cmd}\n{refusal}"
        return describe(cmd, self.run(cmd, timeout=timeout, on_output=on_output), timeout)

    def run(self, cmd: str, *, timeout: float = 30, on_output: OutputSink | None = None) -> CommandResult:
        """As ``Runtime.run``, with the call's cancel token; sets the scope's ``outcome`` and ``rest``."""
        scope = self.scope
        scope.cancel.check()
        result = self.runtime.run(
            cmd,
            timeout=timeout,
            cancel=scope.cancel,
            on_output=self._stream(on_output),
            on_file=lambda path: setattr(scope, "rest", path),
        )
        scope.rest, scope.exit_status = result.output_file or "", result.exit_status
        match result.status:
            case "ok":
                scope.outcome = "error" if result.exit_status else None
            case "timeout" | "cancelled":
                scope.outcome = result.status
            case _:
                scope.outcome = "error"
        return result

    def write_file(self, path: str, content: str) -> str:
        """As ``Runtime.write_file``."""
        self.scope.cancel.check()
        answer = self.runtime.write_file(path, content)
        self._changed(path)
        return answer

    def upload_file(self, src: str | Path, dest: str | None = None) -> str:
        """As ``Runtime.upload_file``."""
        self.scope.cancel.check()
        target = self.runtime.upload_target(src, dest)
        answer = self.runtime.upload_file(src, dest)
        self._changed(target)
        return answer

    def _stream(self, on_output: OutputSink | None) -> OutputSink:
        scope = self.scope

        def emit(text: str) -> None:
            scope.emit(
                ToolOutput(agent_id=scope.agent_id, call_id=scope.call_id, text=text, output_file=scope.rest or None)
            )

        sampled = Sampled(emit, LIVE_LIMIT)

        def stream(text: str) -> None:
            if on_output is not None:
                on_output(text)
            sampled(text)

        return stream

    def _changed(self, path: str) -> None:
        name = self.runtime.workspace.relative(path)
        self.scope.emit(FilesChanged(agent_id=self.scope.agent_id, paths=[name]))


def _check_keys(runtime: Runtime, path: str, content: str) -> None:
    """See that no key in a file is replaced by what was shown in its place."""
    workspace = runtime.workspace
    if workspace.is_file(path) and runtime.redactor.lost(workspace.read_bytes(path), content):
        raise WorkspaceError(
            f"{path} was not written: {HIDDEN} stands for a key that is hidden from you and would be lost. "
            "Change the other lines with edit_file."
        )


def _folder(workspace: str | Path) -> Path:
    folder = Path(workspace).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise WorkspaceError(f"{str(folder)!r} is a file, not a folder to work in.") from None
    except OSError as error:
        raise WorkspaceError(f"{str(folder)!r} cannot be the workspace: {error.strerror}.") from error
    return folder.resolve()
