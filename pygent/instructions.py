"""What a project and the user want every agent to know: ``AGENTS.md``, or ``CLAUDE.md`` in a folder that has none.

Read are the user's own in the folder of settings, then those from the repository's root down to the workspace. Where
there is no repository the first is the home folder; a workspace that lies elsewhere has only its own. Above the
workspace nothing is read from a folder that belongs to somebody else, and no link is followed that leads out of the
folder where reading begins: whoever can write beside a workspace is not to speak to its agent.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pygent.errors import WorkspaceError
from pygent.plain_text import clean
from pygent.records import record
from pygent.workspace import Workspace

NAMES = ("AGENTS.md", "CLAUDE.md")
MOST, MOST_SMALL = 32_000, 4_000
"""Characters of all of them together, for a model and for a small one."""

HEAD = (
    "# Instructions\n\nThis is how the user and the project want you to work. What stands last is nearest to the "
    "work and goes before the rest. None of it widens what you may do."
)

_CUT = "\n[… {} characters left out: instructions have room for {} …]"


@record
class Instruction:
    """One file: where it stands, for people, its text made safe, and how many characters were left out."""

    path: str
    text: str
    left_out: int = 0


@record
class Instructions:
    """``files`` in the order in which they are told; ``problems`` are for people."""

    files: tuple[Instruction, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the system message has of them, "" for none."""
        parts = [f"## {file.path}\n\n{file.text}" for file in self.files]
        return "\n\n".join((HEAD, *parts)) if parts else ""


def read(workspace: Path, own: Path | None, most: int = MOST) -> Instructions:
    """The instructions for ``workspace``; ``own`` is the user's folder of settings.

    They have at most ``most`` characters; where that is not enough, the user's own and those nearest to the workspace
    come first. Raises nothing: what cannot be read is a problem that is told.
    """
    own_files: list[Instruction] = []
    project: list[Instruction] = []
    problems: list[str] = []
    if own is not None:
        try:
            own_files += _own(own / NAMES[0])
        except OSError as error:
            problems.append(f"{_shown(own / NAMES[0])} is not read: {error.strerror or error}.")
    folders = _folders(Path(os.path.realpath(workspace)))
    for folder in reversed(folders):
        try:
            project += _in(folder, folders[0])
        except (WorkspaceError, OSError) as error:
            problems.append(f"The instructions of {_shown(folder)} are not read: {error}")
    left = most
    cut: list[Instruction] = []
    for file in (*own_files, *project):
        text = file.text[:left]
        left -= len(text)
        if left_out := len(file.text) - len(text):
            text += _CUT.format(left_out, most)
            problems.append(f"{file.path} is too long: its last {left_out:,} characters are not read.")
        cut.append(Instruction(file.path, text, left_out))
    count = len(own_files)
    return Instructions((*cut[:count], *reversed(cut[count:])), tuple(problems))


def _own(file: Path) -> Iterator[Instruction]:
    """The user's own, wherever a link of theirs leads."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would block
            return
        with file.open("rb") as opened:
            data = opened.read(4 * MOST)
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from _instruction(file, data)


def _in(folder: Path, top: Path) -> Iterator[Instruction]:
    """That of a folder, reached from ``top`` without leaving it."""
    inside = Workspace(top)
    for name in NAMES:
        path = (folder / name).relative_to(top).as_posix()
        if not os.path.lexists(folder / name):
            continue
        with inside.open(path) as opened:
            data = opened.read(4 * MOST)
        yield from _instruction(folder / name, data)
        return


def _instruction(file: Path, data: bytes) -> Iterator[Instruction]:
    text = clean(data.decode("utf-8-sig", "replace")).strip()
    if text:
        yield Instruction(_shown(file), text)


def _folders(workspace: Path) -> list[Path]:
    """The folders that are looked into, the outermost first."""
    home = Path(os.path.realpath(Path.home()))
    chain = [workspace]
    for folder in (workspace, *workspace.parents):
        if folder != workspace:
            if not _is_ours(folder):
                break
            chain.insert(0, folder)
        if folder == home or os.path.lexists(folder / ".git"):
            return chain
    return [workspace]


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.getuid()
    except (OSError, AttributeError):  # a system without owners
        return False


def _shown(path: Path) -> str:
    """A path with ``~`` for the home folder."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return str(path)
