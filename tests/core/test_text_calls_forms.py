"""The forms in which models write calls into their text, and what only looks like one; the same however it is cut."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygent.models.text_calls import HoldBack, extract_tool_calls, why_no_call

STRING = {"type": "string"}


def tool(name, properties, required):
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters}}


TOOLS = [
    tool("bash", {"cmd": STRING, "timeout": {"type": "number"}}, ["cmd"]),
    tool("write_file", {"path": STRING, "content": STRING}, ["path", "content"]),
    tool("search", {"pattern": STRING, "path": STRING, "deep": {"type": "boolean"}}, ["pattern"]),
    tool("stop", {}, []),
]
LS = '{"name": "bash", "arguments": {"cmd": "ls"}}'
CALL = ("bash", {"cmd": "ls"})
CODE = 'print("it\'s <b> & {x}")\nif a:\n    """doc"""\n'
WRITE = ("write_file", {"path": "a.py", "content": CODE})


def found(text):
    calls, rest = extract_tool_calls(text, TOOLS)
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls], rest


def fenced(inside, info="json"):
    return f"```{info}\n{inside}\n```"


KIMI = '<|tool_call_begin|>functions.bash:0<|tool_call_argument_begin|>{"cmd": "ls"}<|tool_call_end|>'
DEEPSEEK = 'function<｜tool▁sep｜>bash\n```json\n{"cmd": "ls"}\n```'
INVOKE = '<invoke name="bash">\n<parameter name="cmd">ls</parameter>\n</invoke>'
DSML = INVOKE.replace("</", "</｜DSML｜").replace("<i", "<｜DSML｜i").replace("<p", "<｜DSML｜p")
GLM = "<tool_call>bash<arg_key>cmd</arg_key><arg_value>ls</arg_value></tool_call>"
SCHEMA = '{"type": "object", "properties": {}}'

QWEN_CODER = {
    "a name and its end in tags of the tools": "<tools><function><name>stop</name></function></tools>",
    "name and arguments as elements": (
        "<tools>\n<function>\n<name>stop</name>\n<arguments>{}</arguments>\n</function>\n</tools>"
    ),
    "json in <function>": '<function>\n{"name": "stop", "arguments": {}}\n</function>',
    "tools closed as tool": '<tools> {"name": "stop", "arguments": {}} </tool',
    "no tag at its end": '<function-call> {"name": "stop", "arguments": {}}',
    "the function key holds the name": fenced('{"function": "stop", "arguments": {}}'),
    "arguments beside the name": fenced('{"name": "stop"}'),
    "a bare line after words": 'I am done.\n{"name": "stop", "arguments": {}}',
    "a bare call at the end": "All is done.\n\nstop()",
    "tags around a fence": '<tool_call>\n```json\n{"name": "stop", "arguments": {}}\n```\n</tool_call>',
    "a fence around tags": fenced('<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>', "xml"),
    "one bracket too many": fenced('{"name": "stop", "arguments": {}}}'),
    "one bracket too few": fenced('{"name": "stop", "arguments": {}'),
    "the name as the key": fenced('{"stop": {}}'),
}


@pytest.mark.parametrize("form", QWEN_CODER)
def test_what_small_coders_write(form):
    calls, rest = found(QWEN_CODER[form])
    assert calls == [("stop", {})]
    assert "stop" not in rest


@pytest.mark.parametrize(
    "text",
    [
        # JSON, and what is near it
        fenced('{"function": "bash", "arguments": {"cmd": "ls"}}'),
        fenced('{"tool": "bash", "cmd": "ls"}'),
        fenced('{"bash": {"cmd": "ls"}}'),
        fenced('{"action": "bash", "action_input": {"cmd": "ls"}}'),
        fenced('{"thought": "I look", "action": "bash", "action_input": {"cmd": "ls"}}'),
        fenced('{"tool_calls": [{"function": {"name": "bash", "arguments": "{\\"cmd\\": \\"ls\\"}"}}]}'),
        fenced('{"name": "bash", "arguments": {"command": "ls"}}'),
        fenced('{"name": "functions.bash", "arguments": {"cmd": "ls"}}'),
        fenced("{'name': 'bash', 'arguments': {'cmd': 'ls', 'timeout': None}}"),
        fenced("{name: 'bash', arguments: {cmd: `ls`}}"),
        fenced('{"name": "bash", "arguments": {"cmd": "ls"}', "tool_call"),
        fenced('{"name": "bash", "arguments": {"cmd": "ls"}}}'),
        fenced('{"cmd": "ls"}', "bash"),
        "~~~json\n" + LS + "\n~~~",
        "Here:\n" + LS + "\n",
        f"<tool_call>\n{LS}\n</tools>",
        f"<tool_call>\n{LS}\n<tool_call>".removesuffix("<tool_call>"),
        f"<function_call>{LS}</function_call>",
        f"<functioncall>{LS}</functioncall>",
        f"<longcat_tool_call>{LS}</longcat_tool_call>",
        f"[TOOL_REQUEST]{LS}[END_TOOL_REQUEST]",
        f"[tool_call]{LS}[/tool_call]",
        "<tool_call>{'name': 'bash', 'arguments': {'cmd': 'ls'}}</tool_call>",
        # special tokens
        f"<|tool_call|>[{LS}]<|/tool_call|>",
        f"<|tool_call|>{LS}",
        f"[TOOL_CALLS] [{LS}]",
        '[TOOL_CALLS]bash[ARGS]{"cmd": "ls"}',
        '[TOOL_CALLS]bash[CALL_ID]a1[ARGS]{"cmd": "ls"}',
        '[TOOL_CALLS]bash{"cmd": "ls"}',
        f"functools[{LS}]",
        '<|python_tag|>{"name": "bash", "parameters": {"cmd": "ls"}}',
        '<|python_tag|>bash.call(cmd="ls")',
        f"<|tool_calls_section_begin|>{KIMI}<|tool_calls_section_end|>",
        f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{DEEPSEEK}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>bash<｜tool▁sep｜>{"cmd": "ls"}<｜tool▁call▁end｜>',
        '<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"cmd": "ls"}<|call|>',
        '<|tool_call_start|>[bash(cmd="ls")]<|tool_call_end|>',
        # elements
        "<tool_call>bash\n<arg_key>cmd</arg_key>\n<arg_value>ls</arg_value>\n</tool_call>",
        "<tool_call>bash<tool_sep>\n<arg_key>cmd</arg_key>\n<arg_value>ls</arg_value>\n</tool_call>",
        '<tool_call>bash\n{"cmd": "ls"}\n</tool_call>',
        '<tool_call>\n<function=bash>\n{"cmd": "ls"}\n</function>\n</tool_call>',
        '<function=bash>{"cmd": "ls"}</function>',
        f"<function_calls>\n{INVOKE}\n</function_calls>",
        f"<minimax:tool_call>\n{INVOKE}\n</minimax:tool_call>",
        f"<｜DSML｜tool_calls>\n{DSML}\n</｜DSML｜tool_calls>",
        "<tool_use><name>bash</name><parameters><cmd>ls</cmd></parameters></tool_use>",
        '<tool_call><name>bash</name><arguments>{"cmd": "ls"}</arguments></tool_call>',
        "<tool><name>bash</name><arg_key>cmd</arg_key><arg_value>ls</arg_value></tool>",
        "<bash><cmd>ls</cmd></bash>",
        "<bash>\n<command>ls</command>\n</bash>".replace("command", "cmd"),
        '<bash>{"cmd": "ls"}</bash>',
        "<bash>\nls\n</bash>",
        # as Python and ReAct write it
        fenced('bash(cmd="ls")', "python"),
        fenced('bash({"cmd": "ls"})', "python"),
        fenced('print(bash(cmd="ls"))', "tool_code"),
        fenced('bash("ls")', "tool_code"),
        '[bash(cmd="ls")]',
        'bash(cmd="ls")',
        '`bash(cmd="ls")`',
        'functions.bash({"cmd": "ls"})',
        '<tool_call>bash(cmd="ls")</tool_call>',
        'Action: bash\nAction Input: {"cmd": "ls"}',
        'Action: bash\nAction Input: {"cmd": "ls"}\nObservation: a b c\nThought: good',
        "Action: bash\nAction Input: ls\n",
        'Action:\n```json\n{"tool_name": "bash", "parameters": {"cmd": "ls"}}\n```',
        '**Action:** bash\n**Action Input:**\n```json\n{"cmd": "ls"}\n```',
    ],
)
def test_one_call_in_each_form(text):
    calls, rest = found(text)
    assert calls == [CALL]
    assert "bash" not in rest
    assert found(f"First I look.\n\n{text}")[0] == [CALL]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (f"<tool_call>{LS}</tool_call>\n<tool_call>{LS}</tool_call>", [CALL] * 2),
        (f"<tool_call>\n{LS}\n<tool_call>\n{LS}\n</tool_call>", [CALL] * 2),
        (fenced("stop()\n" + 'bash(cmd="ls")', "tool_code"), [("stop", {}), CALL]),
        ('[bash(cmd="ls"), search(pattern="x", deep=True)]', [CALL, ("search", {"pattern": "x", "deep": True})]),
        (f"<tool_calls>{GLM * 3}</tool_calls>", [CALL] * 3),
        (f"<|tool_calls_section_begin|>{KIMI * 3}<|tool_calls_section_end|>", [CALL] * 3),
        (f"Step 1:\n{fenced(LS)}\nStep 2:\n{fenced(LS)}\n", [CALL] * 2),
        ("<tools>\n" + '<function name="bash" arguments=\'{"cmd": "ls"}\'/>\n' * 7 + "</tools>", [CALL] * 7),
        (f"{LS}\n\n{LS}", [CALL] * 2),
    ],
)
def test_several_calls(text, calls):
    assert found(text)[0] == calls


JSON = json.dumps({"name": "write_file", "arguments": WRITE[1]})


GLM_WRITE = (
    "<tool_call>write_file<arg_key>path</arg_key><arg_value>a.py</arg_value><arg_key>content</arg_key>"
    f"<arg_value>\n{CODE}\n</arg_value></tool_call>"
)


@pytest.mark.parametrize(
    "text",
    [
        fenced(JSON),
        f"<tool_call>{JSON}</tool_call>",
        f"<write_file>\n<path>a.py</path>\n<content>\n{CODE}\n</content>\n</write_file>",
        f"<function=write_file><parameter=path>a.py</parameter><parameter=content>\n{CODE}\n</parameter></function>",
        GLM_WRITE,
        f"<tool_call>{{'name': 'write_file', 'arguments': {{'path': 'a.py', 'content': {CODE!r}}}}}</tool_call>",
        f"write_file(path='a.py', content={CODE!r})",
        '```json\n{"name": "write_file", "arguments": {"path": "a.py", "content": `' + CODE + "`}}\n```",
    ],
)
def test_code_in_an_argument_stays_as_it_is(text):
    assert found(text) == ([WRITE], "")


@pytest.mark.parametrize(
    "text",
    [
        # shown, not meant
        f"A call looks like this, for example:\n\n{fenced(LS)}",
        f"This is an example of a call:\n{fenced(LS)}\nAnd another one:\n{fenced(LS)}",
        f"The format is:\n{LS}\n",
        f"The tools available to you are:\n\n1. **bash**\n   ```json\n   {LS}\n   ```\n\n2. stop:\n{fenced(LS)}\n",
        f"You would write `<tool_call>{LS}</tool_call>` for that.",
        f"```text\n<tool_call>{LS}</tool_call>\n```",
        f"```python\ncall = '''\n<tool_call>{LS}</tool_call>\n'''\n```",
        "```python\nstop()\n```",
        "```python\nimport os\nbash(cmd='ls')\n```",
        "stop() ends the run.\nThat is all.",
        "Call `stop()` at the end.\n",
        "```bash\nls\n```",
        "```\nbash\n```",
        # a tool's definition, repeated
        f'<tools>\n{{"type": "function", "function": {{"name": "stop", "parameters": {SCHEMA}}}}}\n</tools>',
        f'{{"name": "stop", "parameters": {SCHEMA}}}',
        # not whole
        '<tool_call>{"name": "bash", "arguments": {"cmd": "ls"',
        "<tool_call>bash<arg_key>cmd</arg_key><arg_value>ls",
        '<invoke name="bash"><parameter name="cmd">rm -rf',
        "bash(cmd='ls",
        '<|tool_call_begin|>functions.bash:0<|tool_call_argument_begin|>{"cmd": "l',
        "Action: bash\nAction Input: {",
        "<bash>",
        # something else
        "<div>stop</div>\n<name>stop</name>",
        "Action: I look at the files.\nThen I stop.",
        '{"name": "someone", "arguments": "many"}',
        "[bash](https://example.org) is a shell.\n[1]: x",
        "search(x) is a function.\n",
        f"It said: {LS} yesterday.",
        "a < b and b > c, <b>bold</b>, <stop",
    ],
)
def test_what_only_looks_like_a_call_stays_text(text):
    assert found(text) == ([], text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (f"<tool_call>{LS}</tool_call>\n<tool_response>\nfile.py\n</tool_response>\n<tool_call>{LS}</tool_call>", ""),
        (f"I look.\n{fenced(LS)}\nThe output of the `bash` command is:\n\n```\na b\n```\n{fenced(LS)}", "I look."),
        (f"{fenced(LS)}\nObservation: a b\n{fenced(LS)}", ""),
    ],
)
def test_what_follows_a_result_that_was_made_up_does_not_count(text, rest):
    assert found(text) == ([CALL], rest)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (fenced('{"name": "run_command", "arguments": {"cmd": "ls"}}'), "no tool named 'run_command'"),
        (
            fenced('{"name": "write_file", "arguments": {"path": "a"}}'),
            "'content' is required",
        ),
        ('<tool_call>{"name": "bash", "arguments": {"cmd": "say "hi" now"}}</tool_call>', "JSON is not valid"),
        ('```json\n{"name": "bash", "arguments": {"cmd": "ls', "JSON is not complete"),
        ("<function=shell><parameter=cmd>ls</parameter></function>", "no tool named 'shell'"),
        ("I am done.", ""),
        ('{"name": "Ann", "age": 5}', ""),
        (fenced(LS), ""),
    ],
)
def test_why_a_text_is_no_call_is_told(text, says):
    why = why_no_call(text, TOOLS)
    assert (says in why) if says else why == ""


PIECES = [
    LS,
    *("\n", "\n\n", "```", "```json\n", "```python\n", "\n```\n", "<tool_call>", "</tool_call>", "<tools>"),
    *("</tools>", "<function=bash>", "<parameter=cmd>", "ls", "</parameter>", "</function>", "<stop/>"),
    *("<bash>", "</bash>", "<cmd>", "</cmd>", "stop()", 'bash(cmd="ls")', "[", "]", "{", "}", '"', "'", "`"),
    *("a", " ", "I look.", "for example:", "<", "[TOOL_CALLS]", "functools[", "<|tool_call_begin|>"),
    *("functions.bash:0", "<|tool_call_argument_begin|>", "<|x|>", '{"cmd": "ls"}', "<|tool_call_end|>"),
    *("Action:", "Action: bash\n", 'Action Input: {"cmd": "ls"}', "Observation: x"),
    *('{"name": "bash", "arguments": {"cmd": ', "{'name': 'stop'}", "<tool_response>"),
    *("The output of it is:\n", "~~~", ">", "<|channel|>analysis to=functions.bash ", "<|message|>"),
    *("<arg_key>", "cmd", "</arg_key>", "<arg_value>", "</arg_value>", "bash", "stop", "<name>", "</name>"),
    *('<invoke name="bash">', "</invoke>", '<parameter name="cmd">', "[ARGS]"),
    *("<function name='bash' arguments='", "'/>", "'>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>"),
    *("[/tool_call]", "(", ")", "\r\n"),
]  # fmt: skip


def in_pieces(text, cuts):
    hold = HoldBack(TOOLS)
    ends = sorted({cut % (len(text) + 1) for cut in cuts} | {len(text)})
    start, out = 0, []
    for end in ends:
        out.append(hold.feed(text[start:end]))
        start = end
    out.append(hold.finish())
    return "".join(out), [(call.function.name, call.function.arguments) for call in hold.calls]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.lists(st.integers(0, 400), max_size=30))
def test_however_a_text_is_cut_the_same_is_shown_and_called(text, cuts):
    whole = in_pieces(text, [])
    assert in_pieces(text, cuts) == whole
    assert in_pieces(text, range(len(text))) == whole
    calls, _ = extract_tool_calls(text, TOOLS)
    assert [(call.function.name, call.function.arguments) for call in calls] == whole[1]
    if not calls:
        assert whole[0] == text


@pytest.mark.parametrize(
    "unit",
    [
        '{"name": "bash", "arguments": {"cmd": "ls\n',
        "<tool_call>",
        "<function=bash>",
        "```json\n{",
        "<bash>",
        "[[",
        "{{",
        "Action: bash\n",
        '<invoke name="bash">',
        'bash(cmd="',
        "`",
        "<",
        "<tool_call>bash<arg_key>cmd</arg_key>",
        "[TOOL_CALLS]",
        "\n",
        " ",
        "```\n",
        "a" * 50,
        '<tool_call>{"name": "bash", "arguments": {',
        "<function name='bash' arguments='{\"cmd\": \"ls\"}'>\n",
        "}</x>",
    ],
)
def test_a_long_text_takes_no_long_time(unit):
    text = unit * (20_000 // len(unit))
    begun = time.process_time()
    extract_tool_calls(text, TOOLS)
    hold = HoldBack(TOOLS)
    for start in range(0, len(text), 40):
        hold.feed(text[start : start + 40])
    hold.finish()
    assert time.process_time() - begun < 2
