"""Which of the registered tools a model is offered."""

from __future__ import annotations

from pygent.persona import Persona
from pygent.tools import BUILTIN
from pygent.tools.planning import NAME as PRESENT_PLAN
from pygent.tools.web import NAME as WEB_FETCH
from pygent.wiring import Wiring

DELEGATION_TOOLS = frozenset(
    {
        "delegate_task",
        "delegate_persona_task",
        "list_personas",
        "task_status",
        "wait_for_tasks",
        "collect_file",
        "apply_task",
    }
)

SMALL_TOOLS = frozenset({"bash", "write_file", "edit_file", "read_file", "search", "stop", "continue", PRESENT_PLAN})
"""What a small model gets of the built-in tools; more names only draw its attention away."""


def planning(wiring: Wiring) -> bool:
    """Whether the agent is to make a plan: nothing may be changed, and a person or a script gets what it answers."""
    return wiring.depth == 0 and getattr(wiring.approvals, "mode", None) == "plan"


def too_many() -> frozenset[str]:
    """The built-in tools that a small model is not offered."""
    return frozenset(tool.name for tool in BUILTIN) - SMALL_TOOLS


def left_out(wiring: Wiring, runtime: object, persona: Persona) -> frozenset[str]:
    """The tools that make no sense for a persona's agent as it is joined to others, in this runtime."""
    hidden: set[str] = set()
    if wiring.depth > 0 or not hasattr(runtime, "scoped"):
        # A task cannot delegate again, and a duck-typed runtime has no workspace to share with one.
        hidden |= DELEGATION_TOOLS
    if not planning(wiring):
        hidden.add(PRESENT_PLAN)
    if planning(wiring) or persona.network is False or not getattr(runtime, "network", False):
        hidden.add(WEB_FETCH)
    return frozenset(hidden)
