"""Bytes under their digest: kept once, whole or not at all, checked when read, swept when nothing uses them."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pygent.blobs import BlobError, BlobMissingError, Blobs

YEAR = 365 * 86_400.0


def _files(blobs: Blobs) -> list[Path]:
    return sorted(file for file in blobs.folder.rglob("*") if file.is_file())


def test_what_was_put_comes_back_and_is_kept_once_for_its_owner_only(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "data" / "blobs")
    assert blobs.size() == 0
    digest = blobs.put(b"hello" * 1000, sync=True)
    assert digest == hashlib.sha256(b"hello" * 1000).hexdigest()
    (tmp_path / "file").write_bytes(b"hello" * 1000)
    assert blobs.put_file(tmp_path / "file") == digest == blobs.put(b"hello" * 1000)
    assert blobs.get(digest) == b"hello" * 1000
    with blobs.open(digest) as opened:
        assert opened.read() == b"hello" * 1000
    assert blobs.get(blobs.put(b"")) == b""
    assert blobs.has(digest)
    assert not blobs.has("0" * 64)
    assert len(_files(blobs)) == 2
    assert blobs.size() == 5000
    assert {stat.S_IMODE(file.stat().st_mode) for file in _files(blobs)} == {0o600}
    folders = [blobs.folder, *(file.parent for file in _files(blobs))]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_an_open_file_is_put_from_where_it_stands(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    source = io.BytesIO(b"head" + os.urandom(3_000_000))
    source.seek(4)
    assert blobs.get(blobs.put_file(source)) == source.getvalue()[4:]


def test_what_is_damaged_or_missing_is_told_and_mended_by_the_next_put(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    digest = blobs.put(b"a text")
    file = _files(blobs)[0]
    file.write_bytes(b"a test")
    for read in (blobs.get, blobs.open):
        with pytest.raises(BlobMissingError, match=f"{digest[2:]}: it is damaged"):
            read(digest)
    file.write_bytes(b"")  # as a loss of power leaves it
    assert blobs.put(b"a text") == digest
    assert blobs.get(digest) == b"a text"
    with pytest.raises(BlobMissingError, match="not there"):
        blobs.get("0" * 64)
    for name in ("../../etc/passwd", "", "A" * 64, "0" * 63):
        with pytest.raises(BlobMissingError, match="no digest"):
            blobs.get(name)
    with pytest.raises(BlobError, match="nothing: it cannot be read"):
        blobs.put_file(tmp_path / "nothing")


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BlobError, match="cannot be written"):
        Blobs(tmp_path / "file" / "blobs").put(b"text")
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom pygent.blobs import Blobs, BlobError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    Blobs(Path(sys.argv[1])).put(b'x' * 100_000)\nexcept BlobError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "full")], capture_output=True, text=True, check=True
    )
    assert "File too large" in done.stdout
    assert _files(Blobs(tmp_path / "full")) == []


def test_only_what_nothing_uses_and_nobody_just_put_is_swept(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    used, old, put_again, new = (blobs.put(text) for text in (b"used", b"old!", b"again", b"new"))
    (blobs.folder / ".new-0123").write_bytes(b"left by a killed process")
    for file in _files(blobs):
        os.utime(file, (time.time() - YEAR, time.time() - YEAR))
    blobs.put(b"new")
    blobs.put_file(io.BytesIO(b"again"))
    assert blobs.sweep({used}) == len(b"old!") + len(b"left by a killed process")
    assert [blobs.has(one) for one in (used, old, put_again, new)] == [True, False, True, True]
    assert blobs.sweep({used}, now=time.time() + YEAR) == len(b"again") + len(b"new")
    assert len(_files(blobs)) == 1
    assert Blobs(tmp_path / "nothing").sweep(set()) == 0
