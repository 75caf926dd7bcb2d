"""What a person does with the agent's plans and its list of to-dos."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pygent.bus import EventBus
from pygent.errors import PygentError
from pygent.events import PlanDecided, PlanDecision, PlanPresented, TodosUpdated
from pygent.persona import stricter

if TYPE_CHECKING:
    from pygent.agent import Agent

APPROVED = "The plan is approved. Carry it out now."
APPROVED_CHANGED = "The plan is approved with changes. Carry out this one now:\n\n{}"
DIFFERENT = "The plan is not approved yet. Present it again with this changed:\n\n{}"
WORKING_MODES = ("ask", "auto", "yolo")
"""The permission modes in which a plan can be carried out."""


class SessionPlans:
    """The part of a ``Session`` that is about what is to be done."""

    bus: EventBus
    agent: Agent | None
    _ready: Callable[[], Agent]
    submit: Callable[[str], str]
    set_permission_mode: Callable[[str], None]

    def clear_todos(self) -> None:
        """Take all to-dos off the list; the agent may begin another. Raises ``PygentError`` before it is open."""
        self._ready().todos.items = []
        self.bus.publish(TodosUpdated(todos=[]))

    @property
    def plan(self) -> PlanPresented | None:
        """The agent's newest plan, None where there is none that is still to be decided on."""
        return self.agent.plan if self.agent is not None else None

    def plan_modes(self) -> list[str]:
        """The permission modes in which a plan can be carried out, as far as the persona may have them."""
        widest = self._ready().persona.permission_mode
        return [mode for mode in WORKING_MODES if stricter(mode, widest) == mode]

    def approve_plan(self, plan_id: str, mode: str = "ask", text: str = "") -> str:
        """Let the agent carry its plan out in this permission mode, as it is or changed to ``text``.

        Answers the id of the prompt that says so. Raises ``PygentError`` where there is another plan by now or none,
        ``ValueError`` for a mode in which nothing can be carried out, or that the persona may not have.
        """
        if mode not in WORKING_MODES:
            raise ValueError(f"a plan is carried out in {', '.join(WORKING_MODES)}, not in {mode!r}")
        plan = self._open_plan(plan_id)
        self.set_permission_mode(mode)
        changed = text.strip() if text.strip() != plan.plan.strip() else ""
        self._decide(plan, "approved", text=changed or plan.plan, mode=mode)
        return self.submit(APPROVED_CHANGED.format(changed) if changed else APPROVED)

    def change_plan(self, plan_id: str, feedback: str) -> str:
        """Ask for another plan, in words. Answers the id of that prompt; raises as ``approve_plan``."""
        if not feedback.strip():
            raise ValueError("say what should be different in the plan")
        self._decide(self._open_plan(plan_id), "changes", feedback=feedback.strip())
        return self.submit(DIFFERENT.format(feedback.strip()))

    def drop_plan(self, plan_id: str) -> None:
        """Give the plan up. Raises as ``approve_plan``."""
        self._decide(self._open_plan(plan_id), "dropped")

    def _open_plan(self, plan_id: str) -> PlanPresented:
        plan = self._ready().plan
        if plan is None or plan.plan_id != plan_id:
            raise PygentError("This plan was decided on already, or there is another one by now.")
        return plan

    def _decide(
        self, plan: PlanPresented, decision: PlanDecision, *, text: str = "", mode: str = "", feedback: str = ""
    ) -> None:
        self._ready().plan = None
        self.bus.publish(
            PlanDecided(plan_id=plan.plan_id, decision=decision, plan=text, mode=mode, feedback=feedback)
        )
