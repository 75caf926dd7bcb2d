"""The keys and messages of what asks the person on the main screen: approvals, and what becomes of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from pygent.tui.screens.approvals import ApprovalQueue
from pygent.tui.screens.pane_screen import PaneScreen
from pygent.tui.screens.planning import PlanDesk

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen
    from pygent.tui.widgets.approval import Approval
    from pygent.tui.widgets.choices import Choices
    from pygent.tui.widgets.plan_panel import PlanLine, PlanPanel


class AskingScreen(PaneScreen):
    """A screen above whose prompt questions stand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+p", "decide_plan", "Decide on the agent's plan", id="plan.decide"),
    ]

    def __init__(self) -> None:
        super().__init__()
        main = cast("MainScreen", self)
        self.approvals = ApprovalQueue(main)
        self.plans = PlanDesk(main)

    def on_approval_answered(self, event: Approval.Answered) -> None:
        self.approvals.answer(event.request_id, event.decision, event.feedback)

    def on_screen_resume(self) -> None:
        self.approvals.seen_again()
        self.plans.seen_again()

    def on_choices_typed_ahead(self, event: Choices.TypedAhead) -> None:
        cast("MainScreen", self).prompt.insert(event.character)

    def on_choices_task_asked(self) -> None:
        self.approvals.open_task()

    def on_choices_enlarged(self) -> None:
        self.plans.show_large()

    def on_choices_paged(self, event: Choices.Paged) -> None:
        cast("MainScreen", self).conversation.view.page(event.pages)

    def on_plan_panel_decided(self, event: PlanPanel.Decided) -> None:
        self.plans.decided(event.what, event.text)

    def on_plan_line_clicked(self, event: PlanLine.Clicked) -> None:
        self.plans.decide()

    def action_decide_plan(self) -> None:
        self.plans.decide()
