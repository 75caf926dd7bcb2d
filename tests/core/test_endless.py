"""Answers that only repeat themselves are ended, and no others."""

from __future__ import annotations

import random
import string
import time

import pytest

from pygent.models import ModelNotice, OpenAIModel, ReasoningDelta
from pygent.models.endless import LEAST_TIMES, REPEATED, TOLD, Endless
from tests.core.asking import ASK, KEY, ask, text
from tests.fakes.openai_server import FakeOpenAI, Step, reply


def ended_at(whole: str, piece: int = 7) -> int | None:
    """Characters after which ``whole``, which comes in pieces, is ended."""
    one = Endless()
    return next((at for at in range(0, len(whole), piece) if one.feed(whole[at : at + piece])), None)


@pytest.mark.parametrize("period", [1, 2, 13, 48, 49, 200, REPEATED // LEAST_TIMES])
def test_a_passage_over_and_over_is_noticed(period: int) -> None:
    draw = random.Random(period)
    passage = "".join(draw.choices(string.ascii_letters + " \n", k=period))
    before = "Here is the corrected file:\n\n```python\n"
    at = ended_at(before + passage * (4 * REPEATED // period))
    assert at is not None
    assert REPEATED <= at <= REPEATED + 600 + len(before)


@pytest.mark.parametrize(
    "whole",
    [
        "\n".join(f"    {n}: {n * n}," for n in range(2_000)),
        "".join(random.Random(1).choices("ab", k=20_000)),
        "def f():\n    return 0\n\n\n" * 100 + "done\n" * 20,
        "-" * (REPEATED - 600) + "\nand so it goes on, in other words. " * 3,
        "\n".join(f"| {n} | {' ' * 40} |" for n in range(800)),
    ],
    ids=["numbers", "two letters", "short", "a line of dashes", "a table"],
)
def test_nothing_else_is(whole: str) -> None:
    assert ended_at(whole) is None


@pytest.mark.parametrize("kind", ["text", "reasoning"])
def test_an_endless_answer_of_a_server_is_ended_and_told(kind: str) -> None:
    endless = "I will now write the file. " * 20_000
    step: Step = (
        reply(endless, chunk_size=200, chunk_delay=0.01)
        if kind == "text"
        else reply("Yes.", reasoning=endless, chunk_size=200, chunk_delay=0.01)
    )
    with FakeOpenAI([step, reply("Again.")]) as server:
        model = OpenAIModel(server.url, KEY)
        began = time.monotonic()
        items, message = ask(model, "stream")
        assert time.monotonic() - began < 15, "all of it takes half a minute"
        shown = (
            text(items) if kind == "text" else "".join(one.text for one in items if isinstance(one, ReasoningDelta))
        )
        assert endless.startswith(shown)
        assert REPEATED <= len(shown) < 2 * REPEATED
        assert message.finish_reason == "length"
        assert [one.text for one in items if isinstance(one, ModelNotice)] == [TOLD]
        assert model.chat(ASK, None, None).content == "Again."  # the connection is of use, or another is made
        model.close()
