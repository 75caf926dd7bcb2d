"""Delegated runs: a ``Task`` is an agent of its own, on a thread of its own, in a workspace of its own."""

from __future__ import annotations

from pygent.tasks.manager import TaskManager
from pygent.tasks.task import Task

__all__ = ["Task", "TaskManager"]
