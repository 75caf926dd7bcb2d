"""The slash commands, by what they are about; importing this fills the table of `pygent.tui.slash`."""

from pygent.tui.commands import appearance, conversation, costs, layout, rights, sessions, tasks, work

__all__ = ["appearance", "conversation", "costs", "layout", "rights", "sessions", "tasks", "work"]
