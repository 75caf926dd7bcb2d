"""Named model servers in the settings: what is read, what is refused with its place, whose key goes where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest

from pygent.__main__ import main
from pygent.compat import matching
from pygent.errors import SettingsError
from pygent.settings import Settings, command_environment, load, trust
from pygent.settings.provider import ModelEntry, compat_of, key_of, profiles_of, server_of
from pygent.settings.secrets import secrets_of
from tests.core.test_settings_files import Place, place

__all__ = ["place"]

KEY = "sk-0123456789abcdefghij"
FILE = """\
model: local/qwen
base_url: http://127.0.0.1:1/v1
api_key: the-other-servers-key
context_window: 1000
providers:
  local:
    base_url: http://127.0.0.1:2/v1
    context_window: 4096
    models: [qwen, llama]
  router:
    base_url: https://router.example.org/api/v1
    key_variable: ROUTER_KEY
    headers: {X-Title: Pygent, Authorization-Extra: Bearer hidden-in-a-header}
    proxy: http://me:hidden-in-a-proxy@proxy.example.org:8080
    certificates: ca.pem
    first_token_timeout: 60
    token_timeout: 20.5
    prices: {"vendor/cheap": {input: 1, output: 2}}
    compat: {"vendor/*": {tools: text}}
    models:
      vendor/big:
        context_window: 200000
        prices: {input: 3, output: 15, cached_input: 0.3}
        compat: {stream_options: false}
        profile: small
      vendor/cheap:
"""


class Entries(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("it is locked")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture
def entries() -> Iterator[Entries]:
    before, mine = keyring.get_keyring(), Entries()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_a_model_with_a_providers_prefix_is_that_providers(place: Place) -> None:
    place.user(FILE)
    settings = place.load()
    here = server_of(settings)
    assert (here.provider, here.model, here.base_url) == ("local", "qwen", "http://127.0.0.1:2/v1")
    assert (here.context_window, here.prices, here.headers) == (4096, {}, {})
    there = server_of(settings, "router/vendor/big")
    assert (there.provider, there.model, there.name) == ("router", "vendor/big", "router/vendor/big")
    assert there.context_window == 200_000
    assert profiles_of(settings, "router") == {"vendor/big": "small"}
    assert there.prices == {
        "vendor/cheap": {"input": 1, "output": 2},
        "vendor/big": {"input": 3, "output": 15, "cached_input": 0.3},
    }
    assert (there.first_token_timeout, there.token_timeout) == (60, 20.5)
    assert there.certificates == place.config / "ca.pem"
    assert settings.providers["router"].models["vendor/cheap"] == ModelEntry()
    assert settings.source("providers.router") == "config.yaml:10"


def test_a_name_without_a_known_prefix_is_of_the_server_of_the_base_url(place: Place) -> None:
    place.user(FILE)
    settings = place.load()
    for name in ("qwen", "vendor/big", "locals/qwen", "local", "local/"):
        found = server_of(settings, name)
        assert (found.provider, found.model, found.base_url) == ("", name, "http://127.0.0.1:1/v1")
        assert found.context_window == 1000


@pytest.mark.parametrize("how", ["PYGENT_MODEL", "--model"])
def test_variable_and_option_name_a_providers_model(place: Place, how: str) -> None:
    place.user(FILE)
    if how == "PYGENT_MODEL":
        place.environ[how] = "router/vendor/big"
        settings = place.load()
    else:
        settings = place.load(model="router/vendor/big")
    assert server_of(settings).base_url == "https://router.example.org/api/v1"
    assert settings.source("model") == how


def test_what_models_need_is_said_for_the_provider_the_model_or_from_outside(place: Place) -> None:
    place.user(
        FILE + 'compat: {"*": {images: false}, "router/vendor/*": {stream: false}, "router/x": {tools: blocks}}\n'
    )
    settings = place.load()
    assert compat_of(settings, "") == settings.compat
    assert compat_of(settings, "local") == {}
    needs = compat_of(settings, "router")
    assert matching(needs, "vendor/big") == {"tools": "text", "stream_options": False, "stream": False}
    assert matching(needs, "x") == {"tools": "blocks"}
    assert matching(needs, "y") == {}


def test_each_server_has_its_own_key(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.user(FILE)
    settings = place.load()
    environ = {"ROUTER_KEY": KEY}
    assert [key_of(settings, name, environ) for name in ("", "local", "router")] == [
        "the-other-servers-key",
        None,
        KEY,
    ]
    with pytest.raises(SettingsError, match="the key of router is not set: the variable ROUTER_KEY is empty"):
        key_of(settings, "router", {"OPENAI_API_KEY": KEY})


def test_a_key_can_be_in_the_systems_keyring(place: Place, entries: Entries) -> None:
    place.user(
        "providers:\n  a: {base_url: http://a, keyring: mine}\n  b: {base_url: http://b, keyring: other/you}\n"
    )
    settings = place.load()
    with pytest.raises(SettingsError, match="no key of a; keep it there with: keyring set pygent mine"):
        key_of(settings, "a")
    entries.entries = {("pygent", "mine"): "key-of-a", ("other", "you"): "key-of-b"}
    assert (key_of(settings, "a"), key_of(settings, "b")) == ("key-of-a", "key-of-b")
    entries.locked = True
    with pytest.raises(SettingsError, match="cannot be read from the system's keyring: it is locked"):
        key_of(settings, "a")


def test_the_variable_comes_before_the_keyring(place: Place, entries: Entries) -> None:
    place.user("providers: {a: {base_url: http://a, key_variable: A_KEY, keyring: a}}\n")
    entries.entries = {("pygent", "a"): "from-the-keyring"}
    assert key_of(place.load(), "a", {}) == "from-the-keyring"
    assert key_of(place.load(), "a", {"A_KEY": "from-the-variable"}) == "from-the-variable"


def test_a_keyring_that_is_not_installed_is_told_with_the_way_out(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['keyring'] = None\n"
        "from pygent.settings.provider import Provider\n"
        "try: Provider(base_url='http://a', keyring='a').key('a')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("SettingsError")
    assert "pip install 'pygent[keyring]', or name a variable with key_variable" in done.stdout


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("providers: [a]", 1, "a list cannot be used; accepted: a mapping of names to {base_url"),
        ("providers:\n  a:\n    key_variable: A", 2, "providers: a: a provider needs a base_url"),
        ("providers:\n  a:\n    base_url: b", 3, "a.base_url: 'b' cannot be used; accepted: a URL that starts with"),
        (
            "providers:\n  a:\n    base_url: http://a\n    bse_url: x",
            4,
            "unknown key 'bse_url' of a provider; did you",
        ),
        ("providers:\n  a:\n    base_url: http://a\n    api_key: x", 4, "name its variable with key_variable"),
        ("providers:\n  a/b:\n    base_url: http://a", 2, "'a/b': a provider's name has letters"),
        ("providers:\n  a:\n    base_url: http://a\n    token_timeout: 0", 4, "a number of seconds greater than 0"),
        (
            "providers:\n  a:\n    base_url: http://a\n    models:\n      m: {context_window: 5}",
            5,
            "a.models.m.context_window: '5' (a whole number) cannot be used; accepted: a whole number from 256",
        ),
        ("providers:\n  a:\n    base_url: http://a\n    models: {m: {prices: {in: 1}}}", 4, "input, output"),
        (
            "providers:\n  a:\n    base_url: http://a\n    compat: {m: {tools: no}}",
            4,
            "accepted: native, text, blocks",
        ),
        ("providers:\n  a:\n    base_url: http://a\n    models: {m: {compat: {tool: 1}}}", 4, "did you mean 'tools'"),
        (
            "providers:\n  a:\n    base_url: http://a\n    models: {m: {profile: tiny}}",
            4,
            "accepted: auto, full, small",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(place: Place, text: str, line: int, part: str) -> None:
    place.user(text)
    complaint = place.complaint()
    assert f"config.yaml:{line}: providers: " in complaint
    assert part in complaint


def test_a_key_in_the_place_of_a_variables_name_is_not_repeated(place: Place) -> None:
    place.user(f"providers:\n  a:\n    base_url: http://a\n    key_variable: {KEY}\n")
    assert "a.key_variable: this is no name of a variable" in place.complaint()
    assert KEY not in place.complaint()


def test_a_workspaces_own_file_cannot_say_which_server_is_asked(place: Place) -> None:
    place.user(FILE)
    trust(place.workspace, place.environ)
    place.own("providers:\n  local: {base_url: http://evil.example.org/v1}\nmodel: local/other\n")
    settings = place.load()
    assert server_of(settings).base_url == "http://127.0.0.1:2/v1"
    assert settings.model == "local/qwen"
    assert [notice for notice in settings.notices if "providers is ignored" in notice]


def test_nothing_secret_is_shown(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.user(FILE)
    for name, value in {**place.environ, "ROUTER_KEY": KEY}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(place.workspace)
    for argv in (["config", "show"], ["config", "show", "--json"]):
        assert main(argv) == 0
        out = capsys.readouterr().out
        assert "router.example.org" in out
        assert "ROUTER_KEY" in out
        assert [word for word in (KEY, "hidden-in-a-header", "hidden-in-a-proxy") if word in out] == []
    settings = load(workspace=place.workspace)
    assert {KEY, "hidden-in-a-header", "hidden-in-a-proxy"} < set(secrets_of(settings))
    assert "Pygent" not in secrets_of(settings), "a header that is no secret can be spoken of"
    assert [word for word in (KEY, "hidden") if word in repr(settings)] == []


def test_commands_do_not_get_the_keys_of_providers(place: Place) -> None:
    place.user(FILE)
    settings = place.load(env=[f"ROUTER_KEY={KEY}", "OTHER=1"])
    assert "ROUTER_KEY" not in command_environment(settings, {"ROUTER_KEY": KEY})
    assert command_environment(settings, {})["OTHER"] == "1"


@pytest.mark.parametrize(
    "broken", ["providers:\n  local: {base_url: 5}\n", "provider: {}\n", "providers:\n  local: {base_url: http://a\n"]
)
def test_a_model_of_a_provider_that_cannot_be_read_is_asked_of_nobody(place: Place, broken: str) -> None:
    place.environ |= {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    place.user(broken)
    settings = load(workspace=place.workspace, environ=place.environ, options={"model": "local/qwen"}, forgiving=True)
    assert (settings.api_key, settings.base_url) == (None, None)
    assert any("none is asked until you choose one" in notice for notice in settings.notices)
    settings = load(workspace=place.workspace, environ=place.environ, options={"model": "qwen"}, forgiving=True)
    assert settings.base_url == "http://127.0.0.1:1/v1"


def test_later_files_join_providers_by_name(place: Place, tmp_path: Path) -> None:
    place.user("providers: {a: {base_url: http://a}, b: {base_url: http://b}}\n")
    (named := tmp_path / "named.yaml").write_text(
        "providers: {b: {base_url: http://other}, c: {base_url: http://c}}\n"
    )
    settings = load(workspace=place.workspace, environ=place.environ, config_file=named)
    assert {name: one.base_url for name, one in settings.providers.items()} == {
        "a": "http://a", "b": "http://other", "c": "http://c",
    }  # fmt: skip


def test_the_schema_knows_providers() -> None:
    import jsonschema
    import yaml

    from pygent.settings.json_schema import json_schema

    check = jsonschema.Draft202012Validator(json.loads(json.dumps(json_schema())))
    good: Any = yaml.safe_load(FILE)
    assert check.is_valid(good)
    for bad in ({"a": {}}, {"a/b": {"base_url": "http://a"}}, {"a": {"base_url": "http://a", "x": 1}}):
        assert not check.is_valid({"providers": bad})
    assert Settings().providers == {}
