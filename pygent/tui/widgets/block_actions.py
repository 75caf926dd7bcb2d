"""What is done to a block of a conversation: copied, quoted, opened on a screen of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pygent.tui.panes.blocks.base import Block
from pygent.tui.panes.blocks.task import TaskBlock
from pygent.tui.panes.blocks.tool import ToolBlock
from pygent.tui.text import clean_line, plural

if TYPE_CHECKING:
    from pygent.tui.widgets.block_chooser import BlockChooser


def copy_block(view: BlockChooser, block: Block) -> None:
    """Put the block's text onto the clipboard."""
    view.app.copy_to_clipboard(block.plain())
    view.notify(f"Copied the {block.name}.", timeout=2, markup=False)


def copy_code(view: BlockChooser, block: Block, number: int) -> int:
    """Copy one of the block's pieces of code, the first one after the last. Answers which it was."""
    codes = block.codes()
    if not codes:
        view.notify("There is no code in this block or above it.", severity="warning", timeout=3, markup=False)
        return -1
    number %= len(codes)
    language, text = codes[number]
    view.app.copy_to_clipboard(text)
    name = clean_line(language)[:60] or "code"
    which = f" ({number + 1} of {len(codes)})" if len(codes) > 1 else ""
    lines = plural(text.count("\n") + 1, "line")
    view.notify(f"Copied {lines} of {name}{which}.", timeout=3, markup=False)
    return number


def quote(view: BlockChooser, block: Block) -> None:
    """Put the block's text into the prompt, each line behind a ``>``."""
    main: Any = getattr(view.app, "main", None)
    if main is None:
        return
    text = "\n".join(f"> {line}".rstrip() for line in block.plain().strip().split("\n"))
    while view.app.screen is not main and len(view.app.screen_stack) > 1:
        view.app.pop_screen()
    main.to_prompt(f"{text}\n\n")


def open_block(view: BlockChooser, block: Block) -> None:
    """Show what there is to know about a tool call or a task; any other block whole."""
    if isinstance(block, ToolBlock | TaskBlock):
        view.post_message(view.BlockOpened(block))
    else:
        maximise(view, block)


def maximise(view: BlockChooser, block: Block) -> None:
    """Show the whole block on a screen of its own."""
    if isinstance(block, ToolBlock):
        view.post_message(view.BlockOpened(block))
        return
    from pygent.tui.screens.block import BlockScreen  # noqa: PLC0415 - when it is asked for

    view.app.push_screen(BlockScreen(block))
