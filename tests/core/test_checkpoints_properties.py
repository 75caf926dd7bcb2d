"""Any commands, hands, undo and redo: what was recorded comes back exactly, what others did is never touched."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.changed_trees import quick_folder, snapshot
from tests.core.checkpointed import Checkpointed
from tests.core.test_changes_properties import EDITS, TREES, Tree, put

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
COMMANDS = st.lists(EDITS, min_size=1, max_size=4)


def command(work: Checkpointed, edits: Tree, *, folder: str = "") -> None:
    with work.recorder.watching("call", "command"):
        put(work.root, edits)
        if folder and not os.path.lexists(work.root / folder):
            (work.root / folder).mkdir()


@QUICK
@given(TREES, COMMANDS, st.lists(st.booleans(), max_size=8), st.booleans())
def test_undo_and_redo_go_through_every_state(tree: Tree, commands: list[Tree], moves: list[bool], git: bool) -> None:
    with quick_folder() as top:
        (top / "work").mkdir()
        put(top / "work", tree)
        work = Checkpointed(top, git=git)
        states = [snapshot(work.root)]
        for number, edits in enumerate(commands):
            command(work, edits, folder=f"empty{number % 2}")
            if snapshot(work.root) != states[-1]:
                states.append(snapshot(work.root))
        assert len(work.stack.done) == len(states) - 1
        at = len(states) - 1
        for back in moves:
            if back and at:
                assert work.undo().left == []
                at -= 1
            elif not back and at < len(states) - 1:
                assert work.redo().left == []
                at += 1
            assert snapshot(work.root) == states[at]
        if at:
            assert work.undo(at).left == []
            assert snapshot(work.root) == states[0]
        work.close()


@QUICK
@given(TREES, COMMANDS, EDITS, st.booleans())
def test_what_others_did_stays_and_is_named(tree: Tree, commands: list[Tree], hands: Tree, git: bool) -> None:
    with quick_folder() as top:
        (top / "work").mkdir()
        put(top / "work", tree)
        work = Checkpointed(top, git=git)
        first = snapshot(work.root, folders=False)
        for edits in commands:
            command(work, edits)
        last = snapshot(work.root, folders=False)
        put(work.root, hands)
        by_hand = snapshot(work.root, folders=False)
        done = work.undo(len(work.stack.done)) if work.stack.done else None
        after = snapshot(work.root, folders=False)
        named = {one["path"] for one in done.left} if done is not None else set()
        for path in {*first, *last, *by_hand, *after}:
            changed = by_hand.get(path) != last.get(path)
            if path in named or (changed and by_hand.get(path) != first.get(path)):
                assert after.get(path) == by_hand.get(path), path
            elif path not in after or path not in by_hand or after[path] != by_hand[path]:
                assert after.get(path) == first.get(path), path
        work.close()


def test_the_folder_of_undos_is_empty_afterwards(tmp_path: Path) -> None:
    work = Checkpointed(tmp_path)
    command(work, {"a": (0o644, b"a")})
    work.undo()
    assert list((tmp_path / "undo").iterdir()) == []
    work.close()
