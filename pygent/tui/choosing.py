"""What of a change set is chosen, file by file and hunk by hunk, and what was decided about its conflicts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from pygent.changes import ChangeSet, OnConflict

Mark: TypeAlias = Literal["none", "some", "all"]
"""How much of a file is chosen."""

Decision: TypeAlias = Literal["ours", "theirs", "markers"]
"""What a person wants of a file that cannot be merged; `OnConflict` without ``"leave"``."""


class Taking(NamedTuple):
    """The arguments of one call of ``apply_task``.

    ``paths`` None is everything. ``hunks`` has the chosen hunks of those files of ``paths`` that are taken in part.
    """

    paths: tuple[str, ...] | None
    hunks: Mapping[str, tuple[int, ...]] | None
    on_conflict: OnConflict


class Selection:
    """Which files and hunks of ``changes`` are chosen: none, at first."""

    def __init__(self, changes: ChangeSet | None = None) -> None:
        self.changes = changes or ChangeSet()
        self._files = {change.path: change for change in self.changes.files}
        self._chosen: dict[str, frozenset[int] | None] = {}  # by path; None is the whole file
        self._decisions: dict[str, Decision] = {}
        self.edits = 0
        """How often anything was chosen or decided."""

    # Choosing.

    def mark(self, path: str) -> Mark:
        """How much of a file is chosen."""
        if path not in self._chosen:
            return "none"
        return "all" if self._chosen[path] is None else "some"

    def has(self, path: str, hunk: int) -> bool:
        """Whether a hunk is chosen, by itself or with the whole file."""
        chosen = self._chosen.get(path, frozenset())
        return chosen is None or hunk in chosen

    def toggle(self, path: str) -> None:
        """Choose all of a file; a file that is chosen whole is chosen no more."""
        self.edits += 1
        if self.mark(path) == "all":
            del self._chosen[path]
        elif path in self._files:
            self._chosen[path] = None

    def toggle_hunk(self, path: str, hunk: int) -> None:
        """Choose one hunk, or choose it no more. All hunks of a file are the whole file."""
        change = self._files.get(path)
        if change is None or not 0 <= hunk < len(change.hunks):
            return
        self.edits += 1
        before = self._chosen.get(path, frozenset())
        every = frozenset(range(len(change.hunks)))
        after = (every if before is None else before) ^ {hunk}
        self._keep(path, after, every)

    def toggle_all(self, paths: Iterable[str]) -> None:
        """Choose these files whole; where they all are already, choose them no more.

        A link that leads out of the workspace is chosen by itself or not at all.
        """
        self.edits += 1
        wanted = [path for path in paths if path in self._files and not self._files[path].leads_out]
        if all(self._chosen.get(path, ()) is None for path in wanted):
            for path in wanted:
                self._chosen.pop(path, None)
        else:
            self._chosen.update(dict.fromkeys(wanted))

    def _keep(self, path: str, hunks: frozenset[int], every: frozenset[int]) -> None:
        if hunks == every:
            self._chosen[path] = None
        elif hunks:
            self._chosen[path] = hunks
        else:
            self._chosen.pop(path, None)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of which something is chosen, in the order of the change set."""
        return tuple(path for path in self._files if path in self._chosen)

    @property
    def hunks(self) -> dict[str, tuple[int, ...]]:
        """The chosen hunks of the files that are chosen in part."""
        return {path: tuple(sorted(chosen)) for path in self.paths if (chosen := self._chosen[path]) is not None}

    def __bool__(self) -> bool:
        return bool(self._chosen)

    def __len__(self) -> int:
        """How many files are chosen, whole or in part."""
        return len(self._chosen)

    # Conflicts.

    def decision(self, path: str) -> Decision | None:
        """What was decided about a file."""
        return self._decisions.get(path)

    def decide(self, path: str, decision: Decision) -> None:
        """Decide about a file, which is chosen with that. The same decision again takes it back."""
        if path not in self._files:
            return
        self.edits += 1
        if self._decisions.get(path) == decision:
            del self._decisions[path]
            return
        self._decisions[path] = decision
        if path not in self._chosen:
            self._chosen[path] = None

    def undecided(self, conflicts: Collection[str], *, everything: bool = False) -> list[str]:
        """Those of the conflicts about which nothing was decided, among what is chosen or among all."""
        return [path for path in conflicts if path not in self._decisions and (everything or path in self._chosen)]

    # Applying.

    def takings(self, *, everything: bool = False) -> list[Taking]:
        """What to call, one after the other: first what needs no decision, then each sort of decision.

        With ``everything`` it does not matter what is chosen.
        """
        if everything and not self._decisions:
            return [Taking(None, None, "leave")]
        chosen = [path for path, change in self._files.items() if not change.leads_out] if everything else self.paths
        parts = {} if everything else self.hunks
        out: list[Taking] = []
        for want in ("leave", "ours", "theirs", "markers"):
            paths = tuple(path for path in chosen if self._decisions.get(path, "leave") == want)
            if paths:
                hunks = {path: parts[path] for path in paths if path in parts}
                out.append(Taking(paths, hunks or None, want))
        return out

    # Another change set.

    def carried(self, changes: ChangeSet) -> Selection:
        """The same choice in a newer change set. What was chosen of a file that is another by now is dropped."""
        new = Selection(changes)
        for path in {*self._chosen, *self._decisions}:
            if new._files.get(path) != self._files[path]:
                continue
            if path in self._chosen:
                new._chosen[path] = self._chosen[path]
            if path in self._decisions:
                new._decisions[path] = self._decisions[path]
        return new

    def changed_in(self, changes: ChangeSet) -> list[str]:
        """The chosen files that are not in ``changes`` as they were when they were chosen."""
        now = {change.path: change for change in changes.files}
        return [path for path in self.paths if now.get(path) != self._files[path]]
