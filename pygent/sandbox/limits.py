"""What all commands of a sandbox may use together."""

from __future__ import annotations

from dataclasses import dataclass

from pygent.settings.model import Settings


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """``memory`` and ``disk`` in megabytes (of 1024 * 1024 bytes), ``processes`` as a number, threads among them.

    ``disk`` holds for ``/tmp`` and for the home folder of commands, each; the workspace has no limit of its own.
    Both folders lie in the memory, of which they together never take more than three quarters.
    """

    memory: int = 4096
    processes: int = 512
    disk: int = 1536

    @property
    def usable_disk(self) -> int:
        """``disk`` as far as the memory goes: full folders must not cost every process its life."""
        return min(self.disk, self.memory * 3 // 8)

    def in_words(self, *, disk: bool = True) -> str:
        """All of them, for a model or a person; without ``disk``, where /tmp and the home folder lie on a disk."""
        words = f"{self.memory} MB of memory, {self.processes} processes at once"
        return f"{words}, {self.usable_disk} MB in /tmp and in $HOME each" if disk else words

    def about_memory(self) -> str:
        """What a reader should know where it ran out."""
        return f"The memory ran out ({self.memory:,} MB, command_memory), and a process was ended for it."

    def about_processes(self) -> str:
        """What a reader should know where there were too many."""
        return f"Processes could not be started: {self.processes} at once is the limit (command_processes)."

    def about_disk(self) -> str:
        """What a reader should know where a disk may be full."""
        return (
            f"The folders /tmp and $HOME have {self.usable_disk:,} MB each (command_disk); the workspace has "
            "the disk of this machine."
        )


def limits_of(settings: Settings) -> CommandLimits:
    """The limits that the settings have."""
    return CommandLimits(settings.command_memory, settings.command_processes, settings.command_disk)
