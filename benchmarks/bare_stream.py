"""The floor of streaming: Textual's own `MarkdownStream` and a `TextArea`. Arguments: tokens, tokens a second."""

import asyncio
import sys
import time

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Markdown, TextArea

from benchmarks.texts import tokens


class Bare(App[None]):
    """The document grows while one types."""

    def compose(self) -> ComposeResult:
        with VerticalScroll() as scroll:
            scroll.anchor()
            yield Markdown("ready")
        yield TextArea()

    CSS = "TextArea { height: 3; }"

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()
        self.run_worker(self._stream())

    async def _stream(self) -> None:
        count, rate = int(sys.argv[1]), float(sys.argv[2])
        stream = Markdown.get_stream(self.query_one(Markdown))
        await asyncio.sleep(1)
        began = time.perf_counter()
        for number, token in enumerate(tokens(count)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            await stream.write(token)
        await stream.stop()


if __name__ == "__main__":
    Bare().run()
