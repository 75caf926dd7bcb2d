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


@pytest.mark.hostile(64)
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


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("{'cmd': 'it is', 'force': True, 'timeout': None}", {"cmd": "it is", "force": True}),
        ("{cmd: 'ls', force: false}", {"cmd": "ls", "force": False}),
        ('{"cmd": `echo "a"\necho b`}', {"cmd": 'echo "a"\necho b'}),
        ("{'cmd': '''\necho 'a'\n'''}", {"cmd": "echo 'a'\n"}),
        (r"""{"cmd": "grep \d \'a\' \$x"}""", {"cmd": r"grep \d 'a' \$x"}),
        ("{'cmd': 'a\\nb\\u00e9\\x41'}", {"cmd": "a\nbéA"}),
        ("""{"cmd": 'say "True, None: x"', "paths": ['a',]}""", {"cmd": 'say "True, None: x"', "paths": ["a"]}),
    ],
)
def test_python_s_and_javascript_s_ways_of_writing_it_are_read(raw, expected):
    assert repair(raw, BASH) == expected


FILE = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("path", "old", "new", "content", "note")},
    "required": ["path", "old", "new"],
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"command": "ls"}, {"cmd": "ls"}),
        ({"shellCommand": "ls"}, {"cmd": "ls"}),
        ({"cmd": "ls", "command": "rm"}, {"cmd": "ls", "command": "rm"}),
    ],
)
def test_a_required_argument_is_found_under_its_usual_other_names(given, expected):
    assert repair(given, BASH) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"file": "a", "search": "b", "replace": "c"}, {"path": "a", "old": "b", "new": "c"}),
        ({"filePath": "a", "old_string": "b", "new_string": "c"}, {"path": "a", "old": "b", "new": "c"}),
        ({"path": "a", "old_str": "b", "new": "c", "why": "d"}, {"path": "a", "old": "b", "new": "c", "why": "d"}),
    ],
)
def test_each_of_several_foreign_names_finds_its_own(given, expected):
    assert repair(given, FILE) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"file": "a", "filename": "b", "old": "c", "new": "d"},
        {"what": "a", "old": "b", "new": "c"},
        {"content_path_of": "a", "old": "b", "new": "c"},
    ],
)
def test_a_foreign_name_that_may_mean_anything_is_left_alone(given):
    with pytest.raises(ValueError, match="'path' is required"):
        repair(given, FILE)
