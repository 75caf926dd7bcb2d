"""What a model on a server needs of requests: as a value, as a setting."""

import pytest

from pygent.compat import Compat, matching
from pygent.settings import load
from pygent.settings.own_file import typed_value, value_text


def test_it_is_read_and_written_as_a_mapping():
    given = {"tools": "text", "stream_options": False, "parallel_tool_calls": True, "system": "user"}
    made = Compat.from_mapping(given)
    assert (made.tools, made.stream_options, made.parallel_tool_calls, made.system) == ("text", False, True, "user")
    assert made.to_mapping() == given
    assert Compat().to_mapping() == {}
    assert Compat.from_mapping({}) == Compat()


def test_a_later_mapping_wins_key_by_key():
    first = Compat.from_mapping({"tools": "text", "images": False, "parallel_tool_calls": False})
    assert first.merged({"tools": "native", "parallel_tool_calls": "auto"}).to_mapping() == {"images": False}
    assert first.merged(Compat(temperature=False)).to_mapping() == {**first.to_mapping(), "temperature": False}
    assert Compat().differing(first) == {"tools": "native", "images": True, "parallel_tool_calls": "auto"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tool": "text"}, "there is no 'tool'; accepted: tools, stream"),
        ({"tools": "json"}, "tools: 'json' cannot be used; accepted: native, text, blocks"),
        ({"stream": "yes"}, "stream: 'yes' cannot be used; accepted: true, false"),
        ({"stream": 1}, "stream: 1 cannot be used"),
        ({"parallel_tool_calls": "on"}, "accepted: true, false, auto"),
        ({"system": None}, "accepted: system, developer, user"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_can(given, words):
    with pytest.raises(ValueError, match=words):
        Compat.from_mapping(given)


def test_patterns_of_names_are_joined_in_their_order():
    patterns = {
        "*": {"temperature": False},
        "qwen*:7b": {"tools": "text", "temperature": True},
        "org/m[12]": {"images": False},
    }
    assert matching(patterns, "qwen2.5-coder:7b") == {"temperature": True, "tools": "text"}
    assert matching(patterns, "org/m2") == {"temperature": False, "images": False}
    assert matching(patterns, "org/m3") == {"temperature": False}


def settings_from(text, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    return load(config_file=tmp_path / "c.yaml", environ={"XDG_CONFIG_HOME": str(tmp_path / "none")})


def test_the_setting(tmp_path):
    text = "compat:\n  qwen*: {tools: text, stream: no}\n  o1: {max_tokens: none, parallel_tool_calls: auto}\n"
    expected = {
        "qwen*": {"tools": "text", "stream": False},
        "o1": {"max_tokens": "none", "parallel_tool_calls": "auto"},
    }
    assert settings_from(text, tmp_path).compat == expected
    assert typed_value("compat", value_text("compat", expected)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("compat: fast", r"c.yaml:1: compat: 'fast' .* accepted: a mapping of patterns"),
        ("compat:\n  m: true", r"c.yaml:2: compat: m: 'true' .* accepted: a mapping of tools, stream"),
        ("compat:\n  m:\n    tolls: text", r"c.yaml:3: compat: m: there is no 'tolls'; did you mean 'tools'\?"),
        ("compat:\n  m:\n    tools: xml", r"c.yaml:3: compat: m: tools: 'xml' .* accepted: native, text, blocks"),
        ("compat:\n  m: {images: [1]}", r"compat: m: images: a list cannot be used; accepted: true, false"),
    ],
)
def test_a_mistake_in_the_setting_is_told_with_its_line(tmp_path, text, words):
    from pygent.errors import SettingsError

    with pytest.raises(SettingsError, match=words):
        settings_from(text, tmp_path)
