"""Arguments of tool calls: what is accepted, what is mended, what is refused and in which words."""

import pytest

from pygent.models.arguments import repair, validate

BASH = {
    "type": "object",
    "properties": {
        "cmd": {"type": "string"},
        "timeout": {"type": "integer", "minimum": 1},
        "paths": {"type": "array", "items": {"type": "string"}},
        "force": {"type": "boolean"},
        "mode": {"enum": ["a", "b"]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["cmd"],
}
NOTHING = {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('{"cmd": "ls"}', {"cmd": "ls"}),
        ({"cmd": "ls"}, {"cmd": "ls"}),
        ('{"cmd": "ls",}', {"cmd": "ls"}),
        ('{"cmd": "echo a,}", "paths": ["x", ], }', {"cmd": "echo a,}", "paths": ["x"]}),
        ('{"cmd": "a\nb\tc"}', {"cmd": "a\nb\tc"}),
        (r'"{\"cmd\": \"ls\"}"', {"cmd": "ls"}),
        ('{"cmd": "ls", "paths": "[\\"a\\", \\"b\\"]"}', {"cmd": "ls", "paths": ["a", "b"]}),
        ('{"cmd": "ls", "timeout": "5"}', {"cmd": "ls", "timeout": 5}),
        ('{"cmd": "ls", "force": "True"}', {"cmd": "ls", "force": True}),
        ('{"cmd": "ls", "timeout": null}', {"cmd": "ls"}),
        ('{"cmd": "ls", "note": null}', {"cmd": "ls", "note": None}),
        ('{"cmd": 5}', {"cmd": "5"}),
        ('{"cmd": "\\ud83d!"}', {"cmd": "\ufffd!"}),
        ('{"cmd": "\\ud83d\\ude00"}', {"cmd": "😀"}),
    ],
)
def test_what_models_send_is_read(raw, expected):
    assert repair(raw, BASH) == expected


@pytest.mark.parametrize("raw", ["", "  ", "null", None, "{}", '""'])
def test_nothing_means_no_arguments(raw):
    assert repair(raw, NOTHING) == {}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("", "'cmd' is required"),
        ('{"cmd": "l', "not valid JSON"),
        ("[1]", "must be a JSON object, not an array"),
        ('{"cmd": ["ls"]}', "'cmd' must be a string, not an array"),
        ('{"cmd": "ls", "timeout": "soon"}', "'timeout' must be an integer, not a string"),
        ('{"cmd": "ls", "timeout": 0}', "'timeout' must be at least 1"),
        ('{"cmd": "ls", "timeout": NaN}', "NaN is not a JSON value"),
        ('{"cmd": "ls", "mode": "c"}', 'must be one of ["a", "b"]'),
        ('{"cmd": "ls", "paths": [1, {}]}', "'paths[1]' must be a string, not an object"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_what_cannot_be_mended_is_refused_in_words(raw, words):
    with pytest.raises(ValueError) as caught:
        repair(raw, BASH)
    assert words in str(caught.value)


def test_extra_arguments_are_refused_only_where_the_schema_says_so():
    assert validate({"cmd": "ls", "why": "x"}, BASH) == []
    assert validate({"cmd": "ls", "why": "x"}, {**BASH, "additionalProperties": False}) == [
        "'why' is not a parameter; there are: cmd, timeout, paths, force, mode, note"
    ]


def test_a_whole_float_is_an_integer_and_a_truth_value_is_none():
    assert validate(5.0, {"type": "integer"}) == []
    assert validate(True, {"type": "integer"}) != []
    assert validate(True, {"type": "number"}) != []
