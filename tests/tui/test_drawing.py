"""What the conversation is drawn with, apart from any screen."""

from __future__ import annotations

import random

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.geometry import Region

from pygent.tui.ascii_signs import SIGNS
from pygent.tui.colours import Palette
from pygent.tui.colours_256 import near_style, nearest
from pygent.tui.line_filter import SafeText, Spelled, spelled
from pygent.tui.markdown import draw, split, split_all
from pygent.tui.text import clean, count, seconds, tail_lines
from pygent.tui.widgets.ground import Column
from pygent.tui.widgets.row_index import RowIndex
from pygent.tui.wrap import cells, cut, fold, hang, wrap

PALETTE = Palette.from_variables({}, dark=True)
PLAIN = Style()


def text_of(block: str, width: int = 40) -> list[str]:
    return ["".join(segment.text for segment in line).rstrip() for line in draw(block, width, PALETTE)]


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        ("# Title", ["Title"]),
        ("some **bold** and `code`", ["some bold and code"]),
        ("- one\n- two\n  - three", ["• one", "• two", "  ◦ three"]),
        ("1. one\n2. two", ["1. one", "2. two"]),
        ("- [ ] open\n- [x] done", ["☐ open", "☑ done"]),
        ("> said\n> so", ["▎ said", "▎ so"]),
        ("```python\nx = 1\n```", [" x = 1"]),
        ("[/foo] [red]x[/red]", ["[/foo] [red]x[/red]"]),
        ("a_b_c and 2*3*4", ["a_b_c and 234"]),
        ("[text](javascript:x)", ["text (javascript:x)"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["a   │ b", "────┼────", "1   │ 2"]),
    ],
)
def test_markdown_blocks(block: str, lines: list[str]) -> None:
    assert text_of(block) == lines


def test_blocks_are_finished_only_where_a_later_line_shows_it() -> None:
    text = "# T\npara\nmore\n\n```py\na\n\nb\n```\nopen"
    blocks, end = split(text)
    assert blocks == ["# T", "para\nmore\n", "```py\na\n\nb\n```"] or [block.strip() for block in blocks] == [
        "# T",
        "para\nmore",
        "```py\na\n\nb\n```",
    ]
    assert text[end:] == "open"
    assert split_all(text)[-1] == "open"


@pytest.mark.hostile(58)
@pytest.mark.parametrize(
    "text", ["**a " * 3000, "`" * 9000, "- " * 5000, "> " * 5000, "[a" * 5000, "|" * 9000, "\n" * 99]
)
def test_odd_markdown_is_drawn_like_any_text(text: str) -> None:
    for width in (1, 7, 80):
        for block in split_all(text):
            assert all(cells(line) <= max(width, 4) for line in draw(block, width, PALETTE))


def test_wrapping_keeps_all_words_within_the_width() -> None:
    random.seed(4)
    words = ["a", "漢字", "word", "longlonglonglong", "é", "👍🏽", "x" * 50]
    for _ in range(200):
        text = " ".join(random.choice(words) for _ in range(random.randint(1, 12)))
        width = random.randint(2, 30)
        lines = wrap([(text, PLAIN)], width)
        assert all(cells(line) <= width for line in lines)
        joined_text = "".join(segment.text for line in lines for segment in line).replace(" ", "")
        assert joined_text == text.replace(" ", "")


def test_notes_are_broken_at_blanks_and_go_on_below_their_column() -> None:
    said = ["".join(part.text for part in line) for line in hang("  tester   Writes tests for code", Style(), 22)]
    assert said == ["  tester   Writes", "           tests for", "           code"]
    assert ["".join(part.text for part in line) for line in hang("  one two three", Style(), 9)] == [
        "  one two",
        "  three",
    ]
    assert hang("", Style(), 9) == [[]]


def test_folding_and_cutting_measure_cells() -> None:
    assert ["".join(s.text for s in line) for line in fold("漢字漢字", PLAIN, 4)] == ["漢字", "漢字"]
    assert cut("漢字漢字", 5) == "漢字…"
    assert cut("abc", 3) == "abc"


@pytest.mark.hostile(56)
def test_clean_takes_out_what_a_terminal_would_obey() -> None:
    assert clean("a\x1b[31mb\x1b]0;t\x07c\x1b]8;;x\x1b\\d\x9b1me\x00\u202ef") == "abcdef"
    assert clean("10%\r50%\r100%\nnext\r\nx\ty") == "100%\nnext\nx    y"


@pytest.mark.hostile(56, 58)
def test_the_filter_cleans_text_and_links() -> None:
    link = Style(link="https://x/\x1b]0;t\x07")
    segments = [Segment("ok"), Segment("a\x1b[2Jb\u202e", link), Segment("\udc80"), Segment("x", None, [(1,)])]  # type: ignore[list-item]
    out = SafeText().apply(segments, Color(0, 0, 0))
    assert [segment.text for segment in out] == ["ok", "a[2Jb", "�", ""]
    assert out[1].style is not None
    assert out[1].style.link is None
    assert not any(segment.control for segment in out)


def test_tail_lines_and_numbers() -> None:
    assert tail_lines("a\nb\nc\n", 2) == (["b", "c"], 1)
    assert tail_lines("", 3) == ([], 0)
    assert [count(value) for value in (950, 1000, 2400, 128_000, 1_200_000)] == ["950", "1k", "2.4k", "128k", "1.2M"]
    assert [seconds(value) for value in (0.44, 12.2, 65, 3700)] == ["0.4s", "12s", "1m 05s", "1h 01m"]


def test_rows_are_found_whatever_the_heights() -> None:
    random.seed(1)
    heights = [random.randint(0, 5) for _ in range(60)]
    rows = RowIndex(heights[:20])
    for height in heights[20:]:
        rows.append(height)
    for _ in range(40):
        index, height = random.randrange(60), random.randint(0, 6)
        heights[index] = height
        rows.set(index, height)
        assert rows.total == sum(heights)
        for row in range(rows.total):
            found, offset = rows.find(row)
            assert rows.start(found) + offset == row
            assert offset < heights[found]


def test_many_rows_are_added_as_few_are() -> None:
    few, many, more = [3, 0, 2], [random.randint(0, 5) for _ in range(3000)], [1, 4]
    rows, one_by_one = RowIndex(few), RowIndex()
    rows.extend(many)
    rows.extend(more)
    for height in (heights := few + many + more):
        one_by_one.append(height)
    assert rows.total == one_by_one.total == sum(heights)
    for index in range(0, len(heights), 7):
        assert rows.start(index) == one_by_one.start(index) == sum(heights[:index])


def test_signs_that_an_encoding_lacks_are_spelled_in_as_many_cells() -> None:
    text = "╭─ ✓ é ● … 漢 ⠋ \u200b│"
    plain = spelled(text, "ascii")
    assert plain == "+- v ? * . ?? | |"
    assert cell_len(plain) == cell_len(text)
    assert "é" in spelled(text, "latin-1")
    assert all(len(sign) == 1 and sign.isascii() for sign in SIGNS.values())
    line = [Segment("│ ", Style(bold=True)), Segment("plain")]
    assert Spelled("ascii").apply(line, Color.parse("black")) == [Segment("| ", Style(bold=True)), Segment("plain")]


def test_256_colours_keep_greys_grey_and_colours_apart() -> None:
    assert [nearest(*rgb) for rgb in ((0, 0, 0), (255, 255, 255), (255, 0, 0), (8, 8, 8))] == [16, 231, 196, 232]
    ground, raised, border, muted = (
        nearest(*Color.parse(c).rgb) for c in ("#14171d", "#232934", "#2d3441", "#939eb0")
    )
    assert all(number >= 232 for number in (ground, raised, border, muted))
    assert ground < raised < border < muted
    assert nearest(*Color.parse("#ee8b8b").rgb) == 210
    style = near_style(Style.parse("bold #7fb2e5 on #14171d"))
    assert style.bold
    assert style.color is not None
    assert style.color.number == nearest(*Color.parse("#7fb2e5").rgb) == 110
    assert near_style(Style.parse("red")) == Style.parse("red")


class Grounds(App[None]):
    CSS = """
    .box { width: 20; height: 7; border: round red; border-title-color: blue; background: #102030; padding: 1 2; }
    """

    def compose(self) -> ComposeResult:
        for one in (Column, Vertical):
            box = one(classes="box")
            box.border_title, box.border_subtitle = "above", "below"
            yield box


async def test_a_ground_looks_as_any_container_does() -> None:
    async with Grounds().run_test(size=(40, 20)) as pilot:
        quick, plain = pilot.app.query(".box").results()
        for crop in (Region(0, 0, 20, 7), Region(3, 2, 5, 4), Region(0, 6, 20, 1)):
            assert quick.render_lines(crop) == plain.render_lines(crop)
        quick.styles.border = plain.styles.border = ("heavy", "green")
        await pilot.pause()
        assert quick.render_lines(Region(0, 0, 20, 7)) == plain.render_lines(Region(0, 0, 20, 7))
