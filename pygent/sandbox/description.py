"""How a command ended, for a model to read."""

from __future__ import annotations

from pygent.sandbox.base import CommandResult


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
