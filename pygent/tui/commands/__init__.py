"""The slash commands, by what they are about; importing this fills the table of `pygent.tui.slash`."""

from pygent.tui.commands import appearance, conversation, layout, rights, work

__all__ = ["appearance", "conversation", "layout", "rights", "work"]
