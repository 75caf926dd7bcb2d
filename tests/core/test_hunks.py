"""Hunks: what they leave out and what they put in is the whole difference."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygent.changes.hunks import hunks_between, is_text, split, with_hunks

TEXTS = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"d\r\n", b"e"]), max_size=12).map(b"".join)


@given(TEXTS, TEXTS)
def test_all_hunks_make_the_new_text_and_none_the_old(old: bytes, new: bytes) -> None:
    hunks = hunks_between(old, new)
    assert with_hunks(old, hunks) == new
    assert with_hunks(old, hunks, ()) == old
    assert bool(hunks) == (old != new)


@given(TEXTS, TEXTS, st.sets(st.integers(0, 12)))
def test_the_rest_of_the_hunks_is_what_is_left(old: bytes, new: bytes, chosen: set[int]) -> None:
    hunks = hunks_between(old, new)
    chosen &= set(range(len(hunks)))
    part = with_hunks(old, hunks, chosen)
    assert with_hunks(part, hunks_between(part, new)) == new


@given(TEXTS, TEXTS)
def test_hunks_say_where_they_stand_on_both_sides(old: bytes, new: bytes) -> None:
    before, after = split(old), split(new)
    for hunk in hunks_between(old, new):
        assert hunk.removed or hunk.added
        assert tuple(before[hunk.old_start :][: len(hunk.removed)]) == hunk.removed
        assert tuple(after[hunk.new_start :][: len(hunk.added)]) == hunk.added


def test_hunks_that_do_not_fit_are_refused() -> None:
    hunks = hunks_between(b"1\n2\n3\n", b"1\nx\n3\n")
    with pytest.raises(ValueError, match="hunk 0 does not fit"):
        with_hunks(b"1\n9\n3\n", hunks)


def test_a_moved_block_stays_readable() -> None:
    old = b"def a():\n    return 1\n\ndef b():\n    return 2\n"
    new = b"def a():\n    return 1\n\ndef c():\n    return 3\n\ndef b():\n    return 2\n"
    (hunk,) = hunks_between(old, new)
    assert hunk.removed == ()
    assert len(hunk.added) == 3


def test_the_same_lines_over_and_over_take_no_time() -> None:
    old = b"".join(b"%d\n" % (number % 7) for number in range(40_000))
    new = b"".join(b"%d\n" % (number % 5) for number in range(40_000))
    began = time.monotonic()
    assert with_hunks(old, hunks_between(old, new)) == new
    assert time.monotonic() - began < 5


def test_what_has_lines() -> None:
    assert is_text(b"a\r\nb", None, b"")
    assert is_text(b"\xff\xfe not utf-8\n")
    assert not is_text(b"a", b"\0")
