"""The tools that steer the run: ``stop`` ends it, ``continue`` hands it back to the person."""

from __future__ import annotations

from pygent.tools.registry import Tool


def stop(rt: object, **ignored: object) -> str:  # noqa: ARG001 - models add words of farewell
    """End the run."""
    return "Stopped."


def continue_(rt: object, question: str = "", **ignored: object) -> str:  # noqa: ARG001
    """Ask the person for input and end the run until it comes."""
    return f"Waiting for the user: {question}" if question else "Waiting for the user."


TOOLS = (
    Tool(
        "continue",
        "Pause and wait for the user's input.",
        {"type": "object", "properties": {"question": {"type": "string"}}},
        continue_,
        "control",
    ),
    Tool("stop", "End the run, when the task is done.", {"type": "object", "properties": {}}, stop, "control"),
)
