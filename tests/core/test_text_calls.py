"""Calls written as text: which text becomes a call, which stays text, and what is shown meanwhile."""

import json

import pytest

from pygent.models.text_calls import HoldBack, extract_tool_calls
from pygent.models.think_tags import ThinkTags


def tool(name, required=("cmd",), **properties):
    parameters = {
        "type": "object",
        "properties": properties or {"cmd": {"type": "string"}},
        "required": list(required),
    }
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters}}


TOOLS = [
    tool("bash", cmd={"type": "string"}, timeout={"type": "integer"}),
    tool("write_file", ("path", "content"), path={"type": "string"}, content={"type": "string"}),
    tool("stop", ()),
]
LS = '{"name": "bash", "arguments": {"cmd": "ls"}}'
XML = """<tool_call>
<function=bash>
<parameter=cmd>
ls
</parameter>
<parameter=timeout>
5
</parameter>
</function>
</tool_call>"""


def found(text):
    calls, rest = extract_tool_calls(text, TOOLS)
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls], rest


BASH_LS = ("bash", {"cmd": "ls"})


@pytest.mark.parametrize(
    ("text", "calls", "rest"),
    [
        (f"```json\n{LS}\n```", [BASH_LS], ""),
        (f"I look first.\n\n```json\n{LS}\n```\nThen more.", [BASH_LS], "I look first.\n\nThen more."),
        (f"```json\n{LS}\n```\n```json\n{LS}\n```", [BASH_LS, BASH_LS], ""),
        (f"```json\n[{LS}, {LS}]\n```", [BASH_LS, BASH_LS], ""),
        (f"```json\n{LS}\n{LS}\n```", [BASH_LS, BASH_LS], ""),
        (f"```\n{LS}\n```", [BASH_LS], ""),
        (f"```json\n{LS}", [BASH_LS], ""),
        ('```json\n{"name": "bash", "arguments": {"cmd": "ls",},}\n```', [BASH_LS], ""),
        ('```json\n{"name": "bash", "arguments": "{\\"cmd\\": \\"ls\\"}"}\n```', [BASH_LS], ""),
        ('```json\n{"name": "bash", "arguments": {"cmd": "ls", "timeout": "5"}}\n```',
         [("bash", {"cmd": "ls", "timeout": 5})], ""),
        ('{"type": "function", "function": {"name": "bash", "parameters": {"cmd": "ls"}}}', [BASH_LS], ""),
        (f"<tool_call>\n{LS}\n</tool_call>", [BASH_LS], ""),
        (f"Now:\n<tool_call>{LS}</tool_call><tool_call>{LS}</tool_call>", [BASH_LS, BASH_LS], "Now:"),
        (f"<tool_call>{LS}", [BASH_LS], ""),
        (f"<tools>\n{LS}\n</tools>", [BASH_LS], ""),
        (f"[TOOL_CALLS][{LS}]", [BASH_LS], ""),
        ("<function=bash><parameter=cmd>\nls\n</parameter></function>", [BASH_LS], ""),
        (XML, [("bash", {"cmd": "ls", "timeout": 5})], ""),
        ("<function=stop></function>", [("stop", {})], ""),
        (f"  {LS}\n", [BASH_LS], ""),
        (f"[{LS}]", [BASH_LS], ""),
        (f"{LS}\n{LS}", [BASH_LS, BASH_LS], ""),
        ('{"name": "stop"}', [("stop", {})], ""),
        ('```json\n{"name": "write_file", "arguments": {"path": "a.md", "content": "```sh\\nls\\n```\\n"}}\n```',
         [("write_file", {"path": "a.md", "content": "```sh\nls\n```\n"})], ""),
    ],
)  # fmt: skip
def test_text_that_is_a_call(text, calls, rest):
    assert found(text) == (calls, rest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello.",
        '{"name": "bash", "arguments": {"cmd": "l',
        '```json\n{"name": "bash", "arguments": {"cm',
        '```json\n{"name": "unknown", "arguments": {}}\n```',
        '```json\n{"name": "bash", "arguments": {}}\n```',
        '```json\n{"name": "bash", "arguments": {"cmd": ["ls"]}}\n```',
        '```json\n{"name": "stop", "version": "1.0"}\n```',
        f"```python\n{LS}\n```",
        f"It is written {LS} in JSON.",
        f"{LS} is what I would send.",
        '[{"name": "stop"}, 1]',
        "<function=bash><parameter=cmd>ls",
        "<function=bash><parameter=other>ls</parameter></function>",
        "<tool_call>ls</tool_call>",
        "[1, 2]",
        "{" * 5000,
    ],
)
def test_text_that_stays_text(text):
    assert found(text) == ([], text)


def test_without_tools_nothing_is_a_call():
    assert extract_tool_calls(LS, None) == ([], LS)


def test_each_call_has_an_id_of_its_own():
    calls, _ = extract_tool_calls(f"{LS}\n{LS}", TOOLS)
    assert len({call.id for call in calls}) == 2


def pieces(text, size):
    return [text[start : start + size] for start in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"```json\n{LS}\n```", ""),
        (f"<tool_call>\n{LS}\n</tool_call>", ""),
        (f"{LS}", ""),
        (f"I look.\n\n```json\n{LS}\n```\nDone.", "I look.\n\n\nDone."),
        ("<function=bash>\n<parameter=cmd>\nls\n</parameter>\n</function>", ""),
        ("Plain text, a < b, `code`, [link](x).", None),
        ("```python\nprint({})\n```\nThat was it.", None),
        ('```json\n{"other": 1}\n```\n', None),
        ('{"answer": 42}', None),
        ('{"name": "someone", "age": 3}', None),
        ('Cut: ```\n{"name": "ba', None),
        ("  - a list\n  - of two\n", None),
        ("<div>\n<tool>x</tool>\n", None),
        (LS[:-3], None),
    ],
)
def test_what_is_shown_while_it_comes(text, shown, size):
    hold = HoldBack(TOOLS)
    out = "".join(hold.feed(piece) for piece in pieces(text, size)) + hold.finish()
    assert out == (text if shown is None else shown)


def test_prose_is_shown_at_once():
    hold = HoldBack(TOOLS)
    assert [hold.feed(word) for word in ("Hello ", "there, ", "you.\n")] == ["Hello ", "there, ", "you.\n"]


def test_json_that_is_no_call_is_not_held_for_long():
    hold = HoldBack(TOOLS)
    assert hold.feed('{"ans') == '{"ans'


def test_all_is_shown_where_the_calls_came_in_their_own_place():
    hold = HoldBack(TOOLS)
    assert hold.feed(LS) + hold.finish(keep=True) == LS


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>\nhm</think>\n\nYes.", ("Yes.", "\nhm")),
        ("  <thinking>hm</thinking>Yes.", ("Yes.", "hm")),
        ("<think>never ends", ("", "never ends")),
        ("No <think>tag</think> here.", ("No <think>tag</think> here.", "")),
        ("<thin", ("<thin", "")),
        ("<think>a </b> c</think>d", ("d", "a </b> c")),
        ("<think></think>", ("", "")),
    ],
)
def test_reasoning_in_tags(text, expected, size):
    tags = ThinkTags()
    parts = [tags.feed(piece) for piece in pieces(text, size)] + [tags.finish()]
    assert ("".join(text for text, _ in parts), "".join(reasoning for _, reasoning in parts)) == expected


BARE_TOOLS: list[dict[str, object]] = [
    {"type": "function", "function": {"name": name, "parameters": schema}}
    for name, schema in (
        ("stop", {"type": "object", "properties": {}}),
        ("bash", {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}),
    )
]


@pytest.mark.parametrize("text", ["<stop>", " <stop/>\n", "<stop></stop>", "stop()", "`stop()`"])
def test_a_reply_that_is_just_the_name_of_a_tool_without_arguments_is_a_call(text: str) -> None:
    calls, rest = extract_tool_calls(text, BARE_TOOLS)
    assert [(call.function.name, call.function.arguments) for call in calls] == [("stop", "{}")]
    assert rest == ""


@pytest.mark.parametrize("text", ["stop it", "Stop.", "stop", "bash", "<bash>", "stopp()"])
def test_a_word_is_no_call(text: str) -> None:
    assert extract_tool_calls(text, BARE_TOOLS) == ([], text)


def test_python_s_triple_quotes_are_read_as_the_text_they_hold() -> None:
    text = '```json\n{"name": "bash", "arguments": {"cmd": """\necho "a"\necho b\n"""}}\n```'
    calls, _ = extract_tool_calls(text, BARE_TOOLS)
    assert json.loads(calls[0].function.arguments) == {"cmd": 'echo "a"\necho b\n'}


def test_calls_as_elements_with_attributes_are_read_and_their_made_up_results_dropped() -> None:
    text = (
        '<tools>\n  <function name="bash" arguments=\'{"cmd": "echo \'a b\'"}\'>\n    <result>\n    {"ok": true}\n'
        "    </result>\n  </function>\n  <function name='stop' arguments='{}'/>\n</tools>"
    )
    calls, _ = extract_tool_calls(text, BARE_TOOLS)
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("bash", {"cmd": "echo 'a b'"}),
        ("stop", {}),
    ]


def test_a_result_that_the_model_made_up_behind_its_call_is_dropped() -> None:
    text = '{"name": "bash", "arguments": {"cmd": "ls"}}\n<tool_response>\nfile.py\n</tool_response>'
    calls, rest = extract_tool_calls(text, BARE_TOOLS)
    assert [call.function.arguments for call in calls] == ['{"cmd": "ls"}']
    assert rest == ""


@pytest.mark.parametrize("wrapped", ["{}", "```json\n{}\n```", "<tool_call>\n{}\n</tool_call>", "{}\n"])
def test_a_call_in_double_braces_is_one(wrapped: str) -> None:
    text = wrapped.replace("{}", '{{"name": "bash", "arguments": {"cmd": "ls"}}}')
    calls, rest = extract_tool_calls(text, BARE_TOOLS)
    assert [(call.function.name, call.function.arguments) for call in calls] == [("bash", '{"cmd": "ls"}')]
    assert rest == ""
