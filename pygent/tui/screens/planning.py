"""The agent's newest plan, as long as nobody has decided on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.widget import Widget

from pygent.errors import PygentError
from pygent.events import MAIN, Event, PlanPresented, RunStarted
from pygent.transcript import PlanItem

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen
    from pygent.tui.widgets.plan_panel import PlanPanel


class PlanDesk:
    """Shows it above the prompt, and tells the session what the person decides.

    One that the agent presented asks at once; an answer that may be one, or a plan of an earlier day, is a line.
    """

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._panel: PlanPanel | None = None
        self._focus: Widget | None = None
        self._asks = False
        self._edited: tuple[str, str] = ("", "")
        """The id of a plan, and what the person made of it."""

    @property
    def item(self) -> PlanItem | None:
        """The newest plan, None where it is decided on."""
        item = self._screen.transcript.main.plan
        return item if item is not None and item.state in {"open", "left"} else None

    def take(self, batch: Iterable[Event]) -> None:
        """Follow what was presented and decided."""
        ours = [event for event in batch if event.agent_id == MAIN]
        asks = any(isinstance(event, PlanPresented) and event.source == "tool" for event in ours)
        began = any(isinstance(event, RunStarted) for event in ours)
        item, panel = self.item, self._panel
        if item is None or (began and item.state == "left") or self._screen.transcript.approvals:
            if panel is not None and panel.display:
                self._leave(panel, item)
        elif item.state == "open" and (panel is None or panel.item is not item or not panel.display):
            again = panel is not None and panel.item is item and not panel.quiet
            self._show(item, asks=asks or again)

    def decide(self) -> None:
        """Ask what becomes of the plan."""
        item = self.item
        if item is None:
            self._screen.notify("There is no plan to decide on.", timeout=4)
        elif self._screen.transcript.approvals:
            self._screen.notify("Another question comes first.", timeout=4)
        else:
            self._show(item, asks=True)

    def seen_again(self) -> None:
        """Another screen lay over it."""
        if self._panel is not None and self._panel.display:
            self._panel.pause()

    def back(self) -> bool:
        """One step back from the answers; False where they have not the keys."""
        panel = self._panel
        if panel is None or not panel.back():
            return False
        if panel.quiet:
            self._refocus()
        return True

    def decided(self, what: str, text: str) -> None:
        """Do what was chosen."""
        screen, item = self._screen, self.item
        if item is None:
            return
        if what == "edit":
            self._edit(item)
            return
        session = screen.session
        try:
            if what == "changes":
                session.change_plan(item.plan_id, text)
            elif what == "dropped":
                session.drop_plan(item.plan_id)
            else:
                session.approve_plan(item.plan_id, what, self._text(item))
        except (PygentError, ValueError) as error:
            screen.note("Plan", str(error), level="error")
        screen.conversation.view.follow()
        screen.desk.sender.show()
        screen.state_changed()

    def show_large(self) -> None:
        """The plan on the whole screen."""
        from pygent.tui.panes.blocks.plan import PlanBlock  # noqa: PLC0415 - there already
        from pygent.tui.screens.block import BlockScreen  # noqa: PLC0415 - when it is asked for

        item = self.item
        if item is not None:
            self._screen.app.push_screen(BlockScreen(PlanBlock(replace(item, text=self._text(item)))))

    def _show(self, item: PlanItem, *, asks: bool) -> None:
        screen, panel = self._screen, self._panel
        if panel is None:
            from pygent.tui.widgets.plan_panel import PlanPanel  # noqa: PLC0415 - once there is a plan

            panel = self._panel = PlanPanel(id="plan")
            screen.mount(panel, before="#queue")
        if panel.is_mounted:
            self._show_in(panel, item, asks)
        else:
            self._asks = asks or self._asks
            screen.call_after_refresh(self._show_new, panel)

    def _show_new(self, panel: PlanPanel) -> None:
        """It has its parts by now."""
        item, asks = self.item, self._asks
        self._asks = False
        if item is not None:
            self._show_in(panel, item, asks)

    def _show_in(self, panel: PlanPanel, item: PlanItem, asks: bool) -> None:
        session = self._screen.session
        panel.show(item, session.status().persona, session.plan_modes(), changed=bool(self._text(item)))
        if not asks:
            panel.hush()
            return
        if not panel.has_focus_within:
            self._focus = self._screen.focused
        panel.ask()
        if not item.written:
            self._screen.call_after_refresh(self._screen.conversation.show_beginning, item.key)

    def _leave(self, panel: PlanPanel, item: PlanItem | None) -> None:
        within = panel.has_focus_within
        if item is not None and item.state == "open":
            panel.display = False  # until what comes first is answered
        else:
            panel.close()
        if within:
            self._refocus()

    def _refocus(self) -> None:
        back = self._focus
        (back if back is not None and back.is_attached else self._screen.prompt).focus()
        self._focus = None

    def _text(self, item: PlanItem) -> str:
        plan_id, text = self._edited
        return text if plan_id == item.plan_id else ""

    def _edit(self, item: PlanItem) -> None:
        from pygent.tui.screens.plan_edit import PlanEditScreen  # noqa: PLC0415 - when it is asked for

        def edited(text: str | None) -> None:
            kept = text if text and text.strip() and text.strip() != item.plan.strip() else ""
            self._edited = (item.plan_id, kept)
            if self.item is item:
                self._show(item, asks=True)

        self._screen.app.push_screen(PlanEditScreen(item.plan, self._text(item)), edited)
