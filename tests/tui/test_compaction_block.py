"""A compaction in the conversation: one line, which opens to the summary."""

from __future__ import annotations

from typing import Any

import pytest

from pygent.transcript import CompactionItem
from pygent.tui.panes.blocks.compaction import CompactionBlock
from pygent.tui.panes.blocks.making import block_for


def item(**more: Any) -> CompactionItem:
    given = {"by": "limit", "summary": "The parser fails.\nMend it.", "left_out": 8, **more}
    return CompactionItem("e1", "main", "c", 52_000, 9_100, **given)


class Plain:
    """A palette in which everything is of no style."""

    def __getattr__(self, name: str) -> None:
        return None


def shown(block: CompactionBlock, width: int) -> list[str]:
    palette: Any = Plain()
    return ["".join(segment.text for segment in line) for line in block.lines(width, palette)]


@pytest.mark.parametrize("width", [30, 46, 90])
def test_it_is_one_line_with_the_sizes_first_and_opens_to_the_summary(width: int) -> None:
    block = block_for(item())
    assert isinstance(block, CompactionBlock)
    line, blank = shown(block, width)
    assert blank == ""
    assert "52k → 9.1k" in line
    assert len(line) <= width
    block.toggle()
    text = "\n".join(shown(block, width))
    assert "Mend it." in text
    assert "/compact undo" in text.replace("\n   ┃ ", " ")
    assert "The parser fails." in block.plain()


def test_an_undone_one_says_so() -> None:
    block = CompactionBlock(item(undone=True, summary=""))
    assert "undone" in shown(block, 90)[0]
    block.toggle()
    assert "/compact undo" not in "\n".join(shown(block, 90))
