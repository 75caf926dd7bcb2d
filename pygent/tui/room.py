"""Whether the terminal has room for the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp
    from pygent.tui.screens.too_small import TooSmallScreen

NEEDED = Size(40, 10)

ALLOWED = frozenset({"leave", "copy_or_quit", "suspend_process"})
"""What keys still do of the application's actions where there is no room."""


class Room:
    """Where there is too little, a screen that says so lies above whatever is open; what is beneath goes on."""

    def __init__(self, app: PygentApp) -> None:
        self._app = app
        self._begun = False
        self._screen: TooSmallScreen | None = None

    def begin(self) -> None:
        """The first frame is painted."""
        self._begun = True
        self.resized(self._app.size)

    @property
    def lacking(self) -> bool:
        """True while the screen that says so is open."""
        return self._screen is not None and self._screen.is_attached

    def allows(self, action: str) -> bool:
        """Whether an action of the application can be asked for."""
        return not self.lacking or action in ALLOWED

    def resized(self, size: Size) -> None:
        """The terminal has another size."""
        if not self._begun or self.lacking:
            return  # the screen itself knows when it is to go
        if not fits(size):
            from pygent.tui.screens.too_small import TooSmallScreen  # noqa: PLC0415 - seldom needed

            self._screen = TooSmallScreen()
            self._app.push_screen(self._screen)


def fits(size: Size) -> bool:
    """Whether there is room for the application."""
    return size.width >= NEEDED.width and size.height >= NEEDED.height
