"""Where a person changes a plan before it is carried out."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import TextArea

from pygent.tui.panes.keys import KeyLine


class PlanEditScreen(ModalScreen[str]):
    """Answers the text, whichever way the person leaves: whether it is carried out is decided afterwards."""

    CSS_PATH = "plan_edit.tcss"
    AUTO_FOCUS = "TextArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+s", "close", "Back to the answers, with this text", id="plan.close", priority=True),
        Binding("ctrl+g", "editor", "Change it in $EDITOR", id="plan.editor", priority=True),
        Binding("ctrl+r", "reset", "The agent's own text again", id="plan.reset", priority=True),
    ]

    def __init__(self, plan: str, text: str = "") -> None:
        super().__init__()
        self._plan, self._text = plan, text or plan

    def compose(self) -> ComposeResult:
        with Vertical(id="plan-edit") as box:
            box.border_title = "Change the plan"
            yield TextArea(self._text, soft_wrap=True, show_line_numbers=False, tab_behavior="focus")
            yield KeyLine(
                ("esc", "Back to the answers, with this text", "close"),
                ("ctrl+g", "Open in your editor", "editor"),
                ("ctrl+r", "The agent's own again", "reset"),
            )

    def action_close(self) -> None:
        self.dismiss(self.query_one(TextArea).text)

    def action_reset(self) -> None:
        self.query_one(TextArea).load_text(self._plan)

    def action_editor(self) -> None:
        from pygent.tui.editor import edit  # noqa: PLC0415 - rarely asked for

        area = self.query_one(TextArea)
        text = edit(self.app, area.text, "plan.md")
        if text is None:
            self.notify("The editor could not be used; set $EDITOR.", severity="warning", timeout=5)
        else:
            area.load_text(text)
