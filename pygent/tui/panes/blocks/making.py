"""Which block draws which item."""

from __future__ import annotations

from pygent.transcript import (
    AssistantItem,
    CompactionItem,
    Item,
    NoticeItem,
    PlanItem,
    RunItem,
    TaskItem,
    ToolItem,
    UserItem,
)
from pygent.tui.panes.blocks.assistant import AssistantBlock
from pygent.tui.panes.blocks.base import Block
from pygent.tui.panes.blocks.notices import NoticeBlock, RunBlock
from pygent.tui.panes.blocks.task import TaskBlock
from pygent.tui.panes.blocks.tool import ToolBlock
from pygent.tui.panes.blocks.user import UserBlock


def block_for(item: Item) -> Block:
    """The block that draws ``item``."""
    match item:
        case UserItem():
            return UserBlock(item)
        case AssistantItem():
            return AssistantBlock(item)
        case ToolItem():
            return ToolBlock(item)
        case TaskItem():
            return TaskBlock(item)
        case NoticeItem():
            return NoticeBlock(item)
        case PlanItem():
            from pygent.tui.panes.blocks.plan import PlanBlock  # noqa: PLC0415 - seldom there

            return PlanBlock(item)
        case CompactionItem():
            from pygent.tui.panes.blocks.compaction import CompactionBlock  # noqa: PLC0415 - seldom there

            return CompactionBlock(item)
        case RunItem():
            return RunBlock(item)
