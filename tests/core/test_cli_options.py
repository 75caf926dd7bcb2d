"""The command line: what is understood, what is refused and how, and what a start costs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from pygent import __version__, cli
from pygent.__main__ import main
from pygent.budget import Budget
from pygent.commands import help_page
from pygent.commands.arguments import main_parser, read
from pygent.errors import SettingsError
from pygent.settings import Settings, load
from pygent.settings.fields import FIELDS

OPTIONS = {
    "--docker", "--no-docker", "--image", "-w", "--workspace", "--ephemeral", "-m", "--model", "--base-url",
    "--persona", "--permission-mode", "--confirm-bash", "--no-confirm-bash", "--ban-cmd", "--max-steps", "--max-time",
    "--step-timeout", "--resume", "-c", "--continue", "--output-format", "--config", "-e", "--theme", "--demo",
    "--version", "--help", "-p", "--prompt", "--network", "--local-sandbox",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any settings, and a folder to stand in."""
    for name in list(os.environ):
        if name.startswith(("PYGENT_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "ws").mkdir()
    monkeypatch.chdir(tmp_path / "ws")
    return tmp_path


def test_all_promised_options_are_there() -> None:
    known = {option for action in main_parser()._actions for option in action.option_strings}
    assert known >= OPTIONS


def test_every_option_arrives_in_the_settings(tmp_path: Path) -> None:
    line = (
        "--no-docker --local-sandbox on --image i -w sub --network -m m --base-url http://h/v1 --persona tester "
        "--permission-mode plan --confirm-bash --ban-cmd rm --ban-cmd=curl --max-steps 3 --max-time 4.5 "
        "--step-timeout 5 --budget steps=9,money=0.5 --theme t -e A=1 -eB=2 --profile small --check make --load saved"
    )
    (tmp_path / "ws" / "saved").mkdir()
    (tmp_path / "ws" / "saved" / "pygent.json").write_text("{}")
    args = cli.parse(line.split())
    settings = load(options=cli.options(args), environ={"HOME": str(tmp_path)})
    assert (settings.use_docker, settings.image, settings.network) == (False, "i", True)
    assert (settings.workspace, settings.local_sandbox) == (tmp_path / "ws" / "sub", "on")
    assert (settings.model, settings.base_url, settings.persona.name) == ("m", "http://h/v1", "tester")
    assert (settings.permission_mode, settings.confirm_bash) == ("plan", True)
    assert settings.banned_commands == ("rm", "curl")
    assert (settings.max_steps, settings.max_time, settings.step_timeout) == (3, 4.5, 5.0)
    assert settings.budget == Budget(steps=9, money=0.5)
    assert (settings.profile, settings.check) == ("small", "make")
    assert settings.snapshot == tmp_path / "ws" / "saved"
    assert (settings.theme, settings.env) == ("t", {"A": "1", "B": "2"})
    assert settings.source("use_docker") == "--no-docker"
    given = {field.key for field in FIELDS if field.options} - {"ephemeral"}
    assert given == set(args.values)
    assert {key for key in settings.sources if settings.source(key).startswith("--")} == given
    again = cli.parse(args.forwarded())
    assert again == args


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], {}),
        (["fix it"], {"prompt": "fix it"}),
        (["--docker", "fix it", "-m", "x"], {"prompt": "fix it", "values": {"use_docker": True, "model": "x"}}),
        (["-p", "fix"], {"prompt": "fix", "headless": True}),
        (["-p", "-"], {"prompt": "-", "headless": True}),
        (["fix", "-p"], {"prompt": "fix", "headless": True}),
        (["-p", "--demo"], {"headless": True, "demo": True}),
        (["--demo", "-p"], {"headless": True, "demo": True}),
        (["--prompt=x", "--output-format", "json"], {"prompt": "x", "headless": True, "output_format": "json"}),
        (["-p", "config"], {"prompt": "config", "headless": True}),
        (["--", "config"], {"prompt": "config"}),
        (["--docker", "--", "--odd"], {"prompt": "--odd", "values": {"use_docker": True}}),
        (["--resume"], {"resume": ""}),
        (["--resume", "ab12"], {"resume": "ab12"}),
        (["-c"], {"continue_last": True}),
        (["serve"], {"command": "serve"}),
        (["-m", "x", "serve", "--port", "0"], {"command": "serve", "port": 0, "values": {"model": "x"}}),
        (
            ["serve", "--host", "::1", "--no-docker"],
            {"command": "serve", "host": "::1", "values": {"use_docker": False}},
        ),
        (["-e", "A=1", "serve", "-e", "B=2"], {"command": "serve", "values": {"env": ["A=1", "B=2"]}}),
        (["--model", "config"], {"values": {"model": "config"}}),
        (["-mconfig", "config"], {"command": "config", "values": {"model": "config"}}),
        (["config", "trust", "dir"], {"command": "config", "words": ("trust", "dir")}),
        (["config", "--json"], {"command": "config", "as_json": True}),
        (["personas", "tester"], {"command": "personas", "words": ("tester",)}),
        (["doctor", "--demo"], {"command": "doctor", "demo": True}),
        (["sessions", "list", "--any"], {"command": "sessions", "words": ("list", "--any")}),
        (["replay", "ab"], {"command": "replay", "words": ("ab",)}),
        (["--config", "f.yaml"], {"config": Path("f.yaml")}),
    ],
)
def test_what_is_understood(argv: list[str], expected: dict[str, object]) -> None:
    assert cli.parse(argv) == cli.Arguments(**expected)  # type: ignore[arg-type]


def test_nothing_to_read_is_what_the_parser_makes_of_nothing() -> None:
    assert cli.parse([]) == read([])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--modle", "x"], "unknown option --modle; did you mean '--model'?"),
        (["--dokcer"], "did you mean '--docker'?"),
        (["-z"], "unknown option -z"),
        (["serve", "--prot", "1"], "did you mean '--port'?"),
        (["serve", "--port", "99999"], "from 0 to 65535"),
        (["serve", "there"], "one word too many"),
        (["confg"], "did you mean 'config'? As a prompt: pygent -- confg"),
        (["fix", "the", "bug"], "needs quotes: pygent 'fix the bug'"),
        (["-p", "a", "b"], "two prompts"),
        (["-p", "a", "doctor"], "exclude each other"),
        (["--model"], "--model: expected one argument"),
        (["--mod", "x"], "did you mean '--model'?"),
        (["--output-format", "xml", "-p", "a"], "invalid choice: 'xml'"),
        (["--output-format", "json"], "is for -p"),
        (["config", "shwo"], "did you mean 'show'?"),
        (["config", "show", "x"], "one word too many"),
        (["personas", "tster"], "did you mean 'tester'?"),
        (["personas", "a", "b"], "one word too many"),
        (["--max-steps", "x", "hi"], "--max-steps: 'x' cannot be used; accepted: a whole number from 1"),
        (["--permission-mode", "root", "hi"], "accepted: plan, ask, auto, yolo"),
        (["--config", "nowhere", "hi"], "there is no such file"),
        (["--persona", "nobody", "hi"], "there is no persona 'nobody'"),
        (["-e", "nonsense", "hi"], "NAME=VALUE"),
        (["-e", "=x", "hi"], "NAME=VALUE"),
    ],
)
def test_what_is_refused_is_said_in_words(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("pygent: ")
    assert "Traceback" not in err


def test_a_broken_settings_file_is_a_message_without_escapes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config" / "pygent").mkdir(parents=True)
    file = home / "config" / "pygent" / "config.yaml"
    file.write_text('"mo\\e[31mdel": x\nmax_steps: y\n')
    assert main(["config", "show"]) == 2
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert [line.split(": ")[1] for line in err.splitlines()] == [f"{file}:1", f"{file}:2"]


def test_the_kept_help_is_the_parsers() -> None:
    page = help_page.page(main_parser())
    assert help_page.FILE.read_text("utf-8") == page, "python -m pygent.commands.help_page"
    assert max(len(line) for line in page.splitlines()) <= 80
    for option in OPTIONS - {"--no-docker", "--docker", "--network", "--confirm-bash", "--no-confirm-bash"}:
        assert re.search(rf"^  (-\w, )?{option}\b", page, re.MULTILINE), option
    assert "--[no-]docker" in page


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["--demo", "--help"], ["config", "--help"], ["serve", "-h"]])
def test_help_is_told(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(argv)
    except SystemExit as end:
        code = end.code  # type: ignore[assignment]
    assert not code
    assert capsys.readouterr().out.startswith("usage: pygent")


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_the_launcher_imports_next_to_nothing(word: str, tmp_path: Path) -> None:
    code = (
        "import sys; from pygent.__main__ import main; main([sys.argv[1]])\n"
        "print(sorted({'argparse', 'dataclasses', 'pathlib', 'pygent.cli', 'pygent.settings', 'importlib.metadata'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, word], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "[]"
    if word == "--version":
        assert done.stdout.splitlines()[0] == f"pygent {__version__}"


def test_the_command_line_imports_no_front_end(tmp_path: Path) -> None:
    code = "import sys, pygent.cli; print({'textual', 'openai', 'yaml', 'docker', 'sqlite3'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


def test_config_show_prints_every_value_and_its_source(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdefghij")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:hidden@host/v1")
    (home / "config" / "pygent").mkdir(parents=True)
    (home / "config" / "pygent" / "config.yaml").write_text("env: {MY_TOKEN: hidden, PORT: 80}\nnetwork: off\n")
    assert main(["config", "show", "--max-steps", "5"]) == 0
    out = capsys.readouterr().out
    assert "hidden" not in out
    assert "sk-0123" not in out
    rows = {line.split(":")[0]: line.rpartition("  # ")[2] for line in out.splitlines()}
    assert set(rows) == {field.name for field in fields(Settings)} - {"sources", "notices"}
    assert (rows["max_steps"], rows["api_key"], rows["env"], rows["model"]) == (
        "--max-steps",
        "OPENAI_API_KEY",
        "config.yaml:1",
        "default",
    )
    values = yaml.safe_load(out)
    assert (values["max_steps"], values["network"], values["model"]) == (5, False, "gpt-4.1-mini")
    assert values["workspace"] == str(home / "ws")
    assert main(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["network"] == {"value": False, "source": "config.yaml:2"}


def test_config_tells_paths_and_schema_and_trusts(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = home / "ws" / ".pygent" / "config.yaml"
    own.parent.mkdir()
    own.write_text("network: off\n")
    assert main(["config", "path"]) == 0
    assert f"{own}  (not trusted: ignored)" in capsys.readouterr().out
    assert main(["config", "show"]) == 0
    assert "pygent config trust" in capsys.readouterr().err
    assert main(["config", "trust"]) == 0
    assert str(own.parent) in capsys.readouterr().out
    assert main(["config", "show"]) == 0
    shown = capsys.readouterr()
    assert ".pygent/config.yaml:1" in shown.out
    assert shown.err == ""
    assert main(["config", "distrust", str(home / "ws")]) == 0
    assert main(["config", "trust", "nowhere"]) == 2
    capsys.readouterr()
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["model"]["default"] == "gpt-4.1-mini"


def test_config_path_works_while_the_settings_do_not(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config" / "pygent").mkdir(parents=True)
    (home / "config" / "pygent" / "config.yaml").write_text("{")
    assert main(["config", "path"]) == 0
    assert "config.yaml" in capsys.readouterr().out


def test_personas_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["personas"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:6]] == [
        "developer",
        "tester",
        "reviewer",
        "researcher",
        "writer",
    ]
    assert out.startswith("* Pygent")
    assert main(["personas", "tester"]) == 0
    assert "You are a test engineer" in capsys.readouterr().out
    assert main(["personas", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "Pygent"


def test_a_persona_is_shown_with_what_narrows_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "config" / "pygent" / "personas" / "careful.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "deny: [bash(git push *), write_file]\nnetwork: off\nimage: alpine\npermission_mode: plan\n"
        "budget: {tokens: 50000, money: 0.5}\nmax_steps: 9\n"
    )
    assert main(["personas", "careful"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "deny: bash(git push *), write_file",
        "network: off",
        "image: alpine",
        "permission_mode: plan",
        "budget: tokens=50000, money=0.5",
        "max_steps: 9",
    ]
    assert main(["personas", "careful", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["budget"], shown["network"]) == ({"tokens": 50000, "money": 0.5}, False)
    file.write_text("budget: {token: 5}\n")
    assert main(["personas", "careful"]) == 2
    assert "careful.yaml:1: budget: a budget has no 'token'; did you mean 'tokens'?" in capsys.readouterr().err


def test_a_variable_given_with_e_is_set_in_this_process(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_MODEL", "before")
    settings = cli.settings_for(cli.parse(["-e", "PYGENT_MODEL=after", "hi"]))
    assert settings.model == "after"
    assert os.environ["PYGENT_MODEL"] == "after"


def test_a_folder_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SettingsError, match="--workspace"):
        cli.settings_for(cli.parse(["hi"]))


def test_a_reader_that_leaves_is_no_crash(tmp_path: Path) -> None:
    script = f"{sys.executable} -m pygent config schema | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stderr == ""
