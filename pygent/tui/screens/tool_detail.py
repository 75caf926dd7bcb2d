"""One tool call whole: its state, its arguments, all of its output however long, and the difference it made."""

from __future__ import annotations

import asyncio
import json
import re
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from pygent.events import MAIN
from pygent.transcript import ToolItem
from pygent.tui.panes.call_text import argument_lines, call_line
from pygent.tui.panes.finding import Finding
from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.lines import LinesView
from pygent.tui.panes.output_view import LIVE, OutputView
from pygent.tui.panes.signs import TOOL_SIGNS
from pygent.tui.panes.text import one_line, running_for, size_of, took, visible
from pygent.tui.screens.confirm import ConfirmScreen
from pygent.tui.screens.run_again import ask_to_run_again
from pygent.tui.widgets.ask_line import AskLine
from pygent.tui.widgets.detail_tabs import DetailTabs

if TYPE_CHECKING:
    from pygent.session import Session

DIFF_MOST = 1024 * 1024
"""Bytes of output in which a difference is looked for."""

_HUNK = re.compile(r"^@@ -\d+", re.MULTILINE)


class ToolDetailScreen(ModalScreen[None]):
    """Reads the item anew while the call runs, so it needs no events of its own."""

    CSS_PATH = "tool_detail.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", id="tool.close"),
        Binding("1", "show('output')", "Output", id="tool.output"),
        Binding("2", "show('arguments')", "Arguments", id="tool.arguments"),
        Binding("3", "show('diff')", "Difference", id="tool.diff"),
        Binding("slash,ctrl+f", "find", "Find", id="tool.find"),
        Binding("n", "found(1)", "Next place", id="tool.find-next"),
        Binding("N", "found(-1)", "Place before", id="tool.find-previous"),
        Binding("g", "go_to", "Go to a line or a part", id="tool.go-to"),
        Binding("c", "copy_output", "Copy output", id="tool.copy_output"),
        Binding("a", "copy_arguments", "Copy arguments", id="tool.copy_arguments"),
        Binding("s", "save", "Save output", id="tool.save"),
        Binding("r", "run_again", "Run again", id="tool.run-again"),
        Binding("w", "wrap", "Wrap", id="tool.wrap"),
        Binding("x", "hexadecimal", "Bytes or text", id="tool.bytes"),
    ]

    def __init__(self, item: ToolItem, *, agent: str = MAIN, session: Session | None = None) -> None:
        super().__init__()
        self.item = item
        self.agent = agent
        self._session = session
        self._said: tuple[str, ...] = ()
        self._found = ""
        self._shown = ""
        self._findings: dict[LinesView, Finding] = {}

    def compose(self) -> ComposeResult:
        with Vertical(id="detail"):
            yield Static(markup=False, id="detail-state")
            yield Static(markup=False, id="detail-call")
            yield DetailTabs(id="detail-tabs")
            session = self._session
            yield OutputView(self.item, session.open_output if session is not None else None, id="detail-output")
            yield LinesView(id="detail-arguments")
            yield AskLine(id="detail-ask")
            yield KeyLine(
                ("esc", "Close", "close"),
                ("/", "Find", "find"),
                ("g", "Go to", "go_to"),
                ("c", "Copy output", "copy_output"),
                ("a", "Copy arguments", "copy_arguments"),
                ("s", "Save", "save"),
                ("r", "Run again", "run_again"),
                ("w", "Wrap", "wrap"),
                ("x", "Bytes", "hexadecimal"),
                id="detail-keys",
            )

    async def on_mount(self) -> None:
        self.query_one("#detail").border_title = Content(one_line(self.item.tool, 60))
        self.query_one("#detail-call", Static).update(call_line(self.item))
        self._arguments.set_lines(argument_lines(self.item))
        self._findings.update({view: Finding(view) for view in (self._output, self._arguments)})
        self._update()
        first = "arguments" if self.item.tool == "write_file" or self.item.state == "waiting" else "output"
        if self.item.tool == "edit_file" and self._has_diff():
            first = "diff"
        await self.action_show(first)
        self.set_interval(0.2, self._update)
        if self.item.state in LIVE:
            self.call_after_refresh(self._output.go_to_end)

    @property
    def _output(self) -> OutputView:
        return self.query_one(OutputView)

    @property
    def _arguments(self) -> LinesView:
        return self.query_one("#detail-arguments", LinesView)

    def _update(self) -> None:
        item, output = self.item, self._output
        output.keep_up()
        state, about = self._state(), " · ".join(part for part in (self._found, output.about) if part)
        tabs = ("output", "arguments", *(("diff",) if self._has_diff() else ()))
        if (said := (state, about, *tabs)) != self._said:
            self._said = said
            line = self.query_one("#detail-state", Static)
            line.update(state)
            line.set_classes(f"detail--{item.state}")
            self.query_one(DetailTabs).show(tabs, self._shown)
            self.query_one("#detail").border_subtitle = Content(about)

    def _state(self) -> str:
        item = self.item
        sign = TOOL_SIGNS[item.state]
        span = running_for(time.time() - item.at) if item.state in LIVE else took(item.seconds)
        status = f"exit status {item.exit_status}" if item.exit_status is not None else ""
        started = datetime.fromtimestamp(item.at).strftime("%H:%M:%S") if item.at else ""
        parts = (f"{sign.sign} {sign.word}", status, span, one_line(self.agent, 40), started)
        return " · ".join(part for part in parts if part)

    def _has_diff(self) -> bool:
        return self.item.state not in LIVE and _HUNK.search(self.item.output) is not None

    # The parts.

    async def action_show(self, part: str) -> None:
        """Show the output, the arguments or the difference."""
        if part == "diff" and not await self._show_diff():
            self.app.notify("This call has made no difference that can be shown.", markup=False)
            return
        self._shown = part
        for name in ("output", "arguments", "diff"):
            for view in self.query(f"#detail-{name}"):
                view.display = name == part
                if name == part:
                    view.focus()
        self._said = ()
        self._update()

    async def _show_diff(self) -> bool:
        from pygent.tui.diffs import parse  # noqa: PLC0415 - only where there is a difference to see
        from pygent.tui.widgets.diff_view import DiffView  # noqa: PLC0415

        if not self._has_diff():
            return False
        if not self.query(DiffView):
            path = self.item.arguments.get("path")
            text = self._output.all_text(DIFF_MOST)
            diffs = await asyncio.to_thread(parse, text, path if isinstance(path, str) else "")
            if not diffs:
                return False
            view = DiffView(id="detail-diff")
            await self.query_one("#detail").mount(view, before="#detail-ask")
            view.show(diffs)
        return True

    @property
    def _lines(self) -> LinesView | None:
        """The lines that are shown, None where the difference is."""
        return {"output": self._output, "arguments": self._arguments}.get(self._shown)

    # Keys.

    def action_close(self) -> None:
        self.dismiss()

    def action_wrap(self) -> None:
        if self._lines is not None:
            self._lines.action_wrap()

    def action_hexadecimal(self) -> None:
        if self._output.file is None:
            self.app.notify("Only an output that is kept in a file can be shown as bytes.", markup=False)
        elif self._lines is self._output:
            self._output.toggle_hexadecimal()

    def action_find(self) -> None:
        if self._lines is None:
            self.app.notify("A text is sought in the output (1) and in the arguments (2).", markup=False)
        else:
            finding = self._findings[self._lines]
            self.query_one(AskLine).ask(
                "Find", self._find, value=finding.text, hint="text; capitals count if there are any"
            )

    def _find(self, text: str) -> None:
        async def find(finding: Finding) -> None:
            self._say_found("looking …" if text else "")
            self._say_found(await finding.start(text))

        if self._lines is not None:
            self.run_worker(find(self._findings[self._lines]), group="find", exclusive=True, exit_on_error=False)

    def action_found(self, by: int) -> None:
        if self._lines is not None:
            self._say_found(self._findings[self._lines].step(by))

    def _say_found(self, text: str) -> None:
        self._found = text
        self._update()

    def action_go_to(self) -> None:
        if self._lines is not None:
            self.query_one(AskLine).ask("Go to", self._go_to, hint="a line, such as 1200, or a part, such as 50%")

    def _go_to(self, text: str) -> None:
        view, words = self._lines, text.strip().replace(",", "")
        if view is None or not words:
            return
        try:
            if words.endswith("%"):
                view.go_to_share(float(words[:-1]) / 100)
            else:
                view.go_to_line(int(words) - 1)
        except ValueError:
            self.app.notify(f"{text!r} is no place: give a line, such as 1200, or a part, such as 50%.", markup=False)

    def action_copy_output(self) -> None:
        text, said = self._output.copied()
        self._copy(text, said)

    def action_copy_arguments(self) -> None:
        self._copy(json.dumps(self.item.arguments, ensure_ascii=False, indent=2), "Copied the arguments.")

    def _copy(self, text: str, said: str) -> None:
        self.app.copy_to_clipboard(text)
        self.app.notify(said, markup=False)

    def action_run_again(self) -> None:
        if self._session is None or self.item.state in LIVE:
            self.app.notify("It can be run again once it is over.", markup=False)
        else:
            ask_to_run_again(self.app, self._session, self.item)

    def action_save(self) -> None:
        name = f"{re.sub(r'[^A-Za-z0-9_-]', '-', self.item.tool)}-{datetime.fromtimestamp(self.item.at):%H%M%S}.txt"
        self.query_one(AskLine).ask("Save to", self._save_to, value=name, hint="a file; ~ is your home folder")

    def _save_to(self, text: str) -> None:
        if text.strip():
            path = Path(text.strip()).expanduser().absolute()
            self.run_worker(self._save(path), group="save", exit_on_error=False)

    async def _save(self, path: Path, *, replace: bool = False) -> None:
        try:
            size = await asyncio.to_thread(partial(self._output.save, path, replace=replace))
        except FileExistsError:
            question = ConfirmScreen(
                "Replace it?", f"{visible(str(path))} is there already.", yes="Replace it", no="Keep it"
            )
            self.app.push_screen(question, lambda yes: self._replace(path) if yes else None)
        except OSError as error:
            why = error.strerror or str(error)
            self.app.notify(f"{visible(str(path))} cannot be written: {why}.", severity="error", markup=False)
        else:
            self.app.notify(f"Saved {size_of(size)} to {visible(str(path))}.", markup=False)

    def _replace(self, path: Path) -> None:
        self.run_worker(self._save(path, replace=True), group="save", exit_on_error=False)
