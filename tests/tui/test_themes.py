"""Themes: the four that ship can be read by everybody's eyes; a bad file is told by file, line and key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from textual.app import App
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Label

from pygent.errors import SettingsError
from pygent.tui import theme_colours, themes
from pygent.tui.theme_colours import ACCENTS
from pygent.tui.themes import DEFAULT_THEME, load_themes, read_theme

SHIPPED = {theme.name: theme for theme in load_themes()}
GROUNDS = ("background", "surface", "panel", "block-cursor-blurred-background", "block-hover-background")
TEXTS = ("foreground", "text-muted", *(f"text-{name}" for name in ACCENTS))

GOOD = """\
dark: true
background: "#14171d"
surface: "#1a1e26"
panel: "#232934"
foreground: "#d5dbe5"
primary: steelblue
secondary: 'rgb(154, 168, 199)'
accent: "#e0b583"   # a comment
success: "#93c98a"
warning: "#e5c06c"
error: "#ee8b8b"
"""


def variables(theme: Theme) -> dict[str, str]:
    return {**theme.to_color_system().generate(), **theme.variables}


def contrast(one: str, other: str) -> float:
    return theme_colours.contrast(Color.parse(one), Color.parse(other))


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_themes_ship_and_the_default_is_first() -> None:
    assert list(SHIPPED) == [DEFAULT_THEME, "pygent-ansi", "pygent-colorblind", "pygent-contrast", "pygent-light"]
    assert [name for name, theme in SHIPPED.items() if theme.ansi] == ["pygent-ansi"]
    assert [name for name, theme in SHIPPED.items() if not theme.dark] == ["pygent-light"]


@pytest.mark.parametrize("name", [name for name, theme in SHIPPED.items() if not theme.ansi])
def test_all_text_is_readable_on_every_ground(name: str) -> None:
    colors = variables(SHIPPED[name])
    least = 7.0 if name == "pygent-contrast" else 4.5
    poor = {
        (text, ground): round(contrast(colors[text], colors[ground]), 2)
        for text in TEXTS
        for ground in GROUNDS
        if contrast(colors[text], colors[ground]) < (4.5 if "block" in ground else least)
    }
    assert poor == {}
    pairs = [
        ("block-cursor-foreground", "block-cursor-background"),
        ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
        ("button-color-foreground", "primary"),
        ("foreground", "input-selection-background"),
        *((f"text-{accent}", f"{accent}-muted") for accent in ACCENTS),
    ]
    assert {
        pair: contrast(colors[pair[0]], colors[pair[1]])
        for pair in pairs
        if contrast(colors[pair[0]], colors[pair[1]]) < 4.5
    } == {}


def test_well_and_wrong_differ_for_eyes_that_see_no_red_or_no_green() -> None:
    """Red-green blindness leaves blue against yellow and lightness: the two states differ in one of them by far."""
    colors = variables(SHIPPED["pygent-colorblind"])
    well, wrong = Color.parse(colors["success"]), Color.parse(colors["error"])
    assert well.b - well.r > 100
    assert wrong.r - wrong.b > 100


@pytest.mark.parametrize("path", sorted(themes.shipped_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_the_plain_reader_and_the_yaml_parser_agree(path: Path) -> None:
    text = path.read_text("utf-8")
    plain = themes._plain(text)
    assert plain is not None
    assert plain == themes._yaml(text, path)


def test_reading_the_shipped_themes_does_not_import_the_yaml_parser() -> None:
    code = "import sys; from pygent.tui.themes import load_themes; load_themes(); print('yaml' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_a_theme_of_the_user_is_added_and_may_replace_one(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("dark: true", "dark: no"), "pygent-dark.yaml")
    loaded = {theme.name: theme for theme in load_themes(tmp_path)}
    assert set(loaded) == {*SHIPPED, "mine"}
    assert not loaded["pygent-dark"].dark
    assert loaded["mine"].primary == "steelblue"


def test_a_file_may_use_all_of_yaml(tmp_path: Path) -> None:
    path = write(tmp_path, "---\n" + GOOD.replace('"#ee8b8b"', '&red "#ee8b8b"') + "variables: {border: *red}\n")
    assert read_theme(path).variables["border"] == "#ee8b8b"


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        ('"#14171d"', '"#14171"', 2, "background", "a colour such as"),
        ('"#14171d"', "auto", 2, "background", "a colour such as"),
        ("steelblue", "stealblue", 6, "primary", "not 'stealblue'"),
        ("dark: true", 'dark: "true"', 1, "dark", "dark is true or false"),
        ("dark: true", "dark: perhaps", 1, "dark", "dark is true or false"),
        ("surface:", "surfaces:", 3, "surfaces", "did you mean surface?"),
        ('panel: "#232934"', 'panel: ["#232934"]', 4, "panel", "one value"),
        ('panel: "#232934"', "panel:\n  a: red", 4, "panel", "one value, not a mapping"),
        ("dark: true", "dark: true\nvariables:\n  bordr: red", 3, "bordr", "did you mean border?"),
        ("dark: true", "dark: true\nvariables:\n  border: reddish", 3, "border", "a colour such as"),
        ("dark: true", "dark: true\nvariables:\n  link-style: blink", 3, "link-style", "a text style such as"),
        ("dark: true", "dark: true\nvariables: red", 2, "variables", "a mapping of names to colours"),
        ("dark: true", "dark: true\ndark: false", 2, "dark", "there twice"),
        ("dark: true", "dark: [", 2, None, ""),
        ("accent:", "accent", 8, None, ""),
        ('error: "#ee8b8b"', "", None, "error", "lacks error"),
        ("dark: true", "", None, "dark", "lacks dark"),
        ('"#14171d"', "ansi_default", None, "surface", "one of the terminal's colours"),
    ],
)
def test_a_bad_file_is_told_by_file_line_and_key(
    tmp_path: Path, old: str, new: str, line: int | None, key: str | None, said: str
) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        read_theme(path)
    error = caught.value
    assert said in str(error)
    assert error.file == str(path)
    assert key in {error.key, None}
    if line is not None:
        assert error.line is not None
        assert abs(error.line - line) <= (0 if key else 2)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Bad Name.yaml", GOOD.encode()),
        ("latin.yaml", b"dark: true # \xe9\n"),
        ("list.yaml", b"- a\n"),
        ("empty.yaml", b""),
        ("large.yaml", b"#" * 70_000),
        ("tab.yaml", b"\tdark: true"),
        ("tag.yaml", b"!!python/object/apply:os.system ['true']"),
    ],
)
def test_what_is_no_theme_is_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=Path(name).stem):
        read_theme(path)


def test_a_bad_file_leaves_the_others(tmp_path: Path) -> None:
    write(tmp_path, "nonsense: 1\n")
    told: list[SettingsError] = []
    assert len(load_themes(tmp_path, on_error=told.append)) == len(SHIPPED)
    assert [error.line for error in told] == [1]
    with pytest.raises(SettingsError, match=r"mine\.yaml:1"):
        load_themes(tmp_path)


async def test_themes_are_switched_while_the_app_runs() -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        await app.mount(Label("text"))
        for theme in SHIPPED.values():
            app.register_theme(theme)
            app.theme = theme.name
            await pilot.pause()
            assert app.screen.styles.background == Color.parse(theme.background or "")
            assert Color.parse(app.theme_variables["text-success"]) == Color.parse(theme.success or "")
