"""The slash commands, by what they are about; importing this fills the table of `pygent.tui.slash`."""

from pygent.tui.commands import appearance, archive, conversation, costs, layout, rights, tasks, undoing, work

__all__ = ["appearance", "archive", "conversation", "costs", "layout", "rights", "tasks", "undoing", "work"]
