"""``present_plan``: in plan mode, the plan that a run ends with."""

from __future__ import annotations

from typing import Any

from pygent.errors import ToolError
from pygent.tools.registry import Tool

NAME = "present_plan"
_PARAMETERS = {
    "type": "object",
    "properties": {"plan": {"type": "string", "description": "Markdown"}},
    "required": ["plan"],
}


def present_plan(rt: Any, plan: str) -> str:  # noqa: ARG001 - whoever runs the call shows the plan
    """End the run with a plan. Raises ``ToolError`` where it is empty."""
    if not plan.strip():
        raise ToolError("the plan is empty; say what is to be changed, in which files, and how to check it")
    return "The user has the plan, and will approve it, change it, or say what should be different."


TOOLS = (Tool(NAME, "Give the user the finished plan.", _PARAMETERS, present_plan, "control"),)
