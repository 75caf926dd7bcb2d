"""Names and arguments from outside become one harmless row."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from pygent.tui.panes.rows import wrap_words
from pygent.tui.panes.signs import TOOL_SIGNS, task_sign
from pygent.tui.panes.text import fit, fit_end, output_lines, running_for, size_of, summary, took, visible


@pytest.mark.hostile(56)
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain.py", "plain.py"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[31m", "\\x1b[31m"),
        ("gnp\u202egpj.exe", "gnp\\u202egpj.exe"),
        ("caf\udce9", "caf\\xe9"),
        ("日本語", "日本語"),
    ],
)
def test_a_name_is_shown_and_never_obeyed(name: str, shown: str) -> None:
    assert visible(name) == shown


def test_output_is_what_a_terminal_would_have_left() -> None:
    assert output_lines("a\x1b[31mb\x1b[0m\r\n10%\r100%\n\x07c\n") == ["ab", "100%", "c"]
    assert output_lines("") == []


def test_a_call_is_summed_up_by_its_main_argument() -> None:
    assert summary({"cmd": "make\n  test", "timeout": 3}) == "make ↵ test"
    assert summary({"path": ".", "pattern": "[/foo]"}) == "[/foo]"
    assert summary({"persona": "tester", "prompt": "go"}) == "tester: go"
    assert summary({"a": 1, "b": [None]}) == "a=1 b=[null]"
    assert summary({"path": "", "x": "\x1b]0;t\x07y"}) == "path= x=y"
    assert summary({}) == ""
    assert len(summary({"cmd": "x" * 100_000})) < 500


@pytest.mark.parametrize("text", ["hello world", "日本語のテキスト", "e\u0301" * 9, "😀😀😀😀"])
@pytest.mark.parametrize("width", [0, 1, 2, 5, 40])
def test_what_is_cut_fits(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) <= width
    assert cell_len(fit_end(text, width)) <= width


def test_figures_are_short() -> None:
    assert [took(s) for s in (0.004, 1.24, 59, 75, 7300)] == ["4ms", "1.2s", "59s", "1m 15s", "2h 01m"]
    assert [running_for(s) for s in (0.2, 5.9, 61)] == ["0s", "5s", "1m 01s"]
    assert [size_of(n) for n in (3, 2048, 3 << 20)] == ["3 B", "2.0 KiB", "3.0 MiB"]


def test_every_state_has_its_own_sign_and_word() -> None:
    signs = list(TOOL_SIGNS.values())
    assert len({sign.sign for sign in signs}) == len({sign.word for sign in signs}) == len(signs)
    assert all(cell_len(sign.sign) == 1 for sign in signs)
    assert task_sign("timeout after 60s").word == "timeout"
    assert task_sign("error: no server").sign == "✗"
    assert task_sign("resting").word == "resting"


def test_words_are_wrapped() -> None:
    assert wrap_words("one two three", 7) == ["one two", "three"]
    assert wrap_words("", 7) == [""]
