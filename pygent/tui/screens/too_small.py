"""What shows on a terminal that has no room for the application: how much it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from pygent.tui.room import NEEDED, fits

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp


class TooSmallScreen(ModalScreen[None]):
    """Goes by itself once there is room. Keys interrupt, suspend and quit; no others do anything."""

    DEFAULT_CSS = """
    TooSmallScreen {
        align: center middle;
        content-align: center middle;
        background: $background;
        color: $foreground;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "interrupt", "Interrupt the run", id="small.interrupt")
    ]

    def render(self) -> Content:
        here, needed = (f"{size.width}x{size.height}" for size in (self.app.size, NEEDED))
        return Content.assemble(("Too small: ", "$text-warning"), f"{here}, needs {needed}")

    def on_resize(self) -> None:
        self._look()

    def on_screen_resume(self) -> None:
        self._look()

    def _look(self) -> None:
        if self.is_current and fits(self.app.size):
            self.dismiss()
        else:
            self.refresh()

    def action_interrupt(self) -> None:
        cast("PygentApp", self.app).session.interrupt()
