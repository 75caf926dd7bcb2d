"""Settings from the environment and from options: what is read, what is refused, what wins."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pygent.budget import Budget
from pygent.errors import SettingsError
from pygent.persona import Persona
from pygent.settings import Settings, command_environment, config_dir, data_dir, from_environment, load
from pygent.settings.environment import variables
from pygent.settings.fields import FIELDS

CONTRACT = {
    "PYGENT_USE_DOCKER", "PYGENT_LOCAL_SANDBOX",
    "PYGENT_IMAGE", "PYGENT_WORKSPACE", "PYGENT_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY",
    "PYGENT_PERSONA_NAME", "PYGENT_PERSONA", "PYGENT_PERMISSION_MODE", "PYGENT_CONFIRM_BASH",
    "PYGENT_BANNED_COMMANDS", "PYGENT_BANNED_APPS",
    "PYGENT_MAX_STEPS", "PYGENT_TASK_TIMEOUT", "PYGENT_STEP_TIMEOUT", "PYGENT_CONFIG",
    "PYGENT_THEME", "PYGENT_NOTIFY", "PYGENT_TERMINAL_TITLE",
    "PYGENT_BUDGET",
    "PYGENT_CHECK",
    "PYGENT_PROFILE", "PYGENT_CLUSTER", "PYGENT_CLUSTER_MODEL", "PYGENT_CLUSTER_RERUNS",
    "PYGENT_COMMAND_MEMORY", "PYGENT_COMMAND_PROCESSES", "PYGENT_COMMAND_DISK",
    "PYGENT_MAX_TASKS", "PYGENT_TASKS_AT_STOP", "PYGENT_TASKS_COPY_IGNORED",
    "PYGENT_TASK_PERSONAS", "PYGENT_TASK_PERSONAS_JSON",
    "PYGENT_INIT_FILES",
    "PYGENT_HISTORY_FILE", "PYGENT_LOG_FILE", "PYGENT_SNAPSHOT",
    "PYGENT_SESSIONS_KEEP_DAYS", "PYGENT_SESSIONS_KEEP_SIZE",
    "PYGENT_WEB_KEEP", "PYGENT_WEB_SESSIONS", "PYGENT_WEB_HOSTS", "PYGENT_WEB_PASSWORD",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose settings and data lie in the test's own folder."""
    return {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }


def test_the_table_and_the_settings_have_the_same_keys() -> None:
    names = {field.name for field in dataclasses.fields(Settings)} - {"sources", "notices"}
    assert {field.key for field in FIELDS} - {"task_personas"} == names


def test_all_promised_variables_are_known() -> None:
    assert set(variables()) == CONTRACT


def test_nothing_set_is_the_defaults() -> None:
    assert from_environment({}) == Settings()
    assert from_environment(dict.fromkeys(CONTRACT, "  ")) == Settings()
    assert (Settings().model, Settings().image, Settings().max_tasks) == ("gpt-4.1-mini", "python:3.12-slim", 3)


def test_every_variable_arrives(tmp_path: Path) -> None:
    settings = from_environment(
        {
            "PYGENT_USE_DOCKER": "0",
            "PYGENT_IMAGE": "alpine",
            "PYGENT_WORKSPACE": str(tmp_path),
            "PYGENT_MODEL": "m",
            "OPENAI_BASE_URL": "http://localhost:1/v1",
            "OPENAI_API_KEY": "sk-secret",
            "PYGENT_PERMISSION_MODE": "Plan",
            "PYGENT_CONFIRM_BASH": "yes",
            "PYGENT_BANNED_COMMANDS": os.pathsep.join(["rm", " sudo ", ""]),
            "PYGENT_BANNED_APPS": "curl",
            "PYGENT_MAX_STEPS": "7",
            "PYGENT_BUDGET": "tokens=50000, money=1.5",
            "PYGENT_TASK_TIMEOUT": "1.5",
            "PYGENT_STEP_TIMEOUT": "2",
            "PYGENT_THEME": "pygent-light",
            "PYGENT_COMMAND_MEMORY": "1024",
            "PYGENT_COMMAND_PROCESSES": "100",
            "PYGENT_COMMAND_DISK": "64",
            "PYGENT_MAX_TASKS": "5",
            "PYGENT_TASKS_AT_STOP": "cancel",
            "PYGENT_TASKS_COPY_IGNORED": "1",
            "PYGENT_CLUSTER": "tls://10.0.0.1:8786",
            "PYGENT_CLUSTER_MODEL": "session",
            "PYGENT_CLUSTER_RERUNS": "2",
            "PYGENT_INIT_FILES": os.pathsep.join(["/a", "/b c"]),
            "PYGENT_HISTORY_FILE": "/h",
            "PYGENT_LOG_FILE": "/l",
            "PYGENT_SNAPSHOT": "/s",
            "PYGENT_SESSIONS_KEEP_DAYS": "30",
            "PYGENT_SESSIONS_KEEP_SIZE": "0",
        }
    )
    assert settings == Settings(
        use_docker=False,
        image="alpine",
        workspace=tmp_path,
        model="m",
        base_url="http://localhost:1/v1",
        api_key="sk-secret",
        permission_mode="plan",
        confirm_bash=True,
        banned_commands=("rm", "sudo"),
        banned_apps=("curl",),
        max_steps=7,
        budget=Budget(tokens=50000, money=1.5),
        max_time=1.5,
        step_timeout=2.0,
        theme="pygent-light",
        command_memory=1024,
        command_processes=100,
        command_disk=64,
        max_tasks=5,
        tasks_at_stop="cancel",
        tasks_copy_ignored=True,
        cluster="tls://10.0.0.1:8786",
        cluster_model="session",
        cluster_reruns=2,
        init_files=(Path("/a"), Path("/b c")),
        history_file=Path("/h"),
        log_file=Path("/l"),
        snapshot=Path("/s"),
        sessions_keep_days=30,
        sessions_keep_size=0,
    )
    assert settings.source("model") == "PYGENT_MODEL"
    assert settings.source("network") == "default"
    assert "sk-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("PYGENT_USE_DOCKER", "maybe", "true, false or auto"),
        ("PYGENT_MAX_STEPS", "0", "whole number from 1"),
        ("PYGENT_MAX_STEPS", "1e3", "whole number"),
        ("PYGENT_MAX_STEPS", "٣", "whole number"),
        ("PYGENT_MAX_TASKS", "-1", "whole number"),
        ("PYGENT_BUDGET", "tokens=many", "whole number from 1"),
        ("PYGENT_BUDGET", "token=5", "steps, seconds, tokens, money"),
        ("PYGENT_TASK_TIMEOUT", "nan", "seconds"),
        ("PYGENT_TASK_TIMEOUT", "inf", "seconds"),
        ("PYGENT_STEP_TIMEOUT", "0", "seconds"),
        ("PYGENT_PERMISSION_MODE", "root", "plan, ask, auto, yolo"),
        ("PYGENT_CONFIRM_BASH", "2", "true or false"),
        ("OPENAI_BASE_URL", "localhost:1", "http://"),
        ("PYGENT_TASK_PERSONAS_JSON", "{", "JSON array"),
        ("PYGENT_TASK_PERSONAS_JSON", '[{"description": "x"}]', "name"),
        ("PYGENT_TASK_PERSONAS_JSON", '[{"name": 1}]', "text"),
        ("PYGENT_TASK_PERSONAS_JSON", "[" * 5000, "JSON"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(name: str, value: str, accepted: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment({name: value})
    text = str(caught.value)
    assert text.startswith(f"{name}='{value[:40]}")
    assert accepted in text
    assert caught.value.key == name


def test_all_complaints_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment({"PYGENT_MAX_STEPS": "x", "PYGENT_MAX_TASKS": "y"})
    assert [line.partition("=")[0] for line in str(caught.value).splitlines()] == [
        "PYGENT_MAX_STEPS",
        "PYGENT_MAX_TASKS",
    ]


def test_variables_describe_the_main_persona() -> None:
    assert from_environment({"PYGENT_PERSONA_NAME": "Bo", "PYGENT_PERSONA": "a cat"}).persona == Persona(
        "Bo", "a cat"
    )
    assert from_environment({"PYGENT_PERSONA": "a cat"}).persona == Persona("Pygent", "a cat")
    renamed = from_environment({"PYGENT_PERSONA_NAME": "Bo"}).persona
    assert renamed == Persona("Bo", "a coding agent that works together with a person in one workspace.")
    assert from_environment({"PYGENT_PERSONA_NAME": "tester"}).persona.prompt.startswith("You are a test engineer")


def test_a_variable_describes_personas_whole() -> None:
    given = {"name": "p", "deny": ["bash"], "network": False, "image": "i", "permission_mode": "plan", "max_steps": 3}
    text = json.dumps([{**given, "budget": {"tokens": 5}}])
    (persona,) = from_environment({"PYGENT_TASK_PERSONAS_JSON": text}).personas
    assert persona == Persona("p", "", "", None, None, ("bash",), False, "i", "plan", Budget(tokens=5), 3)
    assert persona.to_dict() == {**given, "description": "", "budget": {"tokens": 5}}
    assert list(persona.to_dict())[:2] == ["name", "description"]


@pytest.mark.parametrize("limits", [{"permission_mode": "root"}, {"max_steps": 0}, {"budget": {"token": 1}}])
def test_a_persona_made_in_a_program_is_checked(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"there are: plan, ask|accepted: "):
        Persona("p", **limits)


def test_variables_name_the_personas_for_tasks() -> None:
    chosen = from_environment({"PYGENT_TASK_PERSONAS": os.pathsep.join(["tester", "poet"])}).personas
    assert [persona.name for persona in chosen] == ["tester", "poet"]
    assert chosen[0].prompt
    assert chosen[1] == Persona("poet")
    given = '[{"name": "poet", "description": "rhymes", "tools": ["bash"]}, {"name": "sage", "model": "big"}]'
    assert from_environment({"PYGENT_TASK_PERSONAS_JSON": given}).personas == (
        Persona("poet", "rhymes", tools=("bash",)),
        Persona("sage", model="big"),
    )
    both = {"PYGENT_TASK_PERSONAS_JSON": given, "PYGENT_TASK_PERSONAS": os.pathsep.join(["sage", "writer"])}
    assert [(p.name, p.model) for p in from_environment(both).personas] == [("sage", "big"), ("writer", None)]


def test_each_default_persona_has_a_prompt_and_one_line_about_it() -> None:
    everyone = (Settings().persona, *Settings().personas)
    assert [p.name for p in everyone] == ["Pygent", "developer", "tester", "reviewer", "researcher", "writer"]
    for persona in everyone:
        assert 20 < len(persona.description) < 120
        assert "\n" not in persona.description
    for persona in everyone[1:]:  # what the main agent is told stands in the system message itself
        assert 300 < len(persona.prompt) < 1500


def test_the_environment_alone_costs_no_slow_import(tmp_path: Path) -> None:
    code = (
        "import sys; from pygent.settings import from_environment, load; from_environment()\n"
        "print(sorted({'yaml', 'platformdirs', 'textual', 'openai', 'difflib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


def test_options_win_over_variables_over_files(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config" / "pygent").mkdir(parents=True)
    (tmp_path / "config" / "pygent" / "config.yaml").write_text("model: one\nimage: one\ntheme: one\nmax_steps: 1\n")
    named = tmp_path / "named.yaml"
    named.write_text("image: two\ntheme: two\nmax_steps: 2\n")
    environ = {**home, "PYGENT_THEME": "three", "PYGENT_MAX_STEPS": "3"}
    settings = load(config_file=named, options={"max_steps": "4", "model": None}, environ=environ)
    assert (settings.model, settings.image, settings.theme, settings.max_steps) == ("one", "two", "three", 4)
    assert [settings.source(key) for key in ("model", "image", "theme", "max_steps", "network")] == [
        "config.yaml:1",
        f"{named}:1",
        "PYGENT_THEME",
        "--max-steps",
        "default",
    ]


def test_lists_of_what_is_refused_grow(home: dict[str, str]) -> None:
    environ = {**home, "PYGENT_BANNED_COMMANDS": "rm"}
    settings = load(options={"banned_commands": ["curl", "rm"]}, environ=environ)
    assert settings.banned_commands == ("rm", "curl")
    assert settings.source("banned_commands") == "PYGENT_BANNED_COMMANDS + --ban-cmd"


def test_a_variable_set_by_option_counts_for_pygent_and_its_commands(home: dict[str, str]) -> None:
    settings = load(options={"env": ["PYGENT_MODEL=x", "A=b=c"]}, environ={**home, "PYGENT_MODEL": "y"})
    assert settings.model == "x"
    assert settings.env == {"PYGENT_MODEL": "x", "A": "b=c"}
    with pytest.raises(SettingsError, match="--env: 'nonsense' cannot be used; accepted: NAME=VALUE"):
        load(options={"env": ["nonsense"]}, environ=home)


def test_options_are_refused_by_name(home: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(options={"max_steps": "many", "use_docker": "x", "modle": "y"}, environ=home)
    assert str(caught.value).splitlines() == [
        "--max-steps: 'many' cannot be used; accepted: a whole number from 1",
        "--docker: 'x' cannot be used; accepted: true, false or auto (also yes/no, on/off, 1/0)",
        "unknown setting 'modle'; did you mean 'model'?",
    ]


def test_a_persona_is_chosen_by_name(home: dict[str, str]) -> None:
    assert load(options={"persona": "reviewer"}, environ={**home, "PYGENT_PERSONA": "x"}).persona.name == "reviewer"
    assert load(options={"persona": Persona("Own")}, environ=home).persona == Persona("Own")
    with pytest.raises(SettingsError, match="no persona 'reviewr'; did you mean 'reviewer'"):
        load(options={"persona": "reviewr"}, environ=home)


def test_the_workspace_is_named_or_given_or_temporary(home: dict[str, str], tmp_path: Path) -> None:
    named = tmp_path / "named"
    assert load(environ=home).workspace is None
    assert load(workspace=tmp_path, environ=home).workspace == tmp_path
    assert load(workspace=tmp_path, options={"workspace": str(named)}, environ=home).workspace == named
    assert load(workspace=tmp_path, options={"ephemeral": True}, environ=home).workspace is None
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="not a folder"):
        load(options={"workspace": str(tmp_path / "file")}, environ=home)


def test_almost_a_variable_is_noticed(home: dict[str, str]) -> None:
    settings = load(environ={**home, "PYGENT_MODLE": "x", "PYGENT_REQUIRE_DOCKER": "1"})
    assert settings.notices == ("PYGENT_MODLE is not a variable of Pygent; did you mean PYGENT_MODEL?",)


def test_commands_get_a_short_list_of_variables() -> None:
    environ = {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_ALL": "C",
        "TERM": "xterm",
        "OPENAI_API_KEY": "sk-1",
        "AWS_SECRET_ACCESS_KEY": "x",
        "WANTED": "w",
        "PYGENT_MODEL": "m",
        "LD_PRELOAD": "x",
    }
    settings = Settings(
        env={"OWN": "1", "OPENAI_API_KEY": "sk-2", "PAGER": "less"}, command_env=("WANTED", "MISSING")
    )
    got = command_environment(settings, environ)
    assert got["PATH"] == "/bin"
    assert got["LC_ALL"] == "C"
    assert got["TERM"] == "dumb"
    assert got["WANTED"] == "w"
    assert got["OWN"] == "1"
    assert got["PAGER"] == "less"
    assert not {"OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "PYGENT_MODEL", "LD_PRELOAD", "MISSING"} & set(got)
    assert {"PATH", "HOME"} & set(command_environment(settings, environ, host=False)) == set()
    asked_for = Settings(env={"OPENAI_API_KEY": "sk-2"}, command_env=("OPENAI_API_KEY",))
    assert command_environment(asked_for, environ)["OPENAI_API_KEY"] == "sk-2"


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="platformdirs is asked itself there")
@pytest.mark.parametrize("variable", ["", "/somewhere", "relative/one", "  "])
def test_the_folders_are_those_of_platformdirs(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.setenv("XDG_CONFIG_HOME", variable)
    monkeypatch.setenv("XDG_DATA_HOME", variable)
    assert config_dir() == platformdirs.user_config_path("pygent").expanduser()
    assert data_dir() == platformdirs.user_data_path("pygent").expanduser()


def test_a_named_and_a_temporary_workspace_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--workspace and --ephemeral"):
        load(options={"workspace": str(tmp_path), "ephemeral": True}, environ={"HOME": str(tmp_path)})
    environ = {"HOME": str(tmp_path), "PYGENT_WORKSPACE": str(tmp_path)}
    assert load(options={"ephemeral": True}, environ=environ).workspace is None
