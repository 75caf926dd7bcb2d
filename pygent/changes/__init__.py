"""What was changed in a copy of a workspace, and how that is taken over: compared, chosen from, merged, written."""

from __future__ import annotations

from pygent.changes.model import Applied, ChangeKind, ChangeSet, Conflict, FileChange, Hunk, OnConflict

__all__ = ["Applied", "ChangeKind", "ChangeSet", "Conflict", "FileChange", "Hunk", "OnConflict"]
