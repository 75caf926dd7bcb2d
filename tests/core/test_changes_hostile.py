"""Change sets when the disk is full, and when the process is killed in the middle: both sides are as they were."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str) -> list[int]:
    """Run a program that looks at everything itself and ends with its counts."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts: list[int] = json.loads(done.stdout)
    return counts


@pytest.mark.hostile(10)
@pytest.mark.parametrize("way", ["kernel", "plain"])
def test_killed_in_the_middle(way: str) -> None:
    forward, back = run(sys.executable, "-m", "tests.core.changes_killed", "71", way)
    assert forward > 10
    assert back > 10


def _namespace() -> list[str]:
    """What gives a process file systems of its own, empty where nothing does."""
    for options in (["-m"], ["-rm"]):
        command = ["unshare", *options]
        if shutil.which("unshare"):
            found = subprocess.run([*command, "true"], capture_output=True, check=False)
            if found.returncode == 0:
                return command
    return []


@pytest.mark.hostile(10)
def test_a_full_disk(tmp_path: Path) -> None:
    namespace = _namespace()
    if not namespace:
        pytest.skip("no file system can be mounted here")
    script = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$2" -m tests.core.changes_full "$1"'
    forward, back, copy = run(*namespace, "sh", "-c", script, "sh", str(tmp_path), sys.executable)
    assert forward > 5
    assert back > 5
    assert copy > 2


CLOSED = """
import difflib, os, tempfile
from pathlib import Path
from pygent.changes.base import Base
from pygent.changes.take_over import apply
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace

if os.geteuid() == 0:  # who reads everything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
    top = Path(name)
    source = top / "source"
    (source / "closed").mkdir(parents=True)
    for path in ("a", "b", "closed/c", "d"):
        (source / path).write_text(path)
    (source / "b").chmod(0)
    (source / "closed").chmod(0)
    base = Base.make(Workspace(source), ["a", "b", "closed/c", "d"], top / "root", top / "base")
    print(*base.paths, *base.notes, sep="|")
    (top / "root/a").write_text("changed")
    (top / "root/d").write_text("changed")
    (top / "root/d").chmod(0)
    (top / "root/new").write_text("new")
    changes = base.changes(["new"])
    print(*changes.paths, *changes.notes, sep="|")
    source.chmod(0o555)
    try:
        apply(base, changes, Workspace(source), undo=top / "undo")
    except WorkspaceError as error:
        print(error)
    print(sorted(os.listdir(source)), (source / "a").read_text(), os.path.exists(top / "undo"))
    source.chmod(0o755)
    (source / "closed").chmod(0o755)
"""


def test_what_is_not_permitted_is_said_and_changes_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", CLOSED], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.splitlines() == [
        "a|d|'b' is not in the copy: permission denied.|'closed/c' is not in the copy: permission denied.",
        "a|new|'d' could not be read: Permission denied.",
        "Nothing was changed: permission denied.",
        "['a', 'b', 'closed', 'd'] a False",
    ], done.stderr


FILES_LIMITED = """
import resource, sys
from pathlib import Path
from pygent.changes.base import Base
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace

resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
top = Path(sys.argv[1])
try:
    Base.make(Workspace(top / "source"), ["large"], top / "root", top / "base")
except WorkspaceError as error:
    print(error)
"""


def test_a_limit_of_the_size_of_files(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE
    (tmp_path / "source").mkdir()
    (tmp_path / "source/large").write_bytes(bytes(range(256)) * 1000)
    done = subprocess.run(
        [sys.executable, "-c", FILES_LIMITED, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "The workspace could not be copied: File too large.\n"
    assert os.listdir(tmp_path / "root") == os.listdir(tmp_path / "base") == []
