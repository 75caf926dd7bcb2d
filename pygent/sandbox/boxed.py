"""Commands on this machine in a sandbox of the operating system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pygent.sandbox.bubblewrap import DROPPED, Box
from pygent.sandbox.limits import CommandLimits
from pygent.sandbox.local import LocalSandbox


class BoxedSandbox(LocalSandbox):
    """As ``LocalSandbox``, and commands reach only ``root``, programs, and the network where ``network`` is True.

    Raises ``OSError`` where there is no place for its own folders.
    """

    kind = "bubblewrap"
    confined = True

    def __init__(
        self,
        root: Path,
        env: Mapping[str, str],
        spill_dir: Path,
        *,
        network: bool = False,
        limits: CommandLimits | None = None,
    ) -> None:
        self.limits = limits or CommandLimits()
        self.network = network
        box = Box(root, env, network=network, limits=self.limits)
        kept = {name: value for name, value in env.items() if name not in DROPPED}
        super().__init__(root, {**kept, "HOME": str(box.home)}, spill_dir, box)

    @property
    def summary(self) -> str:  # type: ignore[override]
        return f"LOCAL, sandboxed (bubblewrap) · network {'on' if self.network else 'off'}"
