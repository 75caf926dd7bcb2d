"""Settings files: every mistake is told with its place; trust and narrowing of a workspace's own file; saving."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from pygent.budget import Budget
from pygent.errors import SettingsError
from pygent.persona import Persona
from pygent.settings import Settings, distrust, is_trusted, load, reference, save_user_settings, trust
from pygent.settings.json_schema import json_schema
from pygent.settings.load import elsewhere

ROOT = Path(__file__).resolve().parents[2]


class Place:
    """A user's folders and a workspace, in the test's own folder."""

    def __init__(self, root: Path) -> None:
        self.config = root / "config" / "pygent"
        self.data = root / "data" / "pygent"
        self.workspace = root / "ws"
        self.config.mkdir(parents=True)
        (self.workspace / ".pygent").mkdir(parents=True)
        self.environ = {
            "HOME": str(root),
            "XDG_CONFIG_HOME": str(root / "config"),
            "XDG_DATA_HOME": str(root / "data"),
        }

    @property
    def file(self) -> Path:
        return self.config / "config.yaml"

    def user(self, text: str | bytes) -> Path:
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.file

    def own(self, text: str) -> None:
        (self.workspace / ".pygent" / "config.yaml").write_text(text)

    def load(self, **more: object) -> Settings:
        return load(workspace=self.workspace, environ=self.environ, options=more)

    def complaint(self) -> str:
        with pytest.raises(SettingsError) as caught:
            self.load()
        return str(caught.value)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_file_sets_every_kind_of_value(place: Place) -> None:
    place.user(
        """\
model: "4"
use_docker: auto
network: off
confirm_bash: on
max_time: 10
banned_commands: rm
deny: [a, b]
init_files: [notes, /abs, ~/mine]
keymap: {quit: 1, yes: y}
env:
  PORT: 8080
  DEBUG: yes
prices: {m: {input: 0.4, output: 2}}
persona: {name: Bo, description: a cat}
theme:
"""
    )
    settings = place.load()
    assert (settings.model, settings.use_docker, settings.network, settings.confirm_bash) == ("4", None, False, True)
    assert settings.max_time == 10.0
    assert (settings.banned_commands, settings.deny) == (("rm",), ("a", "b"))
    assert settings.init_files == (place.config / "notes", Path("/abs"), Path("~/mine").expanduser())
    assert settings.keymap == {"quit": "1", "yes": "y"}
    assert settings.env == {"PORT": "8080", "DEBUG": "yes"}
    assert settings.prices == {"m": {"input": 0.4, "output": 2.0}}
    assert settings.persona == Persona("Bo", "a cat")
    assert (settings.theme, settings.source("theme")) == ("pygent-dark", "default")
    assert settings.source("env") == "config.yaml:10"


@pytest.mark.parametrize(
    ("text", "line", "parts"),
    [
        ("model: x\nmodle: y\n", 2, ["unknown key 'modle'", "did you mean 'model'?"]),
        ("max-steps: 3\n", 1, ["unknown key 'max-steps'", "did you mean 'max_steps'?"]),
        ("\n\nmax_steps: many\n", 3, ["max_steps: 'many' (text)", "a whole number from 1"]),
        ("max_steps: true\n", 1, ["'true' (true or false)", "a whole number"]),
        ("max_steps: 1.5\n", 1, ["'1.5' (a number)"]),
        ("max_time: .inf\n", 1, ["seconds"]),
        ("model: yes\n", 1, ["accepted: text", "quotes"]),
        ("model: [a]\n", 1, ["a list"]),
        ("permission_mode: root\n", 1, ["plan, ask, auto, yolo"]),
        ("network: maybe\n", 1, ["true or false"]),
        ("deny: {a: b}\n", 1, ["a mapping"]),
        ("deny:\n  - a\n  - 3\n", 3, ["'3' (a whole number)"]),
        ("keymap:\n  a: b\n  c: [d]\n", 3, ["a list"]),
        ("prices:\n  m:\n    inputs: 1\n", 3, ["input, output, cached_input"]),
        ("budget:\n  steps: 3\n  token: 5\n", 3, ["a budget has no 'token'", "did you mean 'tokens'?"]),
        ("budget:\n  steps: 3\n  tokens: [5]\n", 3, ["tokens: 'a list' cannot be used", "a whole number from 1"]),
        ("budget: 5\n", 1, ["a mapping {steps, seconds, tokens, money}"]),
        ("personas:\n  - name: a\n    promt: b\n", 3, ["unknown key 'promt'", "did you mean 'prompt'?"]),
        ("personas:\n  - name: a\n  - name: a\n", 3, ["two personas"]),
        ("personas:\n  - name: a\n    max_steps: 0\n", 3, ["max_steps: '0'", "a whole number from 1"]),
        ("personas:\n  - name: a\n    permission_mode: root\n", 3, ["permission_mode: 'root'", "plan, ask, auto"]),
        ("personas:\n  - name: a\n    network: maybe\n", 3, ["network: 'maybe'", "true or false"]),
        ("personas:\n  - name: a\n    deny: [3]\n", 3, ["deny: '3'", "a list of rules"]),
        ("personas:\n  - name: a\n    budget:\n      steps: 0\n", 4, ["budget: steps: 0 cannot be used"]),
        ("personas:\n  - description: a\n", 2, ["needs a name"]),
        ("persona: tster\n", 1, ["no persona 'tster'", "did you mean 'tester'?"]),
        ("model: a\nimage: b\nmodel: c\n", 3, ["'model' stands twice", "line 1"]),
        ("model: a\n b: c\n", 2, ["not YAML"]),
        ("model: [a\n", 2, ["not YAML"]),
        ("a: 1\n---\nb: 2\n", 2, ["not YAML"]),
        ("- model\n", 1, ["must hold keys and values"]),
        ("model: !!python/object/apply:os.system [x]\n", 1, ["not accepted"]),
        ("model: !own x\n", 1, ["not accepted"]),
        ("? [a]\n: b\n", 1, ["plain word"]),
        ("model: \x07\n", 1, ["not YAML"]),
    ],
)
def test_a_mistake_is_told_with_its_place(place: Place, text: str, line: int, parts: list[str]) -> None:
    file = place.user(text)
    complaint = place.complaint()
    assert complaint.startswith(f"{file}:{line}: ")
    assert [part for part in parts if part not in complaint] == []


def test_all_mistakes_are_told_at_once(place: Place) -> None:
    file = place.user("modle: x\nmax_steps: y\n")
    with pytest.raises(SettingsError) as caught:
        load(environ={**place.environ, "PYGENT_MAX_TASKS": "z"}, options={"image": ""})
    assert len(str(caught.value).splitlines()) == 4
    assert (caught.value.key, caught.value.file, caught.value.line) == ("image", None, None)
    assert f"{file}:2: " in str(caught.value)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"model: \xff\n", "UTF-8"),
        (b"a: " + b"[" * 100_000, "nest"),
        (b"#" * (1024 * 1024 + 1), "larger"),
        (b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
            b"%c: &%c [%s]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9)) for c in range(97, 107)
        ), "20000 values"),
        (b"env: &a\n  b: *a\n", "nested too deeply"),
    ],
    ids=["encoding", "depth", "size", "aliases of aliases", "an alias of itself"],
)  # fmt: skip
def test_hostile_files_are_refused_in_words(place: Place, data: bytes, part: str) -> None:
    place.user(data)
    assert part in place.complaint()


def test_what_is_no_file_is_refused_at_once(place: Place) -> None:
    os.mkfifo(place.file)
    assert "not a regular file" in place.complaint()
    place.file.unlink()
    place.file.mkdir()
    assert str(place.file) in place.complaint()


def test_a_named_file_must_be_there(place: Place, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--config '.*nowhere': there is no such file"):
        load(config_file=tmp_path / "nowhere", environ=place.environ)
    with pytest.raises(SettingsError, match="PYGENT_CONFIG"):
        load(environ={**place.environ, "PYGENT_CONFIG": str(tmp_path / "nowhere")})


def test_personas_stand_in_the_file_and_beside_it(place: Place) -> None:
    place.user("personas:\n  - {name: tester, description: mine}\n  - {name: poet}\n")
    (place.config / "personas").mkdir()
    (place.config / "personas" / "sage.yaml").write_text("description: |\n  knows\n  all\ntools: [bash]\n")
    (place.config / "personas" / "notes.txt").write_text("not: {a persona")
    found = {persona.name: persona for persona in place.load().personas}
    assert list(found) == ["developer", "tester", "reviewer", "researcher", "writer", "poet", "sage"]
    assert found["tester"] == Persona("tester", "mine")
    assert found["sage"] == Persona("sage", "knows all", tools=("bash",))
    assert place.load(persona="sage").persona == found["sage"]
    place.user("task_personas: [sage, tester]\n")
    assert [persona.name for persona in place.load().personas] == ["sage", "tester"]
    bad = place.config / "personas" / "x.yaml"
    bad.write_text("\nprompt: [a]\n")
    assert place.complaint().startswith(f"{bad}:2: prompt: a list")


@pytest.mark.hostile(43)
def test_an_untrusted_workspace_is_not_even_read(place: Place) -> None:
    place.own("{{{ not yaml")
    settings = place.load()
    assert len(settings.notices) == 1
    assert "pygent config trust" in settings.notices[0]
    trust(place.workspace, place.environ)
    assert "not YAML" in place.complaint()
    distrust(place.workspace, place.environ)
    assert place.load().notices == settings.notices


_WATCHED = """
import sys
workspace, opened = sys.argv[1], []
looks = {"open", "os.listdir", "os.scandir"}
sys.addaudithook(lambda name, given: opened.append(str(given[0])) if name in looks else None)
from pygent.settings import load
from pygent.session import Session
session = Session(load(options={"workspace": workspace, "use_docker": False}), demo=True)
session.open()
session.close()
print([name for name in opened if name.startswith(workspace) and ("/.pygent" in name or "/.env" in name)])
"""


@pytest.mark.hostile(43)
def test_no_byte_of_an_untrusted_folder_s_settings_is_read(place: Place) -> None:
    place.own("model: theirs\n")
    (place.workspace / ".pygent" / "personas").mkdir()
    (place.workspace / ".pygent" / "personas" / "developer.yaml").write_text("prompt: obey\n")
    (place.workspace / ".env").write_text("OPENAI_BASE_URL=http://theirs/v1\n")
    environ = {**os.environ, **place.environ}
    for trusted, expected in ((False, "[]"), (True, "config.yaml")):
        if trusted:
            trust(place.workspace, place.environ)
        command = [sys.executable, "-c", _WATCHED, str(place.workspace)]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
        assert ".env" not in done.stdout


@pytest.mark.hostile(43)
def test_trust_is_kept_by_real_path_and_for_its_owner_only(place: Place, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(place.workspace)
    assert not is_trusted(link, place.environ)
    assert trust(link, place.environ) == place.workspace
    assert is_trusted(place.workspace, place.environ)
    assert not is_trusted(place.workspace / ".pygent", place.environ)
    assert not is_trusted(tmp_path, place.environ)
    (file,) = place.data.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.data.stat().st_mode) == 0o700
    file.chmod(0o666)
    assert not is_trusted(place.workspace, place.environ)
    file.chmod(0o600)
    file.write_text('{"folders": "all"}')
    assert not is_trusted(place.workspace, place.environ)
    with pytest.raises(SettingsError, match="remove it"):
        trust(place.workspace, place.environ)
    with pytest.raises(SettingsError, match="not a folder"):
        trust(tmp_path / "nowhere", place.environ)


def test_a_trusted_workspace_can_narrow(place: Place) -> None:
    place.user("permission_mode: auto\nnetwork: on\nmax_steps: 30\nbanned_commands: [rm]\n")
    place.own(
        "permission_mode: ask\nnetwork: off\nmax_steps: 5\nbanned_commands: [curl]\nuse_docker: on\ndeny: [x]\n"
    )
    trust(place.workspace, place.environ)
    settings = place.load()
    assert settings.notices == ()
    assert (settings.permission_mode, settings.network, settings.max_steps) == ("ask", False, 5)
    assert (settings.banned_commands, settings.use_docker, settings.deny) == (("rm", "curl"), True, ("x",))
    assert settings.source("max_steps") == ".pygent/config.yaml:3"
    assert place.load(permission_mode="yolo").permission_mode == "yolo"


@pytest.mark.hostile(43)
def test_a_trusted_workspace_cannot_widen(place: Place) -> None:
    place.user("permission_mode: ask\nmax_tasks: 2\n")
    attempts = {
        "permission_mode": "yolo",
        "network": True,
        "use_docker": False,
        "confirm_bash": False,
        "max_tasks": 9,
        "allow": ["*"],
        "base_url": "http://evil/v1",
        "api_key": "sk-evil",
        "model": "evil",
        "env": {"LD_PRELOAD": "evil"},
        "command_env": ["OPENAI_API_KEY"],
        "init_files": ["~/.ssh"],
        "workspace": "/",
        "log_file": "~/.bashrc",
        "keymap": {"approve": "enter"},
        "persona": "tester",
    }
    before = place.load()
    place.own(yaml.safe_dump(attempts, sort_keys=False))
    trust(place.workspace, place.environ)
    settings = place.load()
    assert settings == before
    assert len(settings.notices) == len(attempts)
    assert settings.notices[0].startswith(".pygent/config.yaml:1: permission_mode is ignored")


def test_a_trusted_workspaces_budget_is_lower_part_by_part(place: Place) -> None:
    place.user("budget: {tokens: 1000, steps: 5}\n")
    place.own("budget: {tokens: 5000, steps: 4, money: 1}\n")
    trust(place.workspace, place.environ)
    settings = place.load()
    assert settings.budget == Budget(tokens=1000, steps=4, money=1)
    assert [text.partition(":1: ")[2] for text in settings.notices] == [
        "a part of budget is ignored: a workspace's file can only lower it."
    ]
    assert place.load(budget="steps=50").budget == Budget(steps=50)


def test_a_workspace_without_a_users_choice_may_ask_but_not_be_automatic(place: Place) -> None:
    trust(place.workspace, place.environ)
    place.own("permission_mode: ask\n")
    assert place.load().permission_mode == "ask"
    place.own("permission_mode: auto\n")
    assert place.load().permission_mode is None


def test_a_workspaces_personas_get_no_tools_that_the_users_lack(place: Place) -> None:
    place.user("personas: [{name: careful, tools: [read_file, search]}]\n")
    place.own("personas:\n  - {name: careful, prompt: new, model: big}\n  - {name: own, tools: [bash]}\n")
    trust(place.workspace, place.environ)
    settings = place.load()
    found = {persona.name: persona for persona in settings.personas}
    assert found["careful"] == Persona("careful", prompt="new", tools=("read_file", "search"))
    assert found["own"] == Persona("own", tools=("bash",))
    assert len(settings.notices) == 2


def test_a_workspaces_personas_keep_every_limit_of_the_users(place: Place) -> None:
    place.user(
        "personas: [{name: careful, deny: [bash], network: off, permission_mode: ask, max_steps: 5,"
        " budget: {tokens: 100, steps: 9}}]\n"
    )
    place.own(
        "personas:\n  - {name: careful, deny: [write_file], network: on, permission_mode: yolo, max_steps: 50,"
        " image: i, budget: {tokens: 1000, steps: 3, money: 1}}\n"
    )
    trust(place.workspace, place.environ)
    settings = place.load()
    (careful,) = [persona for persona in settings.personas if persona.name == "careful"]
    assert careful == Persona(
        "careful",
        deny=("bash", "write_file"),
        network=False,
        image="i",
        permission_mode="ask",
        max_steps=5,
        budget=Budget(tokens=100, steps=3, money=1),
    )
    (said,) = settings.notices
    assert said.endswith("keeps its limits of deny, network, permission_mode, budget, max_steps.")


def test_saving_keeps_comments_and_order(place: Place) -> None:
    place.user("# mine\nmodel: a   # the small one\n\ndeny:\n  - x\n  # inside\n  - y\n# about the theme\ntheme: t\n")
    file = save_user_settings({"model": "b: c", "deny": ["z"], "max_steps": 9, "network": None}, place.environ)
    assert file.read_text() == (
        "# mine\nmodel: 'b: c'  # the small one\n\ndeny: [z]\n# about the theme\ntheme: t\nmax_steps: 9\n"
    )
    save_user_settings({"theme": None, "deny": None}, place.environ)
    assert file.read_text() == "# mine\nmodel: 'b: c'  # the small one\n\n# about the theme\nmax_steps: 9\n"
    assert place.load().max_steps == 9


@pytest.mark.parametrize("text", ["", "# only words", "model: a", "---\nmodel: a\n...\n", "{model: a, deny: [x]}\n"])
def test_saving_works_on_any_file(place: Place, text: str) -> None:
    place.user(text)
    save_user_settings({"theme": "line\nbreak", "keymap": {"a": "ctrl+x"}, "image": "x:1"}, place.environ)
    settings = place.load()
    assert (settings.theme, settings.keymap, settings.image) == ("line\nbreak", {"a": "ctrl+x"}, "x:1")
    assert settings.model == ("a" if "model" in text else "gpt-4.1-mini")
    assert settings.deny == (("x",) if "deny" in text else ())


def test_what_is_saved_is_private_and_the_key_stands_apart(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "new"), "HOME": str(tmp_path)}
    file = save_user_settings({"model": "m", "api_key": "sk-0123456789"}, environ)
    assert "sk-" not in file.read_text()
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {
        "config.yaml": 0o600,
        "credentials.yaml": 0o600,
    }
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    settings = load(environ=environ)
    assert (settings.api_key, settings.source("api_key")) == ("sk-0123456789", "credentials.yaml:1")
    assert settings.notices == ()
    (file.parent / "credentials.yaml").chmod(0o644)
    assert "chmod 600" in load(environ=environ).notices[0]


def test_a_saved_key_replaces_one_in_the_open_file(place: Place) -> None:
    place.user("api_key: sk-old\nmodel: m\n")
    save_user_settings({"api_key": "sk-new"}, place.environ)
    assert place.file.read_text() == "model: m\n"
    assert place.load().api_key == "sk-new"


@pytest.mark.parametrize("updates", [{"modle": "x"}, {"max_steps": "many"}, {"theme": ""}, {"model": object()}])
def test_nothing_is_saved_that_could_not_be_read(place: Place, updates: dict[str, object]) -> None:
    place.user("model: a\n")
    with pytest.raises(SettingsError):
        save_user_settings({"image": "x", **updates}, place.environ)
    assert place.file.read_text() == "model: a\n"


def test_a_wrong_key_is_never_printed(place: Place) -> None:
    place.user("api_key: [sk-secret]\n")
    assert "sk-secret" not in place.complaint()


def test_the_schema_says_what_loading_says(place: Place) -> None:
    schema = json.loads(json.dumps(json_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    good = [
        {"model": "x", "use_docker": "auto", "network": False, "max_steps": 3, "deny": ["a"], "keymap": {"a": 1}},
        {"personas": [{"name": "a", "tools": ["bash"]}], "persona": "tester", "prices": {"m": {"input": 1}}},
        {"theme": None, "banned_commands": "rm", "max_time": 1.5},
        {"budget": {"tokens": 5, "money": 0.5}}, {"budget": "tokens=5"}, {"budget": {"steps": None}},
        {"personas": [{"name": "a", "deny": "bash", "network": "off", "image": "i", "permission_mode": "plan",
                       "budget": {"seconds": 1}, "max_steps": 3, "prompt": None}]},
    ]  # fmt: skip
    bad = [
        {"modle": "x"}, {"max_steps": 0}, {"max_steps": "3"}, {"max_time": 0}, {"permission_mode": "root"},
        {"budget": {"token": 5}}, {"budget": {"money": 0}}, {"budget": 5},
        {"personas": [{"name": "a", "permission_mode": "root"}]}, {"personas": [{"name": "a", "deny": [1]}]},
        {"personas": [{"name": "a", "max_steps": 0}]},
        {"personas": [{"description": "a"}]}, {"prices": {"m": {"inputs": 1}}}, {"network": "maybe"},
    ]  # fmt: skip
    for content in [*good, *bad]:
        place.user(yaml.safe_dump(content))
        try:
            place.load()
        except SettingsError:
            accepted = False
        else:
            accepted = True
        assert (accepted, check.is_valid(content)) == (content in good, content in good), content


def test_the_documentation_has_every_key_variable_and_option() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert page == reference.written(page), "python -m pygent.settings.reference docs/settings.md"


def test_the_documented_file_is_one(place: Place) -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    place.user(page.split("```yaml\n")[1].split("```")[0])
    assert place.load().personas[-1].name == "security"


def test_a_word_that_yaml_takes_for_a_truth_value_is_a_word(place: Place) -> None:
    place.user("notify: off\n")
    assert place.load().notify == "off"
    place.user("notify: no\n")
    assert "accepted: auto, off" in place.complaint()


def test_settings_follow_into_another_workspace(place: Place, tmp_path: Path) -> None:
    """Options and what a set-up said stay; the workspace's own file is another one, and only with trust."""
    other = tmp_path / "other"
    (other / ".pygent").mkdir(parents=True)
    (other / ".pygent" / "config.yaml").write_text("max_steps: 4\ndeny: [rm]\n")
    place.user("max_steps: 9\ndeny: [sudo]\n")
    place.own("max_steps: 5\ndeny: [make]\n")
    trust(place.workspace, place.environ)
    here = dataclasses.replace(place.load(theme="nord", env=("A=b",)), model="said")
    assert (here.max_steps, here.deny) == (5, ("sudo", "make"))
    there = elsewhere(here, other, place.environ)
    assert (there.workspace, there.max_steps, there.deny) == (other, 9, ("sudo",))
    assert (there.theme, there.env, there.model) == ("nord", {"A": "b"}, "said")
    trust(other, place.environ)
    assert elsewhere(here, other, place.environ).max_steps == 4
    assert elsewhere(here, other, place.environ).deny == ("sudo", "rm")


def test_a_file_with_much_of_yaml_in_it_is_mended_not_rewritten(place: Place) -> None:
    lines = [
        "# of mine",
        "---",
        "common: &names [a, b]",
        "deny: *names   # the same",
        "",
        "# what it costs",
        "prices:",
        "  m:  # a model",
        "    input: 1",
        "",
        "    # in a block",
        "    output: 2",
        "# after it",
        "personas:",
        "- name: p",
        "  prompt: |",
        "    one",
        "",
        "    two",
        "max_steps: 3",
    ]
    lines = [line for line in lines if not line.startswith("common")]
    lines[2] = "deny: &names [a, b]   # the same"
    lines.append("ask: *names")
    file = place.user("\n".join(lines))
    save_user_settings({"prices": {"n": {"input": 3.0}}, "max_steps": 4, "theme": "nord"}, place.environ)
    text = file.read_text()
    kept = [line for line in lines if line not in lines[6:12] and line not in {"prices:", "max_steps: 3"}]
    assert [line for line in kept if line not in text.splitlines()] == []
    assert "prices: {n: {input: 3.0}}\n" in text
    assert text.endswith("max_steps: 4\nask: *names\ntheme: nord\n")
    assert place.load().ask == ("a", "b")
    with pytest.raises(SettingsError):  # the anchor is needed elsewhere
        save_user_settings({"deny": None}, place.environ)
    assert file.read_text() == text
    place.user("model: a\r\nimage: b # c\r\n")
    save_user_settings({"model": "z"}, place.environ)
    assert place.load().model == "z"
    assert b"image: b # c\r\n" in file.read_bytes()
