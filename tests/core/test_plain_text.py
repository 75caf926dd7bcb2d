"""What of a text from outside reaches a terminal."""

from __future__ import annotations

import pytest

from pygent.plain_text import clean, clean_line, one_line


@pytest.mark.hostile(56)
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("a\x1b]52;c;aGk=\x07b\x1b]0;title\x1b\\c\x9d8;;x\x9cd", "abcd"),
        ("a\x1bPq#1\x1b\\b\x90q\x9cc\x1b_x\x9cd", "abcd"),
        ("cut \x1b[3", "cut "),
        ("cut \x1b]0;tit", "cut "),
        ("\x1bcreset \x07\x00\x08bell", "reset bell"),
        ("exe\u202egpj \u2066x\u2069 \u200by\ufeff", "exegpj x y"),
        ("tagged\U000e0041\U000e0042", "tagged"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        (" 10%\r 50%\r100%\r\ndone\r\n", "100%\ndone\n"),
        ("a\x1b[2K\tb\x00\tc", "a\tb\tc"),
    ],
)
def test_what_acts_on_a_terminal_is_taken_out_and_what_reads_stays(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_tabs_become_what_the_screen_wants() -> None:
    assert clean("a\tb\x1b[m\tc", tab="  ") == "a  b  c"


def test_one_line_is_cut_to_its_width() -> None:
    assert clean_line("a\n\x1b[1m b\t c ") == "a b c"
    assert one_line("one\ntwo", 7) == "one two"
    assert one_line("one\ntwo", 6) == "one t…"
    assert one_line("one", 0) == "…"
