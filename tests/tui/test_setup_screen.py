"""The first start: a server of this machine, a provider with a key, another server, or the demo."""

from __future__ import annotations

import stat
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from textual.app import App
from textual.widgets import Checkbox, Input

from pygent.errors import SettingsError
from pygent.models.discover import find_servers, list_models
from pygent.settings import Settings, load, save_user_settings
from pygent.tui.screens.setup import ChoiceList, SetupScreen
from pygent.tui.screens.setup_choices import OPENAI, OTHER, key_problem, model_problem, url_problem
from pygent.tui.themes import DEFAULT_THEME, load_themes
from tests.fakes.openai_server import FakeOpenAI
from tests.tui.pane_app import until


class SetupApp(App[None]):
    def __init__(self, config: Path, **options: Any) -> None:
        super().__init__()
        self.config = config
        self.answers: list[Any] = []
        self.setup = SetupScreen(options.pop("settings", Settings()), save=self.save, **options)

    def save(self, updates: Mapping[str, object]) -> Path:
        return save_user_settings(updates, {"XDG_CONFIG_HOME": str(self.config)})

    def on_mount(self) -> None:
        for theme in load_themes():
            self.register_theme(theme)
        self.theme = DEFAULT_THEME
        self.push_screen(self.setup, self.answers.append)

    def said(self) -> str:
        return str(self.setup.query_one("#setup-problem").render())

    def text(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.screen._compositor.render_strips())


def settings_in(config: Path, workspace: Path) -> Settings:
    return load(workspace=workspace, environ={"XDG_CONFIG_HOME": str(config), "HOME": str(config)})


def discover(server: FakeOpenAI) -> Any:
    port = urlsplit(server.url).port or 0
    return lambda: find_servers((("Ollama", port), ("nobody", 1)))


async def test_a_server_of_this_machine_is_found_and_taken(tmp_path: Path) -> None:
    with FakeOpenAI(models=("qwen-coder", "[red]x[/red]")) as server:
        app = SetupApp(tmp_path / "config", discover=discover(server), list_models=list_models)
        async with app.run_test(size=(90, 34)) as pilot:
            choices = app.setup.query_one(ChoiceList)
            await until(pilot, lambda: choices.chosen.title == "Ollama")
            await pilot.pause()
            assert "on this machine, 2 models" in app.text()
            assert "[red]x[/red]" in app.text()
            await pilot.press("enter")
            assert app.focused is app.setup.query_one("#setup-model")
            await pilot.press("enter")
            await until(pilot, lambda: app.answers)
        base_url = server.url.replace("localhost", "127.0.0.1")
        assert app.answers == [{"base_url": base_url, "model": "qwen-coder", "api_key": None}]
        stored = settings_in(tmp_path / "config", tmp_path)
        assert (stored.base_url, stored.model, stored.api_key) == (base_url, "qwen-coder", None)


async def test_a_key_is_pasted_masked_and_stored_for_its_owner_only(tmp_path: Path) -> None:
    app = SetupApp(tmp_path / "config")
    async with app.run_test(size=(90, 34)) as pilot:
        await pilot.press("enter")
        await pilot.press(*"sk-secret", "enter")
        assert "sk-secret" not in app.text()
        await pilot.press("enter")
        await until(pilot, lambda: app.answers)
    assert app.answers == [{"base_url": None, "model": OPENAI.model, "api_key": "sk-secret"}]
    assert settings_in(tmp_path / "config", tmp_path).api_key == "sk-secret"
    holding = [
        path for path in (tmp_path / "config").rglob("*") if path.is_file() and "sk-secret" in path.read_text()
    ]
    assert [stat.S_IMODE(path.stat().st_mode) for path in holding] == [0o600]


async def test_nothing_is_stored_where_that_is_not_wished(tmp_path: Path) -> None:
    app = SetupApp(tmp_path / "config")
    async with app.run_test(size=(90, 34)) as pilot:
        app.setup.query_one(Checkbox).value = False
        await pilot.press("enter", *"sk-secret", "ctrl+s")
        await until(pilot, lambda: app.answers)
    assert app.answers[0]["api_key"] == "sk-secret"
    assert not (tmp_path / "config").exists()


async def test_what_is_missing_is_said_beside_the_field(tmp_path: Path) -> None:
    app = SetupApp(tmp_path / "config")
    async with app.run_test(size=(90, 34)) as pilot:
        await pilot.press("ctrl+s")
        assert "OpenAI needs a key" in app.said()
        assert app.focused is app.setup.query_one("#setup-key")
        await pilot.press(*"sk-1")
        app.setup.query_one("#setup-model", Input).value = ""
        await pilot.press("ctrl+s")
        assert "Name a model" in app.said()
        app.setup.query_one(ChoiceList).focus()
        await pilot.press("down", "down", "enter")
        assert app.focused is app.setup.query_one("#setup-url")
        await pilot.press(*"models.example", "ctrl+s")
        assert "begins with http:// or https://" in app.said()
        assert app.answers == []


async def test_a_server_that_refuses_the_key_is_quoted_and_can_be_overruled(tmp_path: Path) -> None:
    asked = threading.Event()

    def refuse(base_url: str, api_key: str | None) -> Sequence[str]:
        asked.set()
        return list_models("http://127.0.0.1:1/v1", api_key)

    app = SetupApp(tmp_path / "config", list_models=refuse)
    async with app.run_test(size=(90, 34)) as pilot:
        await pilot.press("enter", *"sk-1", "ctrl+s")
        await until(pilot, lambda: "Ctrl+S once more" in app.said())
        assert asked.is_set()
        assert "127.0.0.1:1" in app.said()
        assert app.answers == []
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.answers)


async def test_a_model_that_the_server_has_not_is_told(tmp_path: Path) -> None:
    with FakeOpenAI(models=("one", "two")) as server:
        app = SetupApp(tmp_path / "config", list_models=list_models)
        async with app.run_test(size=(90, 34)) as pilot:
            await pilot.press("down", "down", "enter")
            app.setup.query_one("#setup-url", Input).value = server.url
            app.setup.query_one("#setup-model", Input).value = "three"
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "has no model three" in app.said())
            app.setup.query_one("#setup-model").focus()
            await pilot.press("down", "enter")
            await until(pilot, lambda: app.answers)
        assert app.answers[0]["model"] == "one"


async def test_the_demo_and_the_way_out(tmp_path: Path) -> None:
    for keys, answer in (
        (("end", "enter"), "demo"),
        (("ctrl+d",), "demo"),
        (("tab", "x", "ctrl+d"), "demo"),
        (("escape",), None),
    ):
        app = SetupApp(tmp_path / "config")
        async with app.run_test(size=(90, 34)) as pilot:
            await pilot.press(*keys)
            await until(pilot, lambda app=app: app.answers)
        assert app.answers == [answer]


async def test_the_mouse_is_enough(tmp_path: Path) -> None:
    app = SetupApp(tmp_path / "config")
    async with app.run_test(size=(90, 34)) as pilot:
        await pilot.click(ChoiceList, offset=(4, 1))
        assert app.setup.query_one(ChoiceList).chosen.title == "OpenRouter"
        await pilot.click("#start")
        assert "OpenRouter needs a key" in app.said()
        await pilot.click("#demo")
        await until(pilot, lambda: app.answers)
    assert app.answers == ["demo"]


async def test_a_late_answer_of_the_probe_does_not_move_the_choice(tmp_path: Path) -> None:
    gate = threading.Event()
    with FakeOpenAI(models=("m",)) as server:
        found = discover(server)

        def slowly() -> Any:
            gate.wait(5)
            return found()

        app = SetupApp(tmp_path / "config", discover=slowly)
        async with app.run_test(size=(90, 34)) as pilot:
            assert "Looking for a model server" in app.text()
            await pilot.press("down")
            gate.set()
            choices = app.setup.query_one(ChoiceList)
            await until(pilot, lambda: choices.choices[0].title == "Ollama")
            assert choices.chosen.title == "OpenRouter"


async def test_no_server_and_a_broken_probe_are_both_told_calmly(tmp_path: Path) -> None:
    def broken() -> Any:
        raise RuntimeError("[/boom]")

    for probe in (list, broken):
        app = SetupApp(tmp_path / "config", discover=probe)
        async with app.run_test(size=(90, 34)) as pilot:
            await until(pilot, lambda app=app: "answers on this machine" in app.text())


async def test_settings_that_cannot_be_written_do_not_lose_what_was_typed(tmp_path: Path) -> None:
    class Full(SetupApp):
        def save(self, updates: Mapping[str, object]) -> Path:
            raise SettingsError("cannot be written: No space left on device", file="config.yaml")

    app = Full(tmp_path)
    async with app.run_test(size=(90, 34)) as pilot:
        await pilot.press("enter", *"sk-1", "ctrl+s")
        await until(pilot, lambda: "No space left" in app.said())
        assert app.answers == []
        app.setup.query_one(Checkbox).value = False
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.answers)


async def test_it_fits_a_small_terminal(tmp_path: Path) -> None:
    app = SetupApp(tmp_path / "config")
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "OpenAI needs a key" in app.text()


@pytest.mark.parametrize(
    ("url", "with_key", "good"),
    [
        ("https://models.example.org/v1", True, True),
        ("http://localhost:8080/v1", True, True),
        ("http://192.168.1.4:8080/v1", True, True),
        ("http://models.example.org/v1", False, True),
        ("http://models.example.org/v1", True, False),
        ("https://me:pw@models.example.org/v1", False, False),
        ("models.example.org", False, False),
        ("ftp://models.example.org", False, False),
        ("https://", False, False),
        ("http://[::1", False, False),
        ("https://host:port/v1", False, False),
        ("", False, False),
    ],
)
def test_which_urls_are_taken(url: str, with_key: bool, good: bool) -> None:
    assert (url_problem(url, with_key=with_key) == "") is good


def test_which_keys_and_models_are_taken() -> None:
    assert key_problem("", OPENAI)
    assert not key_problem("", OTHER)
    assert not key_problem("sk-1", OPENAI)
    assert key_problem("export KEY=sk-1", OPENAI)
    assert key_problem("sk-…", OPENAI)
    assert model_problem("")
    assert model_problem("a b")
    assert not model_problem("qwen2.5-coder:7b")
