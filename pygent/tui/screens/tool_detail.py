"""One tool call whole: arguments, state, and its output, live while it runs."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from pygent.events import MAIN
from pygent.transcript import ToolItem
from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.lines import Line, LinesView
from pygent.tui.panes.signs import TOOL_SIGNS
from pygent.tui.panes.text import one_line, output_lines, running_for, size_of, took, visible
from pygent.tui.text import plural

_LIVE = ("waiting", "running")


class ToolDetailScreen(ModalScreen[None]):
    """Reads the item anew while the call runs, so it needs no events of its own."""

    CSS_PATH = "tool_detail.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", id="tool.close"),
        Binding("c", "copy_output", "Copy output", id="tool.copy_output"),
        Binding("a", "copy_arguments", "Copy arguments", id="tool.copy_arguments"),
        Binding("w", "wrap", "Wrap", id="tool.wrap"),
    ]

    def __init__(self, item: ToolItem, *, agent: str = MAIN) -> None:
        super().__init__()
        self.item = item
        self.agent = agent
        self._shown: tuple[object, ...] = ()
        self._said = ""
        self._head = argument_lines(item)

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Static(markup=False, id="detail-state")
            yield LinesView(id="detail-lines")
            yield KeyLine(
                ("esc", "Close", "close"),
                ("c", "Copy output", "copy_output"),
                ("a", "Copy arguments", "copy_arguments"),
                ("w", "Wrap", "wrap"),
                id="detail-keys",
            )

    def on_mount(self) -> None:
        self.query_one("#detail").border_title = Content(one_line(self.item.tool, 60))
        self._update()
        self.query_one(LinesView).focus()
        if self.item.state in _LIVE:
            self._timer = self.set_interval(0.2, self._update)
            self.call_after_refresh(self.query_one(LinesView).scroll_end, animate=False)

    def _update(self) -> None:
        item = self.item
        sign = TOOL_SIGNS[item.state]
        live = item.state in _LIVE
        span = running_for(time.time() - item.at) if live else took(item.seconds)
        started = datetime.fromtimestamp(item.at).strftime("%H:%M:%S") if item.at else ""
        parts = [f"{sign.sign} {sign.word}", span, one_line(self.agent, 40), started]
        said = " · ".join(part for part in parts if part)
        if said != self._said:
            self._said = said
            state = self.query_one("#detail-state", Static)
            state.update(said)
            state.set_classes(f"detail--{item.state}")
        shown = (item.state, len(item.output), item.output[-64:])
        if shown == self._shown:
            return
        self._shown = shown
        if not live and hasattr(self, "_timer"):
            self._timer.stop()
        output = output_lines(item.output)
        self.query_one(LinesView).set_lines([*self._head, *_output_section(item, output, live=live)], follow=live)
        size = size_of(len(item.output.encode("utf-8", "replace")))
        self.query_one("#detail").border_subtitle = f"{plural(len(output), 'line')} · {size}"

    def action_close(self) -> None:
        self.dismiss()

    def action_wrap(self) -> None:
        self.query_one(LinesView).action_wrap()

    def action_copy_output(self) -> None:
        self._copy(self.item.output, "output")

    def action_copy_arguments(self) -> None:
        self._copy(json.dumps(self.item.arguments, ensure_ascii=False, indent=2), "arguments")

    def _copy(self, text: str, what: str) -> None:
        self.app.copy_to_clipboard(text)
        self.app.notify(f"Copied the {what}.", markup=False)


def argument_lines(item: ToolItem) -> list[Line]:
    """The arguments as people read them: a short value beside its name, a text with several lines below it."""
    lines = [Line("Arguments", "strong")]
    if not item.arguments:
        lines.append(Line("  none", "muted"))
    width = max((len(visible(str(name))) for name in item.arguments), default=0)
    for name, value in item.arguments.items():
        label = visible(str(name))
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
        if "\n" in text.rstrip("\n"):
            lines.append(Line(f"  {label}", "", ((2, 2 + len(label), "secondary"),)))
            lines.extend(Line(f"    {line}") for line in output_lines(text))
        else:
            value_text = " ".join(output_lines(text))
            lines.append(Line(f"  {label:<{width}}  {value_text}", "", ((2, 2 + len(label), "secondary"),)))
    return lines


def _output_section(item: ToolItem, output: list[str], *, live: bool) -> list[Line]:
    lines = [Line(""), Line("Output", "strong")]
    if item.state == "waiting":
        lines.append(Line("  Waits for your decision. Nothing has run yet.", "warning"))
    elif not output:
        lines.append(Line("  nothing yet" if live else "  none", "muted"))
    is_diff = item.tool == "edit_file" or any(line.startswith("@@ ") for line in output[:40])
    for line in output:
        lines.append(Line(f"  {line}", _diff_role(line) if is_diff else ""))  # noqa: PERF401 - reads better so
    return lines


def _diff_role(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "strong"
    return {"+": "success", "-": "error", "@": "primary"}.get(line[:1], "")
