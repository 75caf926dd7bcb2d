"""Where commands run: in a container, in a sandbox of the operating system, or on this machine as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pygent.errors import SandboxUnavailable
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
    local: str = "auto",
) -> Sandbox:
    """A sandbox that is ready to run commands in ``root``; without ``start`` it gets ready with the first command.

    ``use_docker`` None takes Docker if its engine answers. ``local`` says what surrounds commands that run on this
    machine: ``"on"`` a sandbox of the operating system, ``"off"`` nothing, ``"auto"`` the sandbox where it works.
    Raises ``SandboxUnavailable``, with what to do, where what was asked for is not there, or Docker's image cannot be
    had; there is no silent way down.
    """
    from pygent.sandbox import docker_engine  # noqa: PLC0415 - imports nothing of Docker's package itself

    if use_docker is None:
        use_docker = docker_engine.available()
    if not use_docker:
        return _on_this_machine(root, env, spill_dir, network=network, limits=limits, wanted=local)
    from pygent.sandbox.docker import DockerSandbox  # noqa: PLC0415

    sandbox = DockerSandbox(root, image, env, network, spill_dir, session_id, on_progress, limits=limits)
    if start:
        try:
            sandbox.open()
        except BaseException:  # also a callback that gives up the pull, and Ctrl+C
            sandbox.close()
            raise
    return sandbox


def _on_this_machine(
    root: Path, env: Mapping[str, str], spill_dir: Path, *, network: bool, limits: CommandLimits | None, wanted: str
) -> Sandbox:
    from pygent.sandbox.local import LocalSandbox  # noqa: PLC0415 - whoever has a container needs none of it

    if wanted != "off":
        from pygent.sandbox.bubblewrap import why_not  # noqa: PLC0415

        reason = why_not(root, env)
        if not reason:
            from pygent.sandbox.boxed import BoxedSandbox  # noqa: PLC0415

            return BoxedSandbox(root, env, spill_dir, network=network, limits=limits)
        if wanted == "on":
            raise SandboxUnavailable(
                f"Commands on this machine cannot be sandboxed: {reason}. Use Docker (--docker), or take the risk "
                "with --local-sandbox off (PYGENT_LOCAL_SANDBOX, local_sandbox in a settings file)."
            )
    return LocalSandbox(root, env, spill_dir)
