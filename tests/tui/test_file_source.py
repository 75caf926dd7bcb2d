"""Lines of a file that are read when they are seen, against the same lines split in memory."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from pygent.tui.panes.file_source import BLOCK, FileSource, pictured
from pygent.tui.panes.hex_source import HexSource
from pygent.tui.panes.line_layout import Layout
from pygent.tui.panes.line_source import LONG, Match

OPEN: list[FileSource] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def opened(path: Path) -> FileSource:
    source = FileSource(path.open("rb"))
    OPEN.append(source)
    if found := source.scan():
        source.absorb(found)
    return source


def file_of(folder: Path, data: bytes) -> Path:
    (folder / "f").write_bytes(data)
    return folder / "f"


def split(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def text_of(source: FileSource, line: int) -> str:
    size = source.long(line)
    return source.piece(line, 0, size).text if size else source.line(line).text


SHAPES = {
    "short lines": lambda rng: b"".join(b"%d\n" % n for n in range(rng.randrange(40_000))),
    "empty lines": lambda rng: b"\n" * rng.randrange(3 * BLOCK),
    "no line end": lambda rng: b"x" * rng.randrange(3 * BLOCK),
    "mixed": lambda rng: b"\n".join(
        bytes([97 + n % 26]) * rng.choice([0, 1, 30, 200, LONG, LONG + 1, BLOCK - 1, BLOCK, 2 * BLOCK + 7])
        for n in range(60)
    ),
    "one block": lambda rng: b"y" * (BLOCK - 1) + b"\n" + b"z" * rng.randrange(9),
    "accents": lambda rng: "\n".join("é日" * rng.randrange(3000) for _ in range(40)).encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_the_lines_are_those_of_the_file(tmp_path: Path, shape: str, seed: int) -> None:
    data = SHAPES[shape](random.Random(seed))
    source = opened(file_of(tmp_path, data))
    lines = split(data)
    assert source.count() == len(lines)
    assert source.first(source.chunks()) == len(lines)
    rng = random.Random(1)
    for number in {rng.randrange(len(lines)) for _ in range(60)} | {0, len(lines) - 1} if lines else ():
        assert text_of(source, number) == lines[number].decode()
        assert source.first(source.chunk_of(number)) <= number < source.first(source.chunk_of(number) + 1)


@pytest.mark.parametrize("seed", range(4))
def test_a_file_that_grows_is_as_if_it_had_been_whole(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    data = SHAPES["mixed"](rng)
    path = file_of(tmp_path, b"")
    source = opened(path)
    assert source.count() == 0
    at = 0
    with path.open("ab") as out:
        while at < len(data):
            size = rng.choice([1, 7, 5000, BLOCK, 100_000])
            out.write(data[at : at + size])
            out.flush()
            at += size
            before = source.count()
            found = source.scan()
            assert found is not None
            changed = source.absorb(found)
            lines = split(data[:at])
            assert source.count() == len(lines)
            assert changed >= before - 1
            assert text_of(source, len(lines) - 1) == lines[-1].decode()
    assert source.scan() is None


@pytest.mark.parametrize("width", [1, 7, 80])
def test_rows_cut_a_long_line_without_loss_and_never_too_wide(tmp_path: Path, width: int) -> None:
    rng = random.Random(width)
    garbage = rng.randbytes(9000).replace(b"\n", b"x")
    for data in ("añ日🙂".encode() * 2000, garbage, b"\t\0\x1b[31m" * 2000):
        source = opened(file_of(tmp_path, data))
        source.binary = False
        size, step = source.long(0), source.step(0, width)
        assert size == len(data)
        pieces = [source.piece(0, at, at + step).text for at in range(0, size, step)]
        if width > 1:  # a wide character has no room in one cell
            assert max(map(cell_len, pieces)) <= width + (3 if data is garbage else 0)
        if data is not garbage:
            assert "".join(pieces) == pictured(data.decode("utf-8", "replace"))


def test_what_a_terminal_would_obey_is_taken_out_or_shown(tmp_path: Path) -> None:
    source = opened(file_of(tmp_path, b"\x1b[31mred\x1b[0m\r\n10%\r20%\r\na\tb\n\xff\xfe\n"))
    assert [source.line(n).text for n in range(4)] == ["red", "20%", "a    b", "��"]
    binary = opened(file_of(tmp_path, b"\x7fELF\0\x01\x1b[31m\nx\n"))
    assert binary.binary
    assert binary.line(0).text == "␡ELF␀␁␛[31m"


def test_a_layout_counts_what_it_shows(tmp_path: Path) -> None:
    rng = random.Random(5)
    data = SHAPES["mixed"](rng) + b"\n" + SHAPES["short lines"](rng)
    source = opened(file_of(tmp_path, data))
    layout = Layout(source, 50, wrap=True)
    while layout.count_ahead(1.0):
        pass
    layout.apply()
    lines = split(data)
    rows = [(number, part) for number, line in enumerate(lines) for part in range(max(1, -(-len(line) // 50)))]
    assert layout.total == len(rows)
    for row in rng.sample(range(len(rows)), 300):
        assert layout.place(row) == rows[row]
        assert layout.row_of(*rows[row]) == row


def test_what_is_sought_is_found_with_its_place(tmp_path: Path) -> None:
    data = b"x" * 100 + b"Needle\n" + b"needle needle\n" * 3 + b"y" * 3_000_000 + b"needle" + b"z" * 9000 + b"needle"
    source = opened(file_of(tmp_path, data))
    find = re.compile(re.escape("needle"), re.IGNORECASE)
    assert [match for match in source.find(find) if match] == [
        Match(0, 100),
        Match(1, 0),
        Match(2, 0),
        Match(3, 0),
        Match(4, 3_000_000),
        Match(4, 3_009_006),
    ]
    assert len([match for match in HexSource(source).find(find) if match]) >= 5


def test_bytes_stand_sixteen_a_line(tmp_path: Path) -> None:
    source = HexSource(opened(file_of(tmp_path, bytes(range(256)) + b"end")))
    assert source.count() == 17
    assert source.line(4).text.startswith("00000040  40 41 42")
    assert source.line(4).text.rstrip().endswith("@ABCDEFGHIJKLMNO")
    assert source.line(16).text.split() == ["00000100", "65", "6e", "64", "end"]
    layout = Layout(source, 60, wrap=True)
    layout.count_rows(0, 100)
    assert layout.total == 34


def test_an_index_of_much_is_made_quickly_and_stays_small(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"\n" * 20_000_000 + b"x" * 12_000_000)
    began = time.perf_counter()
    source = opened(path)
    assert time.perf_counter() - began < 2
    assert source.count() == 20_000_001
    assert source.chunks() < 1000
    assert source.long(20_000_000) == 12_000_000


def test_a_closed_or_shortened_file_is_empty_and_no_error(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"line\n" * 50_000)
    source = opened(path)
    path.write_bytes(b"")
    for number in (0, 30_000, 49_999):
        assert source.line(number).text == ""
        assert source.long(number) == 0
    source.close()
    assert source.line(7).text == ""
    assert source.scan() is None
