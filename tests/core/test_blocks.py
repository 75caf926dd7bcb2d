"""Fenced blocks as calls: what a small model writes, and what it is shown of the conversation."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygent.history import History
from pygent.models.attempts import BEGIN_AGAIN, warmth
from pygent.models.block_reader import blocks_in
from pygent.models.blocks import as_blocks, read_blocks
from pygent.models.fences import fenced
from pygent.models.partial import completed
from pygent.openai_compat import Message, ToolCall, ToolCallFunction
from pygent.tools import REGISTRY

TOOLS = REGISTRY.schemas()
SHOWN = (
    "stats.py\n```python\ndef mean(values):\n    return sum(values)\n\n\n"
    "def largest(values):\n    return max(values)\n```"
)


def calls(text: str, shown: str = "", *, cut: bool = False) -> list[tuple[str, dict[str, Any]]]:
    messages = [{"role": "user", "content": shown}]
    found, _ = read_blocks(text, messages, TOOLS, cut=cut)
    return [(call.function.name, json.loads(call.function.arguments)) for call in found]


@pytest.mark.parametrize(
    "text",
    [
        "a/b.py\n```python\nx = 1\n```",
        "**a/b.py**\n```python\nx = 1\n```",
        "### `a/b.py`\n\n```python\nx = 1\n```",
        "File: a/b.py\n```\nx = 1\n```",
        "Here is the corrected `a/b.py`:\n\n```python\nx = 1\n```",
        "```python a/b.py\nx = 1\n```",
        "```python:a/b.py\nx = 1\n```",
        "```a/b.py\nx = 1\n```",
        '```python title="a/b.py"\nx = 1\n```',
        "```python\n# a/b.py\nx = 1\n```",
        "a/b.py\n```python\n# a/b.py\nx = 1\n```",
        "a/b.py\n~~~python\nx = 1\n~~~",
        "a/b.py\n```python\nx = 1\n",  # the model ended without closing it
    ],
)
def test_a_block_with_a_path_is_a_file(text: str) -> None:
    assert calls(text) == [("write_file", {"path": "a/b.py", "content": "x = 1\n"})]


SHOWN_TEST = "test_stats.py\n```python\nfrom stats import mean\n\n\ndef test_mean():\n    assert mean([2]) == 2\n```"
MENDED = "```python\ndef mean(values):\n    return sum(values) / len(values)\n```"


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("`test_stats.py` fails since 4 is not 2. The corrected `mean` should be:", "stats.py"),
        ("To make the test in `test_stats.py` pass, change `mean`:", "stats.py"),
        ("**In `test_stats.py` the mean is 2.** Here is the function:", "stats.py"),
        ("Here is the new `averages.py`:", "averages.py"),
        ("The corrected `stats.py`:", "stats.py"),
        ("test_stats.py", "test_stats.py"),  # a heading is no sentence
        ("File: `test_stats.py`", "test_stats.py"),
    ],
)
def test_a_file_that_is_only_mentioned_is_not_taken_for_the_block(said: str, path: str) -> None:
    [(_, arguments)] = calls(f"{said}\n\n{MENDED}", f"{SHOWN}\n\n{SHOWN_TEST}")
    assert arguments["path"] == path


def test_lines_that_are_quoted_are_not_taken_for_their_file() -> None:
    quoted = "The line that fails is:\n```python\n    return sum(values)\n```\nThe corrected function is:"
    written = calls(f"{quoted}\n{MENDED}", SHOWN)
    assert [arguments["path"] for _, arguments in written] == ["stats.py"]
    assert "/ len(values)" in written[0][1]["content"]
    assert calls(quoted, SHOWN) == []
    [(_, arguments)] = calls("The first line goes to `first.txt`:\n```\ndef mean(values):\n```", SHOWN)
    assert arguments == {"path": "first.txt", "content": "def mean(values):\n"}
    [(_, arguments)] = calls("The sum goes to `sum.txt`:\n```\nreturn sum(values)\n```", SHOWN)
    assert arguments == {"path": "sum.txt", "content": "return sum(values)\n"}


def test_a_block_with_nothing_in_common_is_the_file_that_is_mentioned() -> None:
    text = "Here is the new `test_stats.py`:\n\n```python\nimport unittest\n```"
    [(_, arguments)] = calls(text, f"{SHOWN}\n\n{SHOWN_TEST}")
    assert arguments["path"] == "test_stats.py"


def test_commands_and_files_keep_their_order() -> None:
    text = "First:\n```bash\nmkdir -p a\n```\na/b.txt\n```\nhello\n```\n```sh\n$ cat a/b.txt\nhello\n```\nThat is it."
    assert calls(text) == [
        ("bash", {"cmd": "mkdir -p a"}),
        ("write_file", {"path": "a/b.txt", "content": "hello\n"}),
        ("bash", {"cmd": "cat a/b.txt"}),
    ]
    _, rest = read_blocks(text, [], TOOLS, cut=False)
    assert rest == "First:\nThat is it."


def test_a_block_without_a_path_is_the_shown_file_that_it_resembles() -> None:
    whole = (
        "def mean(values):\n    return sum(values) / len(values)\n\n\ndef largest(values):\n    return max(values)\n"
    )
    assert calls(f"Corrected:\n\n```python\n{whole}```", SHOWN) == [
        ("write_file", {"path": "stats.py", "content": whole})
    ]
    assert calls("```python\nprint('hello')\n```", SHOWN) == []
    assert calls(f"```python\n{whole}```") == []  # nothing was shown that it could be


def test_commands_about_a_file_are_not_that_file() -> None:
    text = "To commit README.md, run the following commands:\n```bash\ngit add README.md\n```"
    assert calls(text) == [("bash", {"cmd": "git add README.md"})]
    assert calls("run.sh\n```bash\necho hi\n```") == [("write_file", {"path": "run.sh", "content": "echo hi\n"})]


def test_an_example_of_output_is_no_call() -> None:
    assert calls("It prints:\n```\n3\n```", SHOWN) == []
    assert calls("It prints:\n```text\n3\n```", SHOWN) == []


def test_a_block_that_was_cut_off_is_no_call() -> None:
    assert calls("a.py\n```python\nx = 1\ny = ", cut=True) == []


def test_a_file_may_hold_blocks_of_its_own() -> None:
    text = "README.md\n```markdown\n# Use\n\n```bash\nrun it\n```\n\nDone.\n```"
    assert calls(text) == [
        ("write_file", {"path": "README.md", "content": "# Use\n\n```bash\nrun it\n```\n\nDone.\n"})
    ]


def test_calls_in_other_forms_are_understood_too() -> None:
    text = '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py"}}\n</tool_call>'
    assert calls(text) == [("read_file", {"path": "a.py"})]


def test_only_the_changed_function_goes_back_into_its_file() -> None:
    part = "stats.py\n```python\ndef mean(values):\n    return sum(values) / len(values)\n```"
    (call,) = calls(part, SHOWN)
    assert call[1]["content"] == (
        "def mean(values):\n    return sum(values) / len(values)\n\n\ndef largest(values):\n    return max(values)\n"
    )


def test_a_part_is_not_put_into_a_file_that_a_command_may_have_changed() -> None:
    part = "stats.py\n```python\ndef mean(values):\n    return sum(values) / len(values)\n```"
    command = {"role": "assistant", "content": "", "tool_calls": [_call("bash", cmd="sed -i s/a/b/ stats.py")]}
    found, _ = read_blocks(part, [{"role": "user", "content": SHOWN}, command], TOOLS, cut=False)
    assert json.loads(found[0].function.arguments)["content"].count("def ") == 1


@pytest.mark.parametrize(
    ("part", "whole", "wanted"),
    [
        # a method of a class
        (
            "def size(self):\n    return len(self.items)\n",
            "class Box:\n    def __init__(self):\n        self.items = []\n\n    def size(self):\n        return 0\n",
            (
                "class Box:\n    def __init__(self):\n        self.items = []\n\n"
                "    def size(self):\n        return len(self.items)\n"
            ),
        ),
        # a class with only the method that changes
        (
            "class Box:\n    def size(self):\n        return len(self.items)\n",
            "class Box:\n    def __init__(self):\n        self.items = []\n\n    def size(self):\n        return 0\n",
            (
                "class Box:\n    def __init__(self):\n        self.items = []\n\n"
                "    def size(self):\n        return len(self.items)\n"
            ),
        ),
        # an import and a helper come along
        (
            "import math\n\ndef helper(x):\n    return math.floor(x)\n\ndef a():\n    return helper(1.5)\n",
            '"""Doc."""\n\nX = 1\n\n\ndef a():\n    return 1\n\n\ndef b():\n    return X\n',
            (
                '"""Doc."""\nimport math\n\nX = 1\n\n\ndef helper(x):\n    return math.floor(x)\n\n\n'
                "def a():\n    return helper(1.5)\n\n\ndef b():\n    return X\n"
            ),
        ),
        # the model says that it leaves something out
        (
            "def a():\n    return 2\n\n# ... rest of the file\n",
            "def a():\n    return 1\n\n\ndef b():\n    return 1\n\n\ndef c():\n    return 1\n",
            "def a():\n    return 2\n\n\ndef b():\n    return 1\n\n\ndef c():\n    return 1\n",
        ),
    ],
)
def test_parts_of_python_files(part: str, whole: str, wanted: str) -> None:
    assert completed(part, whole) == wanted


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (
            "def a():\n    return 2\n\ndef b():\n    return 2\n",
            "def a():\n    return 1\n\n\ndef b():\n    return 1\n",
        ),
        ("def c():\n    return 2\n", "def a():\n    return 1\n"),  # nothing in common
        ("def a():\n    return 2\n\nprint(a())\n", "def a():\n    return 1\n\n\ndef b():\n    return 1\n"),
        ("def a(:\n", "def a():\n    return 1\n\n\ndef b():\n    return 1\n"),
        # one of three is gone on purpose
        ("def a():\n    pass\n\ndef b():\n    pass\n", "def a():\n    1\n\ndef b():\n    1\n\ndef c():\n    1\n"),
    ],
)
def test_what_is_a_whole_file_stays_one(part: str, whole: str) -> None:
    assert completed(part, whole) is None


def _call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"id": f"c_{name}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def test_the_conversation_is_told_in_blocks() -> None:
    messages = [
        {"role": "system", "content": "You are Pygent."},
        {"role": "user", "content": "Go."},
        {
            "role": "assistant",
            "content": "I write.",
            "tool_calls": [_call("write_file", path="a.py", content="x = 1\n")],
        },
        {"role": "tool", "tool_call_id": "c_write_file", "content": "Wrote a.py"},
        {"role": "assistant", "content": None, "tool_calls": [_call("bash", cmd="ls\npwd"), _call("list_personas")]},
        {"role": "tool", "tool_call_id": "c_bash", "content": "$ ls\npwd\na.py"},
        {"role": "tool", "tool_call_id": "c_list_personas", "content": "[]"},
        {"role": "user", "content": "And now?"},
    ]
    system, *rest = as_blocks(messages, REGISTRY.schemas(["bash", "write_file"]))
    assert system["content"].startswith("You are Pygent.\n\nTo write a file")
    assert [message["role"] for message in rest] == ["user", "assistant", "user", "assistant", "user"]
    assert rest[1]["content"] == "I write.\n\na.py\n```python\nx = 1\n```"
    assert rest[2]["content"] == "Wrote a.py"
    assert rest[3]["content"].startswith("```bash\nls\npwd\n```\n\n<tool_call>\n")
    assert "Output:\n```\na.py\n```" in rest[4]["content"]
    assert rest[4]["content"].endswith("And now?")


def test_a_tool_of_ones_own_is_described() -> None:
    own = {"type": "function", "function": {"name": "lookup", "description": "Look up.", "parameters": {}}}
    (system, _) = as_blocks([{"role": "user", "content": "Go."}], [*REGISTRY.schemas(["bash"]), own])
    assert '{"name": "lookup"' in system["content"]
    assert "To write a file" not in system["content"]


def _history(*failures: str) -> History:
    history = History()
    history.set_system("You are Pygent.")
    history.add_user(f"{SHOWN}\n\nThe check fails: `test`", "reminder")
    history.add_user("stats.py is wrong. Fix it.", "user")
    for number, ending in enumerate(failures):
        arguments = json.dumps({"path": "stats.py", "content": f"attempt {number}"})
        function = ToolCallFunction("write_file", arguments)
        history.add_assistant(Message("assistant", f"Try {number}.", [ToolCall(f"c{number}", function)]))
        history.add_result(f"c{number}", "Wrote stats.py")
        history.add_user(f"The check fails: `test`\n{ending}".rstrip(), "check")
    return history


def test_an_attempt_that_is_to_be_forgotten_is_not_shown() -> None:
    shown = as_blocks(_history("", BEGIN_AGAIN, ""), TOOLS)
    assert [message["role"] for message in shown] == ["system", "user", "assistant", "user"]
    assert shown[-1]["content"].endswith("give `largest`, corrected and complete, in one fenced block.")
    assert "Try 2." in shown[2]["content"]
    assert all(f"attempt {number}" not in str(shown) for number in (0, 1))


def test_each_function_has_its_turn_after_the_whole_file() -> None:
    asked = [as_blocks(_history(*[BEGIN_AGAIN] * failures), TOOLS)[-1]["content"] for failures in range(6)]
    wanted = [re.search(r"(?:give|code: all of) `?(\S+?)`?, c", text) for text in asked]
    names = [found[1] if found else "" for found in wanted]
    assert names == ["stats.py", "stats.py", "mean", "largest", "stats.py", "mean"]


def test_attempts_get_warmer_until_a_person_speaks() -> None:
    assert warmth(_history()) == 0.0
    assert 0 < warmth(_history("")) < warmth(_history("", "")) <= 0.8
    assert warmth(_history(*[""] * 20)) == 0.8
    spoken = _history("", "")
    spoken.add_assistant(Message("assistant", "So?"))
    spoken.add_user("Go on.", "user")
    assert warmth(spoken) == 0.0


@settings(deadline=None)
@given(st.text(alphabet="`~ab\n #./py-", max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    for block in blocks_in(text):
        assert 0 <= block.start < block.end <= len(text)
    read_blocks(text, [{"role": "user", "content": SHOWN}], TOOLS, cut=False)


@settings(deadline=None)
@given(st.text(alphabet="`ab\n ", max_size=80))
def test_what_is_written_as_a_block_is_read_as_it_was(content: str) -> None:
    written = content.rstrip("\n") + "\n"
    if not written.strip():
        return
    assert calls(f"a.txt\n{fenced(content)}") == [("write_file", {"path": "a.txt", "content": written})]
