"""What a tool call does, in words: its arguments as people read them, and the whole of it for a decision."""

from __future__ import annotations

import json

from pygent.transcript import ToolItem
from pygent.tui.panes.lines import Line
from pygent.tui.panes.text import output_lines, summary, visible

DECIDED = 200
"""Lines of a call that a question shows at most, and characters of one line."""

LINE = 4000


def call_line(item: ToolItem) -> str:
    """The argument that tells what a call is about, on a few lines."""
    cmd = item.arguments.get("cmd")
    if isinstance(cmd, str):
        return "\n".join(f"{'$' if not number else ' '} {line}" for number, line in enumerate(output_lines(cmd)[:40]))
    return summary(item.arguments, item.folder)


def call_text(item: ToolItem) -> str:
    """What the call does, for a decision: a command as it is, other calls with their arguments, nothing hidden."""
    if item.tool == "bash":
        text = str(item.arguments.get("cmd", ""))
    else:
        text = "\n".join(
            f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)}"
            for name, value in item.arguments.items()
        )
    lines = [visible(line) for line in text.split("\n")]
    if len(lines) > DECIDED:
        lines[DECIDED:] = [f"… {len(lines) - DECIDED:,} more lines; the detail view has them"]
    return "\n".join(
        line if len(line) <= LINE else f"{line[:LINE]}… {len(line) - LINE:,} more characters" for line in lines
    )


def argument_lines(item: ToolItem) -> list[Line]:
    """The arguments: a short value beside its name, a text with several lines below it."""
    lines: list[Line] = []
    if not item.arguments:
        lines.append(Line("It has no arguments.", "muted"))
    width = max((len(visible(str(name))) for name in item.arguments), default=0)
    for name, value in item.arguments.items():
        label = visible(str(name))
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
        if "\n" in text.rstrip("\n"):
            lines.append(Line(label, "", ((0, len(label), "secondary"),)))
            lines.extend(Line(f"  {line}") for line in output_lines(text))
        else:
            value_text = " ".join(output_lines(text))
            lines.append(Line(f"{label:<{width}}  {value_text}", "", ((0, len(label), "secondary"),)))
    return lines
