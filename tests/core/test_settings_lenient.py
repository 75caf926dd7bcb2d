"""A screen opens in spite of settings files with mistakes, tells of them, and allows no more than they could mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygent.errors import SettingsError
from pygent.settings import Settings, load, trust
from tests.core.test_settings_files import Place, place

__all__ = ["place"]

CAREFUL = "asks before everything"


def forgiving(place: Place, **options: object) -> Settings:
    return load(workspace=place.workspace, environ=place.environ, options=options, forgiving=True)


def is_careful(settings: Settings) -> bool:
    careful = settings.permission_mode in {"ask", "plan"} and settings.confirm_bash and settings.allow == ()
    assert careful == any(CAREFUL in notice for notice in settings.notices)
    return careful


def test_what_is_broken_is_left_out_and_told_with_its_line_and_what_is_used(place: Place) -> None:
    file = place.user("theme: [a]\nmax_steps: many\nmodel: qwen\nallow: ['ls *']\npermission_mode: auto\nthem: x\n")
    settings = forgiving(place)
    assert (settings.model, settings.max_steps, settings.theme) == ("qwen", 20, "pygent-dark")
    assert f"{file}:1: theme: a list cannot be used; accepted: text. It is left out; default: pygent-dark." in (
        settings.notices
    )
    steps = next(notice for notice in settings.notices if "max_steps" in notice)
    assert steps.startswith(f"{file}:2: max_steps: 'many' (text) cannot be used; accepted: a whole number from 1")
    assert steps.endswith("It is left out; default: 20.")
    assert any(f"{file}:6: unknown key 'them'; did you mean 'theme'. It is left out" in n for n in settings.notices)
    assert not is_careful(settings)
    assert (settings.permission_mode, settings.allow) == ("auto", ("ls *",))


@pytest.mark.parametrize(
    "broken",
    [
        "deny: {a: b}",
        "banned_commands: 5",
        "permission_mode: sometimes",
        "permision_mode: plan",
        "confirm_bash: perhaps",
        "use_docker: maybe",
        "network: perhaps",
        "denny: ['git push *']",
        "something_else: 1",
        "personas: [{name: [x]}]",
        "persona: nobody",
        "workspace: [a]",
        "x: [",
        "model: a\nmodel: b",
        "\x80",
    ],
)
def test_where_a_limit_could_be_lost_everything_asks(place: Place, broken: str) -> None:
    place.user(f"allow: ['git *']\n{broken}\n".encode("latin-1"))
    settings = forgiving(place, permission_mode="yolo")
    assert is_careful(settings)
    assert settings.permission_mode == "ask"
    assert "for safety" in settings.source("permission_mode")
    assert str(place.file) in " ".join(settings.notices)
    with pytest.raises(SettingsError):
        place.load()


def test_a_stricter_mode_stays(place: Place) -> None:
    place.user("deny: {a: b}\npermission_mode: plan\n")
    settings = forgiving(place)
    assert is_careful(settings)
    assert settings.permission_mode == "plan"


def test_a_workspace_and_a_persona_file_count_as_well(place: Place) -> None:
    trust(place.workspace, place.environ)
    place.own("permission_mode: [")
    assert is_careful(forgiving(place))
    place.own("model: x\n")
    assert not is_careful(forgiving(place))
    (place.config / "personas").mkdir()
    (place.config / "personas" / "reader.yaml").write_text("description: reads\ntools: {a: b}\n")
    settings = forgiving(place)
    assert is_careful(settings)
    assert "reader.yaml:2" in " ".join(settings.notices)


def test_an_unknown_server_is_not_taken_for_another(place: Place) -> None:
    place.environ["OPENAI_API_KEY"] = "sk-for-openai"
    place.user("base_url: 5\n")
    settings = forgiving(place)
    assert (settings.api_key, settings.base_url) == (None, None)
    assert "Which server to ask" in settings.notices[-1]
    place.user("base_url: http://localhost:1/v1\nx: [\n")
    assert forgiving(place).api_key is None
    place.environ["OPENAI_BASE_URL"] = "http://localhost:2/v1"
    assert forgiving(place).api_key == "sk-for-openai"
    place.user("x: [\n")
    del place.environ["OPENAI_BASE_URL"]
    assert forgiving(place).api_key == "sk-for-openai"


def test_options_variables_and_files_that_are_not_there_are_still_errors(place: Place, tmp_path: Path) -> None:
    place.user("theme: [a]\n")
    with pytest.raises(SettingsError):
        forgiving(place, max_steps="many")
    with pytest.raises(SettingsError):
        load(workspace=place.workspace, environ=place.environ, config_file=tmp_path / "no", forgiving=True)
    place.environ["PYGENT_MAX_STEPS"] = "many"
    with pytest.raises(SettingsError):
        forgiving(place)


def test_the_keys_of_a_mapping_know_their_lines(place: Place) -> None:
    place.user("keymap:\n  app.help: f9\n  pane.tasks: f8\n")
    trust(place.workspace, place.environ)
    settings = forgiving(place)
    assert settings.source("keymap.app.help") == "config.yaml:2"
    assert settings.source("keymap.pane.tasks") == "config.yaml:3"
