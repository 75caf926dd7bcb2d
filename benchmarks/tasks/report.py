"""The table over all attempts."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.tasks.running import Result
from benchmarks.tasks.task import HALVES, KINDS


def table(results: Sequence[Result], *, markdown: bool = False) -> str:
    """A line for each agent and half, and one for both halves of each agent."""
    rows = [
        row
        for agent in dict.fromkeys(result.agent for result in results)
        for row in _agent_rows(agent, [result for result in results if result.agent == agent])
    ]
    kinds = [kind for kind in KINDS if any(result.kind == kind for result in results)]
    head = ["agent", "half", "solved", "with a check", *kinds, "requests", "tokens", "tokens per solved", "minutes"]
    columns = [[row[name] for name in head] for row in rows]
    if markdown:
        lines = [f"| {' | '.join(cells)} |" for cells in [head, *columns]]
        return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])
    widths = [max(len(cells[position]) for cells in [head, *columns]) for position in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in [head, *columns]
    )


def _agent_rows(agent: str, results: Sequence[Result]) -> list[dict[str, str]]:
    halves = [half for half in HALVES if any(result.half == half for result in results)]
    rows = [_row(agent, half, [result for result in results if result.half == half]) for half in halves]
    return [*rows, _row(agent, "all", results)] if len(halves) > 1 else rows


def _row(agent: str, half: str, results: Sequence[Result]) -> dict[str, str]:
    solved = sum(result.solved for result in results)
    tokens = sum(result.prompt_tokens + result.completion_tokens for result in results)
    about = "≈ " if any(result.estimated for result in results) else ""
    return {
        "agent": agent,
        "half": half,
        "solved": _share(results),
        "with a check": _share([result for result in results if result.check]),
        **{kind: _share([result for result in results if result.kind == kind]) for kind in KINDS},
        "requests": f"{sum(result.requests for result in results):,}",
        "tokens": f"{about}{tokens:,}",
        "tokens per solved": f"{about}{round(tokens / solved):,}" if solved else "–",
        "minutes": f"{sum(result.seconds for result in results) / 60:.0f}",
    }


def _share(results: Sequence[Result]) -> str:
    return f"{sum(result.solved for result in results)} of {len(results)}" if results else "–"
