"""Where commands run and how one ended, in the words that a model reads."""

from __future__ import annotations

from pygent.sandbox.base import CommandResult
from pygent.sandbox.limits import CommandLimits


def surroundings(sandbox: object) -> str:
    """Where commands run and what they reach there; ``""`` for an object that says nothing of itself.

    What is tried, not only told: ``pygent doctor``.
    """
    summary = str(getattr(sandbox, "summary", ""))
    if not summary:
        return ""
    if not getattr(sandbox, "confined", False):
        return f"{summary}. Nothing holds them back: touch nothing outside the workspace unless you are asked to."
    parts = [f"{summary}."]
    if getattr(sandbox, "kind", "") == "docker":
        parts.append("The programs are those of the container's image.")
    parts.append("Only the workspace, /tmp and $HOME can be written; only the workspace is kept.")
    if not getattr(sandbox, "network", False):
        parts.append("Nothing can be downloaded.")
    limits = getattr(sandbox, "limits", None)
    if isinstance(limits, CommandLimits):
        parts.append(f"Limits: {limits.in_words(disk=getattr(sandbox, 'kind', '') == 'docker')}.")
    return " ".join(parts)


def describe(cmd: str, result: CommandResult, timeout: float) -> str:
    """How a command ended, in the words that a model reads."""
    match result.status:
        case "ok":
            end = f"[exit status: {result.exit_status}]"
        case "timeout":
            end = f"[timeout after {min(timeout, round(result.seconds, 1)):g} s]"
        case "cancelled":
            end = "[cancelled]"
        case "flooded":
            end = "[stopped: too much output; send it to a file, or show less of it]"
        case _:
            end = "[the sandbox was lost while the command ran]"
    output = result.output or "(no output)"
    output = output if output.endswith("\n") else output + "\n"
    note = f"[{result.note}]\n" if result.note else ""
    return f"$ {cmd}\n{output}{note}{end}"
