"""Commands about what the session costs, and what it may."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pygent.budget import Budget
from pygent.ledger import Spent
from pygent.tui.slash import Surface, command
from pygent.tui.text import clean_line, count, money, seconds
from pygent.tui.wrap import cut

NAME = 24
"""Cells of an agent's name."""


@command("cost", "", "tokens and cost of this session and its tasks, and its budget", needs_open=False)
def _cost(surface: Surface, argument: str) -> None:  # noqa: ARG001
    lines = costs(surface)
    if lines and surface.transcript.cost is None:
        lines.append("No prices are known for this model (prices in the settings).")
    surface.note("/cost", "\n".join([*(lines or ["No tokens were used yet."]), *budgets(surface)]))


def costs(surface: Surface) -> list[str]:
    """A line for each agent that has used anything, and one for all together."""
    transcript = surface.transcript
    rows = []
    for view in list(transcript.agents.values()):
        if view.usage:
            task = transcript.tasks.get(view.agent_id)
            name = view.agent_id if task is None else f"{clean_line(task.persona)} {view.agent_id}"
            rows.append((name, view.usage.get("prompt_tokens", 0), view.usage.get("completion_tokens", 0), view.cost))
    if len(rows) > 1:
        prices = transcript.cost
        rows.append(("all together", sum(row[1] for row in rows), sum(row[2] for row in rows), prices))
    return [_row(*row) for row in rows]


def _row(name: str, sent: int, said: int, cost: float | None) -> str:
    price = "" if cost is None else f"   cost {money(cost):>7}"
    return f"{cut(name, NAME):<{NAME}} {count(sent):>7} in   {count(said):>7} out{price}"


def budgets(surface: Surface) -> list[str]:
    """A line for each budget: what is used of it."""
    found = surface.session.costs()
    named = [("budget", found), *((f"budget of {clean_line(name)}", one) for name, one in found.personas.items())]
    return [
        f"{cut(name, NAME):<{NAME}} {told(one.used, one.budget)}   {one.share:.0%}"
        for name, one in named
        if one.budget
    ]


def told(used: Spent, budget: Budget) -> str:
    """``34 of 100 steps · 18k of 200k tokens``."""
    words = {
        "steps": lambda limit: f"{used.steps} of {limit:g} steps",
        "tokens": lambda limit: f"{count(used.tokens)} of {count(int(limit))} tokens",
        "money": lambda limit: f"{money(used.money or 0.0)} of {money(limit)}",
        "seconds": lambda limit: f"{seconds(used.seconds)} of {seconds(limit)}",
    }
    return " · ".join(words[name](limit) for name, limit in budget)


def _limits(surface: Surface) -> Sequence[str]:
    budget = surface.session.costs().budget
    return ["off", str(budget)] if budget else ["tokens=200000", "money=1.00"]


_LIMITS = re.compile(r"(?P<persona>.*?)\s*(?P<limits>off|\S+\s*[=:].*)")


@command("budget", "[PERSONA] [LIMITS|off]", "show or change what may be used here", values=_limits, needs_open=False)
def _budget(surface: Surface, argument: str) -> None:
    if argument:
        found = _LIMITS.fullmatch(argument.strip())
        limits = found["limits"] if found is not None else argument
        budget = Budget() if limits == "off" else Budget.of(limits)
        surface.session.set_budget(budget, found["persona"] if found is not None else "")
        surface.state_changed()
    none = "There is no budget. One is set like this: /budget tokens=200000, money=1.50"
    surface.note("/budget", "\n".join(budgets(surface)) or none)
