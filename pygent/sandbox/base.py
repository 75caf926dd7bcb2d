"""What every sandbox does: run one shell command at a time to its end, and nothing survives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from pygent.cancellation import CancelToken
from pygent.redaction import Redactor

CommandStatus = Literal["ok", "timeout", "cancelled", "flooded", "lost"]
"""``ok``: the command ended by itself, whatever its exit status. ``flooded``: stopped at its output budget.
``lost``: the sandbox itself went away under the command."""

OutputSink = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended.

    ``output`` is both streams in the order they came, held to a head and a tail; where text was left out,
    ``output_file`` has all of it (a path on this machine). ``exit_status`` is None where the command did not end by
    itself. ``note`` says what else the reader should know, such as a child left running that was ended.
    """

    status: CommandStatus
    exit_status: int | None
    output: str
    seconds: float
    output_file: str | None = None
    note: str = ""


class Sandbox(Protocol):
    """Where commands run.

    ``kind`` is the wire name (``"docker"``, ``"local"``); ``summary`` is the line a person reads, such as
    ``"docker · network off"`` or ``"LOCAL: commands run as you"``. ``workdir`` is the workspace's path as commands
    see it. What ``redactor`` knows is taken out of outputs.
    """

    kind: str
    workdir: str
    redactor: Redactor

    @property
    def summary(self) -> str: ...

    @property
    def confined(self) -> bool:
        """True where commands cannot reach the rest of this machine."""
        ...

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
        """Run ``cmd`` with the shell, fresh in the workspace, its standard input closed.

        ``timeout`` is in seconds. When it returns, the command and all its descendants have ended.
        ``on_output`` gets decoded text as it comes, on the calling thread; ``on_file`` the path of the file that has
        all of it, as soon as there is one.
        Raises ``SandboxError`` where the command could not be started.
        """
        ...

    def close(self) -> None:
        """End whatever the sandbox holds. Safe to call twice and from any thread."""
        ...
