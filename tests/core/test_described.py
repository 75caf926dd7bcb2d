"""A reply without a call is answered with the call that it should have been."""

import pytest

from pygent.described import what_to_do
from pygent.tools import REGISTRY

TOOLS = REGISTRY.schemas({"bash", "write_file", "read_file", "edit_file", "search", "stop"})


def block(inside, info=""):
    return f"```{info}\n{inside}\n```\n"


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("Run the tests:\n" + block("$ pytest -q\n", "bash"), "did not run it. Call bash with cmd: pytest -q"),
        ("Change `src/a.py` so:\n" + block("def f():\n    return 1", "python"), "Call write_file with path src/a.py"),
        ("Here it is.\n" + block("# shop/basket.py\nx = 1", "python"), "showed the content of shop/basket.py but"),
        (block("x = 1", "python a.py"), "showed the content of a.py but"),
        (block("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b", "diff"), "Call edit_file with path, old and new"),
        ("<tool_response>\nWrote a.py\n</tool_response>", "wrote down a tool's result yourself"),
        (block('{"name": "run_command", "arguments": {"cmd": "ls"}}', "json"),
         "no tool named 'run_command'. Did you mean bash? The tools are: bash, write_file"),
        (block('{"name": "write_file", "arguments": {"path": "a"}}', "json"),
         "'content' is required. write_file takes: path (string), content (string). Send the call again."),
        ('```json\n{"name": "bash", "arguments": {"cmd": "ls', "Send the call again, whole and as valid JSON."),
    ],
)  # fmt: skip
def test_what_was_shown_but_not_done_is_answered_with_the_call(reply, says):
    assert says in what_to_do(reply, TOOLS)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "All is done.",
        "It prints:\n" + block("hello"),
        "The key is `x`.",
        "Use it so:\n" + block("x = f()", "python"),
        block(""),
    ],
)
def test_a_reply_that_shows_no_work_is_left_alone(reply):
    assert what_to_do(reply, TOOLS) == ""


def test_no_tool_is_named_that_was_not_offered():
    assert what_to_do(block("ls", "bash"), REGISTRY.schemas({"read_file"})) == ""
    assert what_to_do(block("ls", "bash"), None) == ""
