"""What git knows of the workspace: its files, what changed in them, what was committed. Only ever read."""

from __future__ import annotations

from pygent.git.repository import GitError, GitTimeout, Repository
from pygent.git.status import GitStatus, read_status

__all__ = ["GitError", "GitStatus", "GitTimeout", "Repository", "read_status"]
