"""Which of the registered tools a model is offered."""

from __future__ import annotations

from pygent.images import can_see
from pygent.persona import Persona
from pygent.tools import BUILTIN
from pygent.tools.pictures import NAME as READ_IMAGE
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

SMALL_TOOLS = frozenset(
    {
        "bash",
        "write_file",
        "edit_file",
        "read_file",
        "search",
        "stop",
        "continue",
        PRESENT_PLAN,
        WEB_FETCH,
        READ_IMAGE,
    }
)
"""What a small model gets of the built-in tools; more names only draw its attention away."""


def planning(wiring: Wiring) -> bool:
    """Whether the agent is to make a plan: nothing may be changed, and a person or a script gets what it answers."""
    return wiring.depth == 0 and getattr(wiring.approvals, "mode", None) == "plan"


def too_many() -> frozenset[str]:
    """The built-in tools that a small model is not offered."""
    return frozenset(tool.name for tool in BUILTIN) - SMALL_TOOLS


def sees(wiring: Wiring, model: object, name: str | None) -> bool:
    """Whether a model of that name gets images: as the settings say, else by its name and what was learnt of it."""
    if not (can_see(name) if wiring.vision is None else wiring.vision):
        return False
    compat = getattr(model, "compat", None)
    return not callable(compat) or bool(getattr(compat(name or ""), "images", True))


def left_out(wiring: Wiring, runtime: object, persona: Persona, *, sighted: bool) -> frozenset[str]:
    """The tools that make no sense for a persona's agent as it is joined to others, in this runtime.

    ``sighted`` is whether its model sees.
    """
    hidden: set[str] = set()
    if wiring.depth > 0 or not hasattr(runtime, "scoped"):
        # A task cannot delegate again, and a duck-typed runtime has no workspace to share with one.
        hidden |= DELEGATION_TOOLS
    if not planning(wiring):
        hidden.add(PRESENT_PLAN)
    if planning(wiring) or persona.network is False or not getattr(runtime, "network", False):
        hidden.add(WEB_FETCH)
    if not sighted or not hasattr(runtime, "scoped"):
        hidden.add(READ_IMAGE)
    return frozenset(hidden)
