"""Where commands run: on this machine or in a container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pygent.sandbox.base import CommandResult, CommandStatus, OutputSink, Sandbox
from pygent.sandbox.limits import CommandLimits, limits_of

__all__ = [
    "CommandLimits",
    "CommandResult",
    "CommandStatus",
    "OutputSink",
    "Sandbox",
    "limits_of",
    "open_sandbox",
]


def open_sandbox(  # noqa: PLR0913 - all that either kind needs
    root: Path,
    *,
    use_docker: bool | None,
    image: str,
    network: bool,
    env: Mapping[str, str],
    spill_dir: Path,
    session_id: str = "",
    on_progress: Callable[[str], None] | None = None,
    limits: CommandLimits | None = None,
    start: bool = True,
) -> Sandbox:
    """A sandbox that is ready to run commands in ``root``; without ``start`` it gets ready with the first command.

    ``use_docker`` None takes Docker if its engine answers. Raises ``SandboxUnavailable``, with what to do, where
    Docker was asked for and is not there, or its image cannot be had; there is no silent way down.
    """
    from pygent.sandbox import docker_engine  # noqa: PLC0415 - imports nothing of Docker's package itself

    if use_docker is None:
        use_docker = docker_engine.available()
    if not use_docker:
        from pygent.sandbox.local import LocalSandbox  # noqa: PLC0415 - whoever has a container needs none of it

        return LocalSandbox(root, env, spill_dir)
    from pygent.sandbox.docker import DockerSandbox  # noqa: PLC0415

    sandbox = DockerSandbox(root, image, env, network, spill_dir, session_id, on_progress, limits=limits)
    if start:
        try:
            sandbox.open()
        except BaseException:  # also a callback that gives up the pull, and Ctrl+C
            sandbox.close()
            raise
    return sandbox
