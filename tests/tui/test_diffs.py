"""Differences of files: read, found, put side by side and drawn."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygent.tools.edit import diff as edit_diff
from pygent.tui import diff_draw
from pygent.tui.colours import Palette
from pygent.tui.diffs import FileDiff, as_text, compare, parse, rows
from pygent.tui.wrap import Line, cells

PALETTE = Palette.from_variables({}, dark=True)

TEXTS = st.lists(
    st.sampled_from(["a", "b", "", "x = 1", "\r", "\t", "--- a", "+++ b", "@@ -1 +1 @@"]), max_size=30
).flatmap(lambda lines: st.sampled_from(["\n".join(lines), "\n".join(lines) + "\n"]))

GIT = """\
diff --git a/src/app.py b/src/app.py
index 83db48f..bf2a1c1 100644
--- a/src/app.py
+++ b/src/app.py
@@ -1,3 +1,3 @@ def main():
 import os
--- old
+++ new
 end
\\ No newline at end of file
diff --git a/old name.txt b/new name.txt
similarity index 90%
rename from old name.txt
rename to new name.txt
--- a/old name.txt
+++ b/new name.txt
@@ -1 +1 @@
-a
+b
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git "a/\\303\\251.txt" "b/\\303\\251.txt"
new file mode 100644
index 0000000..e69de29
diff --git a/logo.png b/logo.png
deleted file mode 100644
index e69de29..0000000
Binary files a/logo.png and /dev/null differ
diff --git a/new.py b/new.py
new file mode 100644
--- /dev/null
+++ b/new.py
@@ -0,0 +1,2 @@
+x = 1
+y = 2
"""


def applied(before: str, diff: FileDiff) -> str:
    """``before`` with the hunks of ``diff`` applied, each of which must fit."""
    old = before.split("\n")
    old = [f"{line}\n" for line in old[:-1]] + ([old[-1]] if old[-1] else [])
    out: list[str] = []
    at = 0
    for hunk in diff.hunks:
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        out += old[at:start]
        at = start
        for line in hunk.lines:
            text = line.text + ("\n" if line.ends else "")
            if line.kind != "+":
                assert old[at] == text
                assert line.old == at + 1
                at += 1
            if line.kind != "-":
                out.append(text)
                assert line.new == len(out)
    return "".join(out + old[at:])


@given(TEXTS, TEXTS, st.integers(0, 4))
def test_the_hunks_of_two_texts_make_one_into_the_other(before: str, after: str, context: int) -> None:
    diff = compare("a.txt", before, after, context)
    assert applied(before, diff) == after
    assert bool(diff.hunks) == (before != after)


@given(TEXTS, TEXTS)
def test_a_diff_is_read_as_it_was_written(before: str, after: str) -> None:
    diff = compare("some file.txt", before, after)
    if diff.hunks:
        (again,) = parse(as_text([diff]))
        assert (again.path, again.kind) == (diff.path, diff.kind)
        assert [hunk.lines for hunk in again.hunks] == [hunk.lines for hunk in diff.hunks]


@given(TEXTS, TEXTS)
def test_side_by_side_has_every_line_once_and_in_order(before: str, after: str) -> None:
    for hunk in compare("a", before, after).hunks:
        found = rows(hunk.lines)
        assert [row.old for row in found if row.old] == [line for line in hunk.lines if line.kind != "+"]
        assert [row.new for row in found if row.new] == [line for line in hunk.lines if line.kind != "-"]
        for split in (False, True):
            pieces = [line for part in diff_draw.parts(hunk.lines, 2, split=split) for line in part]
            assert sorted(pieces, key=repr) == sorted(hunk.lines, key=repr)


def test_git_tells_renames_modes_binaries_and_missing_line_ends() -> None:
    app, renamed, mode, empty, binary, new = parse(GIT)
    assert (app.path, app.added, app.removed, app.hunks[0].section) == ("src/app.py", 1, 1, "def main():")
    assert [line.text for line in app.hunks[0].lines] == ["import os", "-- old", "++ new", "end"]
    assert [line.ends for line in app.hunks[0].lines] == [True, True, True, False]
    assert (renamed.kind, renamed.old_path, renamed.path) == ("renamed", "old name.txt", "new name.txt")
    assert renamed.notes == ["90% the same"]
    assert mode.notes == ["mode 100644 → 100755"]
    assert (empty.kind, empty.path) == ("added", "é.txt")
    assert (binary.kind, binary.binary) == ("deleted", True)
    assert (new.kind, new.path, new.added) == ("added", "new.py", 2)


def test_what_edit_file_answers_is_read() -> None:
    before = "".join(f"line {number}\n" for number in range(400))
    answer = edit_diff(before, before.replace("line 7\n", "line seven\n"))
    (diff,) = parse(f"Edited a/b.py in 2 places.\n{answer}")
    assert (diff.path, diff.added, diff.removed) == ("a/b.py", 1, 1)
    (cut,) = parse(edit_diff(before, before.replace("line", "row")), "a.py")
    assert cut.path == "a.py"
    assert cut.notes == ["… 601 more lines"]
    (last,) = parse(edit_diff("a\n", "b"), "a.py")
    assert [(line.text, line.ends) for line in last.hunks[0].lines] == [("a", True), ("b", False)]


@pytest.mark.parametrize(
    "text", ["", "no diff", "@@ -1,9 +1,9 @@", "--- \n+++ \n@@ -1 +1 @@\n-", "diff --git ", "diff --git x"]
)
def test_what_is_no_diff_breaks_nothing(text: str) -> None:
    for diff in parse(text):
        diff_draw.heading(diff, 20, PALETTE)


def test_changed_words_are_found_in_lines_that_are_alike() -> None:
    diff = compare("a.py", "total = price * 2\nother\n", "total = price * quantity\nwholly new text here\n")
    changed, unlike = rows(diff.hunks[0].lines)[:2]
    assert changed.old is not None
    assert [changed.old.text[start:end] for start, end in changed.old_changes] == ["2"]
    assert changed.new is not None
    assert [changed.new.text[start:end] for start, end in changed.new_changes] == ["quantity"]
    assert (unlike.old_changes, unlike.new_changes) == ((), ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x\n" * 30_000, "y\n" + "x\n" * 29_000),
        ("".join(f"{n % 50}\n" for n in range(9000)), "".join(f"{n % 49}\n" for n in range(9000))),
        ("".join(f"{n}\n" for n in range(30_000)), "".join(f"{n}{'!' * (n % 9 == 0)}\n" for n in range(30_000))),
        ("a b " * 100_000, "a c " * 100_000),
    ],
)
def test_large_and_odd_texts_take_no_time(before: str, after: str) -> None:
    begin = time.process_time()
    diff = compare("a", before, after)
    for hunk in diff.hunks[:50]:
        diff_draw.unified(hunk.lines[:100], 5, "", 100, PALETTE)
    assert time.process_time() - begin < 2
    assert applied(before, diff) == after


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def test_both_ways_of_drawing_have_numbers_and_signs() -> None:
    (hunk,) = compare("a.py", "a\nb = 1\nc\n", "a\nb = 2\nnew\nc\n").hunks
    assert text_of(diff_draw.unified(hunk.lines, 3, "python", 30, PALETTE)) == [
        "  1   a",
        "  2 - b = 1",
        "  2 + b = 2",
        "  3 + new",
        "  4   c",
    ]
    assert text_of(diff_draw.side_by_side(hunk.lines, 3, "python", 31, PALETTE)) == [
        "  1   a        │  1   a",
        "  2 - b = 1    │  2 + b = 2",
        "               │  3 + new",
        "  3   c        │  4   c",
    ]
    marked = [
        segment.text
        for line in diff_draw.unified(hunk.lines, 3, "", 30, PALETTE)
        for segment in line
        if segment.style and segment.style.bgcolor == PALETTE.added_mark.bgcolor
    ]
    assert marked == ["2"]


@given(st.text(max_size=80), st.text(max_size=80), st.integers(24, 60))
def test_drawn_lines_fit_whatever_the_text(before: str, after: str, width: int) -> None:
    for hunk in compare("a.py", before, after).hunks:
        for draw in (diff_draw.unified, diff_draw.side_by_side):
            lines = draw(hunk.lines, 3, "python", width, PALETTE)
            assert all(cells(line) <= width for line in lines)
            assert not any(char in "".join(text_of(lines)) for char in "\x1b\x07\r\t")


@pytest.mark.parametrize(
    ("path", "language"),
    [("a/b.py", "python"), ("Makefile", "make"), ("x.rs", "rust"), ("LICENSE", ""), ("a.b c", ""), (".env", "env")],
)
def test_the_language_follows_from_the_name(path: str, language: str) -> None:
    assert diff_draw.language_of(str(Path(path))) == language
