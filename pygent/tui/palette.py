"""The command palette: every slash command and every key's action, found by typing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from pygent.tui import slash
from pygent.tui.keys import actions

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp


class PygentCommands(Provider):
    """What the palette offers."""

    def _all(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        app = cast("PygentApp", self.app)
        main = app.main
        for key, words, action in actions(main):
            yield f"{words}", key, partial(main.run_action, action)
        for command in slash.commands():
            name = f"/{command.name}"
            if command.usage and not command.usage.startswith("["):
                run: Callable[[], object] = partial(main.prompt.set_text, f"{name} ")
            else:
                run = partial(slash.run_command, main.surface, name)
            yield f"{name} {command.usage}".strip(), command.about, run

    async def discover(self) -> Hits:
        for name, about, run in self._all():
            yield DiscoveryHit(name, run, help=about)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, about, run in self._all():
            score = max(matcher.match(name), matcher.match(about) * 0.7)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, text=name, help=about)
