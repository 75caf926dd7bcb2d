"""How a budget is read: from settings files as a mapping, from a variable or an option as a text."""

from __future__ import annotations

from typing import Any

from pygent.budget import ACCEPTED, PARTS, Budget
from pygent.settings.kinds import Kind
from pygent.settings.nodes import Invalid, Node, nearest


def read_budget(node: Node) -> Budget:
    """A budget from a mapping, or from a text such as ``tokens=50000, money=0.5``. Raises ``Invalid``."""
    if isinstance(node.value, str):
        return _made(Budget.of, node.value, node)
    if not isinstance(node.value, dict):
        raise Invalid(f"{node.describe()} cannot be used; accepted: {BudgetKind.accepted}", line=node.line)
    given = {}
    for name, item in node.value.items():
        if name not in PARTS:
            near = nearest(name, PARTS)
            raise Invalid(f"a budget has no {name!r}{near}; accepted: {', '.join(PARTS)}", line=item.line, key=name)
        if item.value is not None:
            given[name] = item.value
            _made(Budget.of, {name: item.value if not isinstance(item.value, dict | list) else item.describe()}, item)
    return Budget.of(given)


def _made(make: Any, value: object, node: Node) -> Budget:
    try:
        made: Budget = make(value)
    except ValueError as error:
        raise Invalid(str(error), line=node.line) from None
    return made


class BudgetKind(Kind):
    """What a session may cost: a mapping, or ``NAME=NUMBER`` one after the other in a text."""

    accepted = f"a mapping {ACCEPTED}; as a text NAME=NUMBER, separated by commas"

    def from_text(self, text: str) -> Budget:
        return read_budget(Node.of(text))

    def from_node(self, node: Node) -> Budget:
        return read_budget(node)

    def schema(self) -> dict[str, Any]:
        whole = {"type": ["integer", "null"], "minimum": 1}
        number = {"type": ["number", "null"], "exclusiveMinimum": 0}
        parts = {name: whole if name in {"steps", "tokens"} else number for name in PARTS}
        return {"anyOf": [{"type": "object", "properties": parts, "additionalProperties": False}, {"type": "string"}]}
