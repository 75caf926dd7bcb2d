"""The settings screen: everything listed with its source, changed with the right control, written, followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygent.budget import Budget
from pygent.errors import SettingsError
from pygent.settings import load
from pygent.settings.fields import BY_KEY
from pygent.settings.own_file import typed_value, value_text
from pygent.tui.remember import stronger_source
from pygent.tui.widgets.setting_list import SettingList
from tests.tui.fake_session import FakeSession, FakeSettings
from tests.tui.test_app import _own_config, running, shown, type_text, until
from tests.tui.test_theme_choice import told

__all__ = ["_own_config"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "pygent" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# mine\nmodel: small  # the small one\n\n# limits\nmax_steps: 9\n", "utf-8")
    return path


def text_of(file: Path) -> str:
    return file.read_text("utf-8")


def break_it(file: Path) -> None:
    file.write_text("model: [\n", "utf-8")


def settings(tmp_path: Path, **sources: str) -> FakeSettings:
    return FakeSettings(workspace=tmp_path, model="small", sources={"model": "config.yaml:2", **sources})


async def test_all_settings_are_listed_with_their_source_and_found_by_typing(tmp_path: Path, file: Path) -> None:
    async with running(FakeSession(tmp_path, settings=settings(tmp_path, theme="PYGENT_THEME"))) as (app, pilot):
        await pilot.press("f8")
        await until(lambda: "config.yaml:2" in shown(app))
        assert len(app.screen.query_one(SettingList)._lines) > len(BY_KEY)
        await type_text(pilot, "theme")
        await until(lambda: "max_steps" not in shown(app))
        await until(lambda: "PYGENT_THEME decides" in shown(app))
        await pilot.press("escape")
        await until(lambda: "max_steps" in shown(app))
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main
        assert text_of(file).startswith("# mine\nmodel: small")


async def change(app: object, pilot: object, key: str, *keys: str) -> None:
    """Find a setting and press keys on it."""
    await pilot.press("f8")  # type: ignore[attr-defined]
    await until(lambda: "config.yaml:2" in shown(app))  # type: ignore[arg-type]
    await type_text(pilot, key)  # type: ignore[arg-type]
    await until(lambda: app.screen.query_one(SettingList).chosen.key == key)  # type: ignore[attr-defined]
    await pilot.press(*keys)  # type: ignore[attr-defined]
    await pilot.pause()  # type: ignore[attr-defined]


async def test_a_word_is_chosen_from_a_list_and_followed_at_once(tmp_path: Path, file: Path) -> None:
    session = FakeSession(tmp_path, settings=settings(tmp_path))
    async with running(session) as (app, pilot):
        await change(app, pilot, "notify", "enter")
        await until(lambda: "desktop" in shown(app))
        await pilot.press("down", "down", "enter")
        await until(lambda: "it counts at once" in told(app))
        assert app.session.settings.notify == "bell"
    assert text_of(file).endswith("max_steps: 9\nnotify: bell\n")
    assert load().notify == "bell"


async def test_a_number_is_typed_and_a_mistake_is_told_by_what_is_accepted(tmp_path: Path, file: Path) -> None:
    session = FakeSession(tmp_path, settings=settings(tmp_path))
    async with running(session) as (app, pilot):
        await change(app, pilot, "max_steps", "enter")
        await until(lambda: "Steps that a run may take" in shown(app))
        await pilot.press("ctrl+u", *"many", "enter")
        await until(lambda: "a whole number from 1" in shown(app))
        await until(lambda: "'many' cannot be used" in shown(app))
        await pilot.press("ctrl+u", *"12", "enter")
        await until(lambda: "it counts from the next run" in told(app))
        assert session.called("prefer") == [("prefer", {"max_steps": 12})]
    assert "# limits\nmax_steps: 12\n" in text_of(file)


async def test_the_mouse_alone_changes_a_setting_and_takes_it_back(tmp_path: Path, file: Path) -> None:
    async with running(FakeSession(tmp_path, settings=settings(tmp_path))) as (app, pilot):
        await change(app, pilot, "terminal_title")
        await pilot.click("#change")
        await until(lambda: "Enter chooses" in shown(app))
        await pilot.click("#choose-list", offset=(4, 1))
        await pilot.click("#choose-list", offset=(4, 1))
        await until(lambda: "terminal_title: saved" in told(app))
        assert "terminal_title: false" in text_of(file)
        await until(lambda: app.screen.query_one(SettingList).chosen.own is not None)  # type: ignore[union-attr]
        await pilot.click("#reset")
        await until(lambda: "the default again" in told(app))
        assert "terminal_title" not in text_of(file)


async def test_a_key_is_masked_and_goes_to_its_own_file(tmp_path: Path, file: Path) -> None:
    async with running(FakeSession(tmp_path, settings=settings(tmp_path))) as (app, pilot):
        await change(app, pilot, "api_key", "enter")
        await until(lambda: "Key of the model server" in shown(app))
        await type_text(pilot, "sk-0123456789abcdefghij")
        assert "sk-0123" not in shown(app)
        await pilot.press("enter")
        await until(lambda: "api_key: saved" in told(app))
        await pilot.pause(0.1)
        assert "sk-0123" not in shown(app)
    secrets = file.parent / "credentials.yaml"
    assert text_of(secrets) == "api_key: sk-0123456789abcdefghij\n"
    assert "sk-" not in text_of(file)


async def test_a_broken_file_is_told_and_left_alone(tmp_path: Path, file: Path) -> None:
    break_it(file)
    async with running(FakeSession(tmp_path, settings=settings(tmp_path))) as (app, pilot):
        await pilot.press("f8")
        await until(lambda: "config.yaml:" in told(app))
        assert len(app.screen.query_one(SettingList)._lines) > len(BY_KEY)
        await type_text(pilot, "notify")
        await until(lambda: app.screen.query_one(SettingList).chosen.key == "notify")  # type: ignore[union-attr]
        assert " notify " in shown(app)
        await pilot.press("enter")
        await until(lambda: "desktop" in shown(app))
        await pilot.press("down", "down", "enter")
        await until(lambda: told(app).count("config.yaml:") == 2)
        assert "saved" not in told(app)
    assert text_of(file) == "model: [\n"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("banned_commands", "sudo, shutdown", ("sudo", "shutdown")),
        ("deny", '["git push *", "a, b"]', ("git push *", "a, b")),
        ("keymap", "app.quit: ctrl+x, app.help: f1", {"app.quit": "ctrl+x", "app.help": "f1"}),
        ("prices", "m: {input: 1, output: 2}", {"m": {"input": 1.0, "output": 2.0}}),
        ("budget", "tokens: 50000, money: 0.5", Budget(tokens=50000, money=0.5)),
        ("max_time", "90", 90.0),
        ("workspace", "/tmp", Path("/tmp")),
        ("permission_mode", "plan", "plan"),
    ],
)
def test_what_is_typed_is_read_and_shown_again(key: str, text: str, value: object) -> None:
    assert typed_value(key, text) == value
    assert typed_value(key, value_text(key, value)) == value


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("max_steps", "0", "a whole number from 1"),
        ("keymap", "[a]", "cannot be"),
        ("deny", "[a", "a list"),
        ("base_url", "nowhere", "http://"),
        ("api_key", "", "cannot be used"),
    ],
)
def test_what_cannot_be_used_says_what_can(key: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        typed_value(key, text)


def test_what_decides_over_the_own_file() -> None:
    assert stronger_source("default") == ""
    assert stronger_source("config.yaml:3") == ""
    assert stronger_source("config.yaml:3 + --env") == "--env"
    assert stronger_source(".pygent/config.yaml:2") == ".pygent/config.yaml:2"
