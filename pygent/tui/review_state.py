"""A review as it goes on: what was compared, what is chosen, what is being done, and what is to be said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pygent.changes import ChangeSet
from pygent.errors import PygentError
from pygent.tui.choosing import Decision, Selection
from pygent.tui.reviewing import Compared, Outcome, Reviewer, Said, names, said_applied, said_undone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

T = TypeVar("T")


class ReviewState:
    """Everything that takes time runs on threads, one thing after the other.

    ``changed`` is called when anything is other than it was, ``failed`` with errors that nobody foresaw.
    """

    def __init__(
        self, reviewer: Reviewer, changed: Callable[[], object], failed: Callable[[Exception], object]
    ) -> None:
        self.compared = Compared()
        self.selection = Selection()
        self.busy = ""
        """What is being done, in a word, else empty."""
        self.said = Said("")
        self.loaded = False
        """Whether anything was compared yet."""
        self.had_changes = False
        """Whether there were any to decide on."""
        self.key: Callable[[str, str], str] = lambda _, default: default
        """The key of a binding's id, as the person has it; the second argument is how it comes."""
        self._reviewer = reviewer
        self._changed = changed
        self._failed = failed
        self._lock = asyncio.Lock()
        self._acting = False
        self._quiet = False
        self._points = 1  # that the last apply made; undo takes all of them back
        self._written: tuple[str, ...] = ()
        self._asked: tuple[bool, tuple[str, ...]] | None = None

    def say(self, text: str, role: str = "") -> None:
        """Tell the person something."""
        self.said = Said(text, role)
        self._changed()

    # Choosing.

    def toggle(self, path: str) -> None:
        """Choose a file, or not."""
        self.selection.toggle(path)
        self._chose()

    def toggle_hunk(self, path: str, hunk: int) -> None:
        """Choose a hunk, or not."""
        self.selection.toggle_hunk(path, hunk)
        self._chose()

    def toggle_all(self, paths: Iterable[str]) -> None:
        """Choose all of these files; where they are chosen already, choose them no more."""
        self.selection.toggle_all(paths)
        self._chose()

    def decide(self, path: str, decision: Decision) -> None:
        """Decide about a conflict; the same decision again takes it back."""
        self.selection.decide(path, decision)
        self._chose()

    def _chose(self) -> None:
        self._asked = None
        self._changed()

    # Comparing.

    async def compare(self, *, quiet: bool = False) -> None:
        """Compare again; ``quiet`` leaves what was said last in its place.

        What was chosen stays so where it is as it was.
        """
        async with self._lock:
            self._quiet = quiet
            try:
                dropped = await self._compare()
            finally:
                self._quiet = False
            if dropped:
                verb = "is other than it was" if len(dropped) == 1 else "are other than they were"
                self.say(f"{names(dropped)} {verb}; choose again.", "warning")

    async def _compare(self) -> list[str] | None:
        """Answers the files that had been chosen and are others now, None where it failed."""
        changes = await self._run("comparing …", self._reviewer.changes)
        return None if changes is None else await self._took(changes)

    async def _took(self, changes: ChangeSet) -> list[str] | None:
        """Show a change set, then what stands in its way."""
        while True:  # as long as somebody chooses meanwhile
            selection, edits = self.selection, self.selection.edits
            made = await self._run("comparing …", partial(self._reviewer.carried, selection, changes, self.compared))
            if made is None or edits == selection.edits:
                break
        if made is None:
            return None
        self.compared, self.selection, dropped = made
        self.loaded = True
        self.had_changes |= bool(changes)
        self._changed()
        about = await self._run("looking for conflicts …", partial(self._reviewer.about, changes))
        if about is None:
            return None
        self.compared = about
        self._changed()
        return dropped

    # Acting.

    async def apply(self, *, everything: bool) -> str | None:
        """Take over all or what is chosen. Answers a path about which something is to be decided first."""
        async with self._act() as free:
            if not free:
                return None
            if not everything and not self.selection:
                choose, all_ = self.key("changes.choose", "Space"), self.key("review.apply-all", "a")
                text = f"Nothing is chosen: {choose} chooses a file or a hunk, {all_} applies everything."
                self.said = Said(text, "warning")
                return None
            if not await self._is_as_shown(everything=everything):
                return None
            takings = self.selection.takings(everything=everything)
            found = await self._run(
                "looking for conflicts …", partial(self._reviewer.conflicts, takings, self.compared.changes)
            )
            if found is None:
                return None
            if undecided := tuple(found):
                self.compared = replace(self.compared, conflicts={**self.compared.conflicts, **found})
                if self._asked != (everything, undecided):
                    self._asked = everything, undecided
                    self.said = self._to_decide(undecided, everything=everything)
                    return undecided[0]
            self._asked = None
            outcome = await self._run("applying …", partial(self._reviewer.apply, takings, self.compared.changes))
            if outcome is not None:
                await self._applied(outcome)
            return None

    async def _is_as_shown(self, *, everything: bool) -> bool:
        """Whether what is to be taken over is what the person has seen; else it is shown, and told."""
        shown, chosen = self.compared.changes, None if everything else self.selection
        found = await self._run("comparing …", partial(self._reviewer.changed_since, shown, chosen))
        if found is None:
            return False
        changes, others = found
        if others:
            await self._took(changes)
            verb = "is other than it was shown" if len(others) == 1 else "are other than they were shown"
            self.said = Said(f"Nothing was applied: {names(others)} {verb}. Look again.", "warning")
        return not others

    async def _applied(self, outcome: Outcome) -> None:
        if outcome.points:
            self._points, self._written = outcome.points, outcome.applied.paths
        said = said_applied(outcome, self.selection, undo=self.key("review.undo", "u"))
        if await self._compare() is not None:
            self.said = said
        else:  # then there are two things to say
            self.said = Said(f"{said.text} {self.said.text}", "error")

    async def undo(self) -> None:
        """Take the last apply back."""
        async with self._act() as free:
            if not free:
                return
            found = await self._run("taking back …", partial(self._reviewer.undo, self._points))
            written, self._written, self._points = self._written, (), 1
            if found is not None and await self._compare() is not None:
                self.said = said_undone(found, written)

    async def discard(self) -> None:
        """Give all changes up."""
        async with self._act() as free:
            if not free or await self._run("discarding …", self._reviewer.discard) is None:
                return
            self._points, self._written = 1, ()
            if await self._compare() is not None:
                undo = self.key("review.undo", "u")
                self.said = Said(f"All of it was given up. {undo} takes that back until the session ends.", "success")

    @asynccontextmanager
    async def _act(self) -> AsyncIterator[bool]:
        """One thing after the other: False where one that changes files goes on already."""
        if self._acting:
            yield False
            return
        self._acting = True
        try:
            async with self._lock:
                self.said = Said("")
                yield True
        finally:
            self._acting = False
            self._changed()

    async def _run(self, words: str, job: Callable[[], T]) -> T | None:
        """Do something on a thread; None where it failed, which is said then."""
        self.busy = "" if self._quiet else words
        self._changed()
        try:
            return await asyncio.to_thread(job)
        except (OSError, PygentError) as error:
            self.said = Said(str(error) or type(error).__name__, "error")
        except Exception as error:  # the boundary of the screen: what it shows stays
            self.said = Said(f"That did not work: {type(error).__name__}: {error}", "error")
            self._failed(error)
        finally:
            self.busy = ""
            self._changed()
        return None

    def _to_decide(self, paths: tuple[str, ...], *, everything: bool) -> Said:
        verb = "conflicts" if len(paths) == 1 else "conflict"
        again = self.key("review.apply-all", "a") if everything else self.key("review.apply", "Enter")
        ours, theirs, markers = (
            self.key(f"review.{name}", key) for name, key in (("ours", "m"), ("theirs", "t"), ("markers", "w"))
        )
        return Said(
            f"{names(paths)} {verb} with what was changed here. {ours}, {theirs} or {markers} decides; "
            f"{again} again applies the rest.",
            "warning",
        )
