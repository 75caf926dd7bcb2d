"""Choosing a theme, making one, and editing the one that is on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from pygent.settings import load
from pygent.tui.app import PygentApp
from pygent.tui.colours import Palette
from pygent.tui.theme_colours import ACCENTS, TEXT, contrast, least, legible, readable
from pygent.tui.theme_starter import starter, write_starter
from pygent.tui.themes import load_themes, read_theme
from tests.tui.fake_session import FakeSession, FakeSettings
from tests.tui.test_app import _own_config, running, shown, until

__all__ = ["_own_config"]


def told(app: PygentApp) -> str:
    """What the small messages say; the pilot does not draw them."""
    return "\n".join(notification.message for notification in app._notifications)


def made(name: str) -> dict[str, str]:
    theme = legible(BUILTIN_THEMES[name])
    return {**theme.to_color_system().generate(), **theme.variables}


@pytest.mark.parametrize("name", [name for name, theme in BUILTIN_THEMES.items() if not theme.ansi])
def test_textuals_own_themes_can_be_read(name: str) -> None:
    colors = made(name)
    grounds = [Color.parse(colors[ground]) for ground in ("background", "surface", "panel")]
    texts = ("foreground", "text-muted", *(f"text-{accent}" for accent in ACCENTS))
    assert {text for text in texts if least(Color.parse(colors[text]), grounds) < TEXT} == set()
    for cursor in ("block-cursor", "block-cursor-blurred"):
        pair = (Color.parse(colors[f"{cursor}-{part}"]) for part in ("foreground", "background"))
        assert contrast(*pair) >= TEXT
    palette = Palette.from_variables(colors, dark=BUILTIN_THEMES[name].dark)
    for style in (palette.text, palette.muted, palette.success, palette.error, palette.warning, palette.accent):
        assert style.color is not None
        assert contrast(Color.from_rich_color(style.color), palette.ground) >= TEXT


def test_a_colour_moves_no_further_than_it_has_to() -> None:
    dark = Color.parse("#101010")
    assert readable(Color.parse("#eeeeee"), [dark]) == Color.parse("#eeeeee")
    moved = readable(Color.parse("#203040"), [dark])
    assert TEXT <= contrast(moved, dark) < TEXT + 1.2


def test_the_terminals_own_colours_are_never_mixed() -> None:
    for theme in (*load_themes(), *map(legible, BUILTIN_THEMES.values())):
        if not theme.ansi:
            continue
        colors = {**theme.to_color_system().generate(), **theme.variables}
        palette = Palette.from_variables(colors, dark=theme.dark)
        for name in ("text", "muted", "accent", "success", "error", "added", "removed", "raised", "selection"):
            style = getattr(palette, name)
            for color in (style.color, style.bgcolor):
                assert color is None or color.triplet is None, (theme.name, name, color)
        assert palette.selection.reverse


@pytest.mark.parametrize("name", ["pygent-dark", "pygent-light", "pygent-ansi"])
def test_a_starter_is_a_theme_like_the_one_it_was_made_from(tmp_path: Path, name: str) -> None:
    like = {theme.name: theme for theme in load_themes()}[name]
    theme = read_theme(write_starter("mine", tmp_path / "themes", like))
    for field in ("dark", "ansi", "background", "panel", "foreground", "error"):
        assert getattr(theme, field) == getattr(like, field)
    assert "# behind everything" in starter("mine", like)


async def test_moving_through_the_list_shows_each_theme_and_escape_goes_back(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        app.main.submit("/theme")
        await until(lambda: "Esc goes back" in shown(app))
        await pilot.press("down")
        await until(lambda: app.theme != "pygent-dark")
        assert app.theme in shown(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.theme == "pygent-dark"
        assert "Esc goes back" not in shown(app)


async def test_the_chosen_theme_is_remembered_and_the_file_keeps_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "config" / "pygent" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# mine\nmodel: x  # the small one\n", "utf-8")
    async with running(FakeSession(tmp_path)) as (app, pilot):
        app.main.submit("/theme")
        await until(lambda: "Esc goes back" in shown(app))
        await pilot.press("end", "enter")
        await until(lambda: "remembered in" in told(app))
        chosen = app.theme
    assert chosen != "pygent-dark"
    assert file.read_text("utf-8") == f"# mine\nmodel: x  # the small one\ntheme: {chosen}\n"
    assert load().theme == chosen


async def test_a_theme_is_chosen_with_the_mouse(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        app.main.submit("/theme")
        await until(lambda: "Esc goes back" in shown(app))
        await pilot.click("#theme-list", offset=(6, 2))
        await until(lambda: app.theme != "pygent-dark")
        await pilot.click("#theme-list", offset=(6, 2))
        await until(lambda: "Esc goes back" not in shown(app))
        assert app.theme != "pygent-dark"


async def test_a_theme_of_ones_own_is_begun_and_followed_while_it_is_edited(tmp_path: Path) -> None:
    file = tmp_path / "config" / "pygent" / "themes" / "mine.yaml"
    async with running(FakeSession(tmp_path)) as (app, pilot):
        app.main.submit("/theme new mine")
        await until(lambda: "Written to" in shown(app))
        assert app.theme == "mine"
        text = file.read_text("utf-8")

        def edit(text: str, seconds: int) -> None:
            file.write_text(text, "utf-8")
            os.utime(file, (seconds, seconds))

        edit(text.replace("#14171d", "#220000"), 1)
        app.themes._look()
        await pilot.pause(0.05)
        assert app.screen.styles.background.r > 30
        edit(text.replace("#14171d", "#22000"), 2)
        app.themes._look()
        app.themes._look()
        await until(lambda: "The theme stays as it was" in shown(app))
        assert shown(app).count("The theme stays as it was") == 1
        assert "mine.yaml:5" in shown(app)
        assert app.screen.styles.background.r > 30
        edit(text, 3)
        app.themes._look()
        await pilot.pause(0.05)
        assert app.screen.styles.background.r < 30
        app.main.submit("/theme new mine")
        await until(lambda: "is there already" in shown(app))
        app.main.submit("/theme new Bad!")
        await until(lambda: "small letters, digits and dashes" in shown(app))


async def test_a_stronger_source_is_told(tmp_path: Path) -> None:
    settings = FakeSettings(workspace=tmp_path, sources={"theme": "PYGENT_THEME"})
    async with running(FakeSession(tmp_path, settings=settings)) as (app, _):
        app.main.submit("/theme nord")
        await until(lambda: "PYGENT_THEME" in told(app))
        assert app.theme == "nord"
