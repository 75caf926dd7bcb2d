"""Who an agent is: a name, a description, and optionally a prompt and limits of its own."""

from __future__ import annotations

from typing import Any

from pygent.records import record


@record
class Persona:
    """A role that an agent plays.

    ``description`` is one line, for people and for the model that chooses whom to delegate to. ``prompt`` is what
    the agent itself is told; where it is empty the description serves. ``model`` names another model than the
    parent's. ``tools`` limits the agent to the named tools; None means all.
    """

    name: str
    description: str = ""
    prompt: str = ""
    model: str | None = None
    tools: tuple[str, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """What another model needs to choose, name and description first."""
        out: dict[str, Any] = {"name": self.name, "description": self.description}
        if self.model:
            out["model"] = self.model
        if self.tools is not None:
            out["tools"] = list(self.tools)
        return out
