"""What is chosen of a change set, and the calls that take it over; its hunks as lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygent.changes import ChangeSet, FileChange, Hunk
from pygent.tui.choosing import Selection
from pygent.tui.diff_lines import opcodes
from pygent.tui.hunk_lines import HunkLines, hunk_lines


def change(path: str, hunks: int = 1, **fields: object) -> FileChange:
    made = tuple(Hunk(10 * number, (b"old\n",), 10 * number, (b"new\n",)) for number in range(hunks))
    return replace(FileChange(path, "changed", hunks=made), **fields)  # type: ignore[arg-type]


CHANGES = ChangeSet((change("a"), change("b", 3), change("bin", 0, binary=True), change("c", 2)))


def test_nothing_is_chosen_at_first() -> None:
    selection = Selection(CHANGES)
    assert not selection
    assert selection.takings() == []
    assert selection.takings(everything=True) == [(None, None, "leave")]


def test_a_file_or_some_of_its_hunks_are_chosen() -> None:
    selection = Selection(CHANGES)
    selection.toggle("bin")
    selection.toggle_hunk("b", 2)
    selection.toggle_hunk("b", 0)
    assert [selection.mark(path) for path in CHANGES.paths] == ["none", "some", "all", "none"]
    assert selection.has("b", 0)
    assert not selection.has("b", 1)
    assert selection.takings() == [(("b", "bin"), {"b": (0, 2)}, "leave")]
    selection.toggle_hunk("b", 1)
    assert selection.mark("b") == "all"
    assert selection.takings() == [(("b", "bin"), None, "leave")]
    selection.toggle_hunk("b", 1)
    selection.toggle("b")
    assert selection.mark("b") == "all"  # what is chosen in part is chosen whole, then not at all
    selection.toggle("b")
    assert selection.mark("b") == "none"


def test_what_is_not_there_is_not_chosen() -> None:
    selection = Selection(CHANGES)
    selection.toggle("nowhere")
    selection.toggle_hunk("a", 1)
    selection.toggle_hunk("nowhere", 0)
    selection.toggle_hunk("bin", 0)
    selection.decide("nowhere", "ours")
    assert not selection


def test_a_link_that_leads_out_is_chosen_by_itself_only() -> None:
    changes = ChangeSet((change("a"), change("link", 0, link="/etc/passwd", leads_out=True)))
    selection = Selection(changes)
    selection.toggle_all(changes.paths)
    assert selection.paths == ("a",)
    selection.decide("a", "theirs")
    assert selection.takings(everything=True) == [(("a",), None, "theirs")]
    selection.toggle("link")
    assert "link" in selection.paths


def test_decisions_make_calls_of_their_own() -> None:
    selection = Selection(CHANGES)
    selection.toggle("a")
    selection.toggle_hunk("b", 1)
    selection.decide("b", "markers")
    selection.decide("c", "theirs")
    assert selection.mark("c") == "all"  # what was decided about is chosen
    assert selection.takings() == [
        (("a",), None, "leave"),
        (("c",), None, "theirs"),
        (("b",), {"b": (1,)}, "markers"),
    ]
    assert [taking.on_conflict for taking in selection.takings(everything=True)] == ["leave", "theirs", "markers"]
    assert selection.undecided(["a", "b", "bin"]) == ["a"]
    assert selection.undecided(["a", "b", "bin"], everything=True) == ["a", "bin"]
    selection.decide("c", "theirs")
    assert selection.decision("c") is None


def test_a_choice_is_kept_for_what_is_as_it_was() -> None:
    selection = Selection(CHANGES)
    for path in ("a", "c"):
        selection.toggle(path)
    selection.toggle_hunk("b", 1)
    selection.decide("c", "ours")
    newer = ChangeSet((change("a", 2), change("b", 3), change("new")))
    carried = selection.carried(newer)
    assert carried.takings() == [(("b",), {"b": (1,)}, "leave")]
    assert selection.changed_in(newer) == ["a", "c"]
    assert selection.changed_in(CHANGES) == []


paths = st.sampled_from(["a", "b", "bin", "c"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("file"), paths),
        st.tuples(st.just("hunk"), paths, st.integers(0, 3)),
        st.tuples(st.just("decide"), paths, st.sampled_from(["ours", "theirs", "markers"])),
        st.tuples(st.just("all"), st.lists(paths)),
    ),
    max_size=30,
)


@given(steps)
def test_the_calls_are_exactly_what_is_marked(steps: list[tuple[object, ...]]) -> None:
    selection = Selection(CHANGES)
    acts = {
        "file": selection.toggle,
        "hunk": selection.toggle_hunk,
        "decide": selection.decide,
        "all": selection.toggle_all,
    }
    for name, *arguments in steps:
        acts[str(name)](*arguments)  # type: ignore[operator]
    marked = {(path, hunk) for path in CHANGES.paths for hunk in range(3) if selection.has(path, hunk)}
    called: set[tuple[str, int]] = set()
    seen: list[str] = []
    for taking in selection.takings():
        assert taking.paths
        assert set(taking.hunks or ()) <= set(taking.paths)
        for path in taking.paths:
            assert taking.on_conflict == (selection.decision(path) or "leave")
            whole = selection.mark(path) == "all"
            chosen = range(3) if whole else (taking.hunks or {})[path]
            assert whole or 0 < len(chosen) < len((CHANGES.of(path) or change("")).hunks)
            called |= {(path, hunk) for hunk in chosen}
        seen += taking.paths
    assert called == marked
    assert len(seen) == len(set(seen)) == len(selection)


texts = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"\xff\n", b"\n", b"d\rd\n"]), max_size=40)


@given(texts, texts, st.booleans(), st.integers(1, 5), st.booleans())
def test_lines_of_hunks_are_those_of_the_files(
    old: list[bytes], new: list[bytes], split: bool, size: int, open_end: bool
) -> None:
    if open_end and new:
        new = [*new[:-1], new[-1].rstrip(b"\n") or b"x"]
    hunks = tuple(
        Hunk(a, tuple(old[a:b]), c, tuple(new[c:d]))
        for tag, a, b, c, d in opcodes([str(line) for line in old], [str(line) for line in new])
        if tag != "equal"
    )
    seen_old: set[int] = set()
    for hunk in hunk_lines(FileChange("f", "changed", hunks=hunks), b"".join(old)):
        parts = list(hunk.parts(size, split=split))
        lines = [line for part in parts for line in hunk.lines(part)]
        assert sorted(lines, key=str) == sorted(hunk.all_lines(), key=str)
        for line in lines:
            side, number = (old, line.old) if line.kind != "+" else (new, line.new)
            assert number is not None
            assert side[number - 1].decode("utf-8", "replace") == line.text + ("\n" if line.ends else "")
            if line.kind != "+":
                assert number not in seen_old  # no line stands in two hunks
                seen_old.add(number)


def test_a_hunk_says_where_it_is() -> None:
    hunk = HunkLines(Hunk(4, (b"x\n",), 4, (b"y\n", b"z\n")), [b"a\n", b"b\n"], [b"c\n"])
    assert hunk.place == "@@ -3,4 +3,5 @@"
    assert HunkLines(Hunk(0, (), 0, (b"y\n",))).place == "@@ -0,0 +1,1 @@"
    assert HunkLines(Hunk(0, (b"y\n",), 0, ())).place == "@@ -1,1 +0,0 @@"


@pytest.mark.parametrize(
    ("removed", "added", "words"),
    [((b"a\r\n",), (b"a\n",), "CRLF → LF"), ((b"a\n",), (b"a",), "LF → none"), ((b"a\n",), (b"b\n",), "")],
)
def test_what_only_line_ends_changed_is_said(removed: tuple[bytes], added: tuple[bytes], words: str) -> None:
    assert HunkLines(Hunk(0, removed, 0, added)).only_line_ends == words


def test_a_hunk_of_many_lines_is_made_in_parts() -> None:
    hunk = HunkLines(Hunk(0, (), 0, tuple(b"line %d\n" % number for number in range(100_000))))
    parts = list(hunk.parts(60, split=False))
    assert sum(hunk.rows(part, split=False) for part in parts) == 100_000
    assert hunk.lines(parts[-1])[-1].text == "line 99999"
