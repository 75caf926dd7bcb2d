"""``Runtime``: a workspace and a sandbox, behind the few methods that tools need."""

from __future__ import annotations

import base64
import re
import shlex
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pygent.cancellation import CancelToken
from pygent.errors import PygentError, WorkspaceError
from pygent.events import Event, FilesChanged, ToolOutput, ToolStatus
from pygent.sandbox import CommandResult, OutputSink, Sandbox, open_sandbox
from pygent.settings import command_environment, from_environment
from pygent.workspace import Workspace

CONTAINER_WORKDIR = "/workspace"


class Runtime:
    """Runs commands and keeps files, locally or in a Docker container.

    ``workspace`` is a folder, made if it is missing; None is a temporary one that ``cleanup`` and the interpreter's
    exit remove. ``use_docker`` None takes Docker if its engine answers. ``initial_files`` are copied into the
    workspace. What is not given comes from the ``PYGENT_*`` variables.

    Raises ``SandboxUnavailable`` where Docker was asked for and cannot be had, ``WorkspaceError`` where the workspace
    cannot be used.
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
        session_id: str = "",
        on_progress: Callable[[str], None] | None = None,
    ) -> None:
        settings = from_environment()
        self.image = image or settings.image
        self.banned_commands = set(settings.banned_commands if banned_commands is None else banned_commands)
        self.banned_apps = set(settings.banned_apps if banned_apps is None else banned_apps)
        self._wanted = settings.use_docker if use_docker is None else use_docker
        self._network = settings.network if network is None else network
        self._env = dict(command_environment(settings) if env is None else env)
        self._session_id = session_id
        self._on_progress = on_progress
        self._private = Path(tempfile.mkdtemp(prefix="pygent-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._private, True)
        self.base_dir = _folder(workspace) if workspace is not None else self._private / "workspace"
        self.base_dir.mkdir(exist_ok=True)
        self.workspace = Workspace(self.base_dir, aliases=(CONTAINER_WORKDIR,))
        self._sandbox: Sandbox | None = self._open()
        self.use_docker = self._sandbox.kind == "docker"
        for path in settings.init_files if initial_files is None else initial_files:
            self.upload_file(path)

    @property
    def sandbox(self) -> Sandbox:
        """Where commands run; opened again after ``close_sandbox``."""
        if self._sandbox is None:
            self._sandbox = self._open()
        return self._sandbox

    def bash(self, cmd: str, timeout: float = 30, *, on_output: OutputSink | None = None) -> str:
        """Run a shell command for at most ``timeout`` seconds; answers ``$ cmd``, its output and how it ended."""
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
    ) -> CommandResult:
        """Run a shell command; answers how it ended. Bans do not hold here.

        Raises ``ValueError`` for a command or timeout that cannot be used, ``SandboxError`` where it cannot run.
        """
        return self.sandbox.run(cmd, timeout=timeout, cancel=cancel, on_output=on_output)

    def refusal(self, cmd: str) -> str:
        """Why a command is banned, ``""`` where it is not. A ban is a hint to the model, no protection."""
        for words in _commands(cmd):
            first = PurePosixPath(words[0]).name
            if first in self.banned_commands or words[0] in self.banned_commands:
                return f"Refused: the command {first!r} is banned here. Do it another way."
            for word in words:
                if PurePosixPath(word).name in self.banned_apps:
                    return f"Refused: the program {PurePosixPath(word).name!r} is banned here. Do it another way."
        return ""

    def write_file(self, path: str, content: str) -> str:
        """Create or overwrite a UTF-8 file. Raises ``WorkspaceError`` where it cannot be."""
        self.workspace.write_text(path, content)
        return f"Wrote {self.workspace.relative(path)} ({len(content.encode()):,} bytes)"

    def read_file(self, path: str, binary: bool = False) -> str:
        """A file's text, or its bytes in base64. Raises ``WorkspaceError`` where it cannot be read."""
        if binary:
            return base64.b64encode(self.workspace.read_bytes(path)).decode("ascii")
        return self.workspace.read_text(path)

    def upload_file(self, src: str | Path, dest: str | None = None) -> str:
        """Copy a file or folder of this machine into the workspace. Raises ``WorkspaceError``."""
        source = Path(src).expanduser()
        target = dest or source.resolve().name
        if source.is_dir():
            for file in sorted(source.rglob("*")):
                if file.is_file() and not file.is_symlink():
                    self._upload(file, f"{target}/{file.relative_to(source).as_posix()}")
        else:
            self._upload(source, target)
        return f"Copied {source} to {target}"

    def export_file(self, path: str, dest: str | Path) -> str:
        """Copy a file of the workspace out to this machine. Raises ``WorkspaceError``."""
        data = self.workspace.read_bytes(path)
        target = Path(dest).expanduser()
        target = target / PurePosixPath(path).name if target.is_dir() else target
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        except OSError as error:
            raise WorkspaceError(f"cannot write {target}: {error.strerror}") from error
        return f"Copied {path} to {target}"

    def set_network(self, on: bool) -> None:
        """Switch the container's network. Raises ``PygentError`` where commands run on this machine."""
        if not self.use_docker:
            raise PygentError("commands run on this machine and use its network; only a container's can be switched")
        if on != self._network:
            self._network = on
            self.close_sandbox()

    def close_sandbox(self) -> None:
        """End the container or what else commands run in; the files stay, and a later command opens it again."""
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.close()

    def cleanup(self) -> None:
        """End the sandbox and remove a temporary workspace. Safe to call twice."""
        self.close_sandbox()
        self._finalizer()

    def scoped(self, scope: Scope) -> ScopedRuntime:
        """The view of this runtime that one tool call gets."""
        return ScopedRuntime(self, scope)

    def _open(self) -> Sandbox:
        return open_sandbox(
            self.base_dir,
            use_docker=self._wanted,
            image=self.image,
            network=self._network,
            env=self._env,
            spill_dir=self._private,
            session_id=self._session_id,
            on_progress=self._on_progress,
        )

    def _upload(self, source: Path, target: str) -> None:
        try:
            data = source.read_bytes()
        except OSError as error:
            raise WorkspaceError(f"cannot copy {source}: {error.strerror}") from error
        self.workspace.write_bytes(target, data)


@dataclass(slots=True)
class Scope:
    """What one tool call carries. ``outcome`` is how its command ended, where that was not well."""

    agent_id: str
    call_id: str
    cancel: CancelToken
    emit: Callable[[Event], object]
    tasks: Any = None
    depth: int = 0
    outcome: ToolStatus | None = None
    rest: str = ""


class ScopedRuntime:
    """A runtime as one tool call sees it: what it prints streams, what it writes is told, and a cancel ends it."""

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
        result = self.run(cmd, timeout=timeout, on_output=on_output)
        self.scope.rest = result.output_file or ""
        if result.status == "ok":
            self.scope.outcome = "error" if result.exit_status else None
        else:
            self.scope.outcome = {"timeout": "timeout", "cancelled": "cancelled"}.get(result.status, "error")  # type: ignore[assignment]
        return describe(cmd, result, timeout)

    def run(self, cmd: str, *, timeout: float = 30, on_output: OutputSink | None = None) -> CommandResult:
        """As ``Runtime.run``, with the call's cancel token."""
        scope = self.scope

        def stream(text: str) -> None:
            scope.emit(ToolOutput(agent_id=scope.agent_id, call_id=scope.call_id, text=text))
            if on_output is not None:
                on_output(text)

        return self.runtime.run(cmd, timeout=timeout, cancel=scope.cancel, on_output=stream)

    def write_file(self, path: str, content: str) -> str:
        """As ``Runtime.write_file``."""
        answer = self.runtime.write_file(path, content)
        self._changed([path])
        return answer

    def upload_file(self, src: str | Path, dest: str | None = None) -> str:
        """As ``Runtime.upload_file``."""
        answer = self.runtime.upload_file(src, dest)
        self._changed([dest or Path(src).name])
        return answer

    def _changed(self, paths: Sequence[str]) -> None:
        names = [self.runtime.workspace.relative(path) for path in paths]
        self.scope.emit(FilesChanged(agent_id=self.scope.agent_id, paths=names))


def describe(cmd: str, result: CommandResult, timeout: float) -> str:
    """How a command ended, in the words that a model reads."""
    match result.status:
        case "ok":
            end = f"[exit status: {result.exit_status}]"
        case "timeout":
            end = f"[ended after the timeout of {timeout:g} s]"
        case "cancelled":
            end = "[cancelled]"
        case "flooded":
            end = "[ended: it printed too much]"
        case _:
            end = "[the sandbox was lost while it ran]"
    output = result.output if not result.output or result.output.endswith("\n") else result.output + "\n"
    note = f"\n[{result.note}]" if result.note else ""
    file = f"\n[the whole output: {result.output_file}]" if result.output_file else ""
    return f"$ {cmd}\n{output}{end}{note}{file}"


def _folder(workspace: str | Path) -> Path:
    folder = Path(workspace).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"cannot use {folder} as the workspace: {error.strerror}") from error
    return folder.resolve()


def _commands(cmd: str) -> list[list[str]]:
    """The words of each simple command in a line, as well as splitting at operators finds them."""
    found: list[list[str]] = []
    for part in re.split(r"[;&|\n()`]+|\$\(", cmd):
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]):
            del words[0]
        if words:
            found.append(words)
    return found
