"""Markdown that comes in pieces ends as the same lines as one that comes whole; long code costs no more per line."""

from __future__ import annotations

import random

import pytest

from benchmarks.texts import fence, tokens
from pygent.tui.colours import Palette
from pygent.tui.growing import PART, Growing
from pygent.tui.markdown import draw, fence_of, split_all, with_copy
from pygent.tui.wrap import Line

PALETTE = Palette.from_variables({}, dark=True)
WIDTH = 60


def whole(text: str) -> list[Line]:
    lines: list[Line] = []
    codes = 0
    for block in split_all(text):
        drawn = draw(block, WIDTH, PALETTE)
        if fence_of(block) is not None:
            drawn = with_copy(drawn, codes, WIDTH, PALETTE)
            codes += 1
        lines += [*drawn, []]
    return lines[:-1]


def texts(lines: list[Line]) -> list[str]:
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


@pytest.mark.parametrize("seed", range(6))
def test_pieces_end_as_the_whole(seed: int) -> None:
    chance = random.Random(seed)
    pieces = tokens(600)
    growing = Growing(WIDTH, PALETTE)
    text = ""
    while pieces:
        count = chance.randint(1, 40)
        text += "".join(pieces[:count])
        del pieces[:count]
        assert growing.fits(text, WIDTH, PALETTE)
        growing.lines(text, done=False)
    assert growing.lines(text, done=True) == whole(text)
    assert not growing.fits(text + "more", WIDTH, PALETTE)


def test_a_text_that_did_not_grow_or_another_width_begins_anew() -> None:
    growing = Growing(WIDTH, PALETTE)
    growing.lines("one\n\ntwo", done=False)
    assert growing.fits("one\n\ntwo three", WIDTH, PALETTE)
    assert not growing.fits("one\n\nother", WIDTH, PALETTE)
    assert not growing.fits("one\n\ntwo three", WIDTH + 1, PALETTE)


def test_what_is_open_shows_line_by_line() -> None:
    growing = Growing(WIDTH, PALETTE)
    assert texts(growing.lines("first\n\nopen\nlin", done=False)) == ["first", "", "open", "lin"]
    assert texts(growing.lines("first\n\nopen\nline\nend", done=False)) == ["first", "", "open", "line", "end"]
    assert texts(growing.lines("first\n\nopen\nline\nend\n\n", done=False)) == ["first", "", "open line end"]


def test_open_code_is_coloured_and_its_parts_stay() -> None:
    growing = Growing(WIDTH, PALETTE)
    text = "```python\nimport os\n" + "".join(f"x_{n} = {n}  # {n}\n" for n in range(4 * PART)) + 'y = """\nopen'
    lines = growing.lines(text, done=False)
    assert len({segment.style for segment in lines[0]}) > 1
    again = growing.lines(text + " string\n", done=False)
    assert all(one is other for one, other in zip(lines[: 4 * PART], again, strict=False))
    assert texts(again)[-1].strip() == "open string"


def test_long_code_keeps_its_parts_when_it_is_closed() -> None:
    pieces = fence(1000)
    growing = Growing(WIDTH, PALETTE)
    text = ""
    for start in range(0, len(pieces), 100):
        text += "".join(pieces[start : start + 100])
        growing.lines(text, done=False)
    done = growing.lines(text, done=True)
    assert texts(done) == texts(whole(text))
