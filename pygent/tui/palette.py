"""The command palette: every key's action on every pane, every slash command, every theme, found by typing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from pygent.tui import slash
from pygent.tui.places import EVERYWHERE, KeyAction, Place, places

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp

ITSELF = "app.palette"

COLUMN = 44
"""Cells for a command's name; what it does, or its key, comes behind."""


class Palette(CommandPalette):
    """Textual's, narrower, with one line for each command."""

    DEFAULT_CSS = """
    Palette {
        & > Vertical {
            width: 96;
            max-width: 96%;
            margin-top: 2;
            background: $surface;
        }
        SearchIcon {
            display: none;
        }
        #--input {
            border: none;
            border-bottom: hkey $border-blurred;
            padding: 0 1;
        }
        CommandList {
            border-top: none;
            border-bottom: hkey $border-blurred;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
        CommandList > .option-list--option {
            text-style: none;
        }
    }
    """


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the palette. What is not ``shown`` is only found by typing."""

    name: str
    about: str
    run: Callable[[], object]
    shown: bool = True


class PygentCommands(Provider):
    """What the palette offers, for the screen that it was opened on."""

    def entries(self) -> Iterator[Entry]:
        """Everything, the focused pane's own first."""
        app, screen = cast("PygentApp", self.app), self.screen
        for place in places(screen):
            for action in place.actions:
                if action.id != ITSELF:
                    name = action.words if place.title == EVERYWHERE else f"{place.title}: {action.words}"
                    yield Entry(name, action.keys, partial(_run, app, place, action), action.shown)
        for command in slash.commands():
            name = f"/{command.name}"
            if command.usage and not command.usage.startswith("["):
                run: Callable[[], object] = partial(app.main.prompt.set_text, f"{name} ")
            else:
                run = partial(slash.run_command, app.main.surface, name)
            yield Entry(f"{name} {command.usage}".strip(), command.about, run)
        yield from _tasks(app)
        for theme in app.main.surface.theme_names():
            yield Entry(f"Theme: {theme}", f"/theme {theme}", partial(app.main.surface.set_theme, theme), shown=False)

    async def discover(self) -> Hits:
        for entry in self.entries():
            if entry.shown:
                yield DiscoveryHit(_line(Content(entry.name), entry.about), entry.run, text=entry.name)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for entry in self.entries():
            score = max(matcher.match(entry.name), matcher.match(entry.about) * 0.7)
            if score > 0:
                name = matcher.highlight(entry.name)
                yield Hit(score, _line(name, entry.about), entry.run, text=entry.name)


def _tasks(app: PygentApp) -> Iterator[Entry]:
    """What can be done with each task now."""
    tasks = app.main.transcript.tasks
    if not tasks:
        return
    from pygent.tui.panes.task_words import live, name_of, sign_of, to_review  # noqa: PLC0415 - once there are tasks

    actions = app.main.task_actions
    for task in tasks.values():
        name = f"Task {task.task_id}, {name_of(task)}"
        for action in actions.possible(task):
            run = partial(actions.do, action, task)
            yield Entry(f"{name}: {action}", sign_of(task).word, run, shown=live(task) or to_review(task))


def _line(name: Content, about: str) -> Content:
    gap = " " * max(2, COLUMN - name.cell_length)
    return Content.assemble(name, gap, (about, "$text-muted"))


async def _run(app: PygentApp, place: Place, action: KeyAction) -> None:
    """Do it where it belongs: what a pane's key does happens in that pane, which shows and has the focus."""
    if place.selector in {"#conversation", "#tool-log", "#tasks", "#workspace"}:
        app.main.panes.show(place.selector[1:])
    elif place.selector:
        for widget in app.main.query(place.selector):
            widget.focus()
    await app.run_action(action.action, action.node)
