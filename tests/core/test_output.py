"""What is kept of a command's output."""

from __future__ import annotations

import os
import stat
import tracemalloc
from pathlib import Path

import pytest

from pygent.sandbox.output import OutputBuffer


def test_short_output_is_kept_whole_and_makes_no_file(tmp_path: Path) -> None:
    buffer = OutputBuffer(spill_dir=tmp_path / "spill")
    assert buffer.feed(b"one\n") == "one\n"
    assert buffer.feed(b"two\n") == "two\n"
    assert buffer.finish() == ""
    assert buffer.text() == "one\ntwo\n"
    assert buffer.file is None
    assert not buffer.flooded
    assert not (tmp_path / "spill").exists()


@pytest.mark.hostile(21)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_a_character_split_between_two_pieces_stays_whole(size: int) -> None:
    raw = "aé€🙂z\r\n".encode() * 20
    buffer = OutputBuffer()
    seen = "".join(buffer.feed(raw[i : i + size]) for i in range(0, len(raw), size)) + buffer.finish()
    assert seen == buffer.text() == raw.decode()


@pytest.mark.hostile(21)
def test_bytes_that_are_no_text_are_shown() -> None:
    buffer = OutputBuffer()
    seen = buffer.feed(b"a\xff\xfe\x00b\xe2\x82") + buffer.finish()
    assert seen == "a��\x00b�"
    assert buffer.text() == seen


def test_long_output_keeps_head_and_tail_and_all_of_it_in_a_file(tmp_path: Path) -> None:
    buffer = OutputBuffer(head=100, tail=50, spill_dir=tmp_path / "spill")
    raw = b"".join(b"%06d\n" % n for n in range(1000))
    for start in range(0, len(raw), 33):
        buffer.feed(raw[start : start + 33])
    buffer.finish()
    text = buffer.text()
    assert text.startswith("000000\n000001\n")
    assert text.endswith("000998\n000999\n")
    assert buffer.file is not None
    assert buffer.file in text
    assert f"{len(raw) - 150:,} bytes left out" in text
    assert Path(buffer.file).read_bytes() == raw
    assert stat.S_IMODE(os.stat(buffer.file).st_mode) == 0o600


def test_head_and_tail_are_cut_between_characters(tmp_path: Path) -> None:
    for head in range(10, 14):
        for tail in range(10, 14):
            buffer = OutputBuffer(head=head, tail=tail, spill_dir=tmp_path)
            buffer.feed("€".encode() * 100)
            buffer.feed("🙂".encode() * 100)
            assert "�" not in buffer.text()
            buffer.finish()


def test_exactly_head_and_tail_is_still_whole(tmp_path: Path) -> None:
    buffer = OutputBuffer(head=10, tail=10, spill_dir=tmp_path)
    buffer.feed(b"0123456789abcdefghij")
    assert buffer.text() == "0123456789abcdefghij"
    assert buffer.file is None
    buffer.feed(b"k")
    buffer.finish()
    assert buffer.text().startswith("0123456789\n[… 1 bytes left out")
    assert buffer.text().endswith("bcdefghijk")


@pytest.mark.hostile(18)
def test_the_budget_ends_it_and_memory_stays_flat(tmp_path: Path) -> None:
    budget = 4 * 1024 * 1024
    buffer = OutputBuffer(budget=budget, spill_dir=tmp_path)
    piece = b"y\n" * 32 * 1024
    tracemalloc.start()
    try:
        for _ in range(200):
            buffer.feed(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    buffer.finish()
    assert buffer.flooded
    assert buffer.total == budget
    assert buffer.feed(b"more") == ""
    assert buffer.file is not None
    assert Path(buffer.file).stat().st_size == budget
    assert f"the first {budget:,} bytes are in" in buffer.text()
    assert peak < 1024 * 1024


def test_the_budget_reached_exactly_is_no_flood() -> None:
    buffer = OutputBuffer(budget=4)
    assert buffer.feed(b"abcd") == "abcd"
    assert not buffer.flooded
    assert buffer.feed(b"e") == ""
    assert buffer.flooded


def test_a_spill_folder_that_cannot_be_made_costs_only_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    buffer = OutputBuffer(head=4, tail=4, spill_dir=tmp_path / "file" / "spill")
    buffer.feed(b"0123456789abcdef")
    buffer.finish()
    assert buffer.file is None
    assert "could not be kept" in buffer.text()
    assert buffer.text().startswith("0123")
    assert buffer.text().endswith("cdef")


def test_without_a_spill_folder_the_rest_is_lost_and_said() -> None:
    buffer = OutputBuffer(head=4, tail=4)
    buffer.feed(b"0123456789abcdef")
    assert "could not be kept" in buffer.text()


@pytest.mark.hostile(22)
def test_a_million_progress_lines(tmp_path: Path) -> None:
    buffer = OutputBuffer(spill_dir=tmp_path)
    for start in range(0, 1_000_000, 1000):
        buffer.feed(b"".join(b"\r%7d" % n for n in range(start, start + 1000)))
    buffer.finish()
    assert buffer.text().endswith("\r 999999")
    assert len(buffer.text()) < 140_000
