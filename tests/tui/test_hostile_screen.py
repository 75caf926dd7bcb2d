"""Text that would be links, tables or nesting without an end, and long conversations (hostile.md, 58 and 59)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from textual.color import Color

from pygent.tui.line_filter import SafeText
from pygent.tui.markdown import draw, split_all
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import running, shown, until
from tests.tui.test_drawing import PALETTE

WORDS = (
    "javascript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,x",
    "vbscript:x",
    "JaVaScRiPt:x",
    "http:x\x1b]0;t\x07",
)


@pytest.mark.hostile(58)
@pytest.mark.parametrize("target", WORDS)
def test_only_pages_of_the_web_are_links(target: str) -> None:
    for text in (
        f"[text]({target})",
        f"<{target}>",
        f"![text]({target})",
        f"[text][1]\n\n[1]: {target}",
        f"[text](<{target}>)",
    ):
        for block in split_all(text):
            for line in draw(block, 80, PALETTE):
                for segment in SafeText().apply(list(line), Color(0, 0, 0)):
                    link = segment.style.link if segment.style is not None else None
                    assert not link or link.startswith(("http://", "https://"))
                    assert "\x1b" not in (link or "") + segment.text


@pytest.mark.hostile(58)
@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n" + "| cell | another |\n" * 40_000,
        "| " + "a | " * 50_000 + "\n|" + "---|" * 50_000 + "\n" + "| x " * 50_000,
        "> " * 5_000 + "deep",
        "".join("  " * level + "- item\n" for level in range(1_500)),
        "[" * 20_000 + "](" * 20_000,
        "**" * 50_000 + "_" * 50_000,
        "x" * 2_000_000,
    ],
    ids=["long table", "wide table", "quotes", "lists", "brackets", "stars", "a word"],
)
def test_tables_and_nesting_without_an_end_cost_no_more_than_text(text: str) -> None:
    began = time.process_time()
    for block in split_all(text):
        assert len(draw(block, 80, PALETTE)) < 400_000
    assert time.process_time() - began < 20


@pytest.mark.hostile(59)
async def test_a_conversation_of_a_hundred_thousand_messages_can_be_read(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """A tenth of that without ``--long``."""
    half = 50_000 if pytestconfig.getoption("--long") else 5_000
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        before = len(app.main.query("*"))
        for number in range(half):
            session.user(f"question {number}")
            session.say(f"answer {number}")
        await until(lambda: len(app.main.conversation.view.blocks) == 2 * half + 1, 120)
        assert len(app.main.query("*")) == before
        assert f"answer {half - 1}" in shown(app)
        app.main.conversation.view.focus()
        began = time.monotonic()
        await pilot.press("home")
        await until(lambda: "question 0" in shown(app))
        assert time.monotonic() - began < 10
