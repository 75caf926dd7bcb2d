"""What all commands of a sandbox may use together."""

from __future__ import annotations

from dataclasses import dataclass

from pygent.settings.model import Settings


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """``memory`` and ``disk`` in megabytes (of 1024 * 1024 bytes), ``processes`` as a number, threads among them.

    ``disk`` holds for ``/tmp`` and for the home folder of commands, each; the workspace has no limit of its own.
    """

    memory: int = 4096
    processes: int = 512
    disk: int = 2048


def limits_of(settings: Settings) -> CommandLimits:
    """The limits that the settings have."""
    return CommandLimits(settings.command_memory, settings.command_processes, settings.command_disk)
