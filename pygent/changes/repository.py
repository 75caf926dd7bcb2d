"""Copies a workspace's git repository, so that git works in the copy of its files as well.

Only what git needs to read and write history comes along: objects, references, the index, what is excluded. Hooks,
remote addresses, credentials, and whatever the configuration could run stay behind.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from pygent.cancellation import CancelToken
from pygent.changes.blocked import below
from pygent.changes.data import copy_content
from pygent.changes.tree import NEW_FILE, Tree
from pygent.git import Repository
from pygent.git.repository import harmless_values
from pygent.workspace import Workspace, owner_of, reason_of

SIZE_LIMIT = 256 * 1024 * 1024
"""Bytes of a repository that is copied."""

FILES_LIMIT = 20_000

_COMMON = ("objects", "refs", "packed-refs", "reftable", "shallow")
_INFO = ("info/exclude", "info/attributes", "info/sparse-checkout")
_BORROWED = ("objects/info/alternates", "objects/info/http-alternates")


def copy_repository(source: Workspace, root: Path, *, cancel: CancelToken | None = None) -> str:
    """Copy the repository of ``source`` to ``.git`` in the folder ``root``, which has none.

    Answers in words why it was left out, empty where it is there, and where there is no git or no repository. Raises
    ``Stopped`` where ``cancel`` is; nothing is left then.
    """
    repository = Repository.find(source.root)
    if repository is None:
        return ""
    reason = _unfit(repository, source.root)
    if reason:
        return f"The git repository is not in the copy: {reason}."
    unfinished = root / f".git.pygent-{os.getpid()}"
    try:
        try:
            unfinished.mkdir(0o700)
            reason = _copied(repository, unfinished, owner_of(source.root, None), cancel)
            if not reason:
                unfinished.rename(root / ".git")
        except OSError as error:
            reason = reason_of(error)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return f"The git repository is not in the copy: {reason}." if reason else ""


def _unfit(repository: Repository, root: Path) -> str:
    if repository.top != root:
        return "it begins above the workspace"
    own, common = repository.own, repository.common
    if own == root / ".git" and common == own:
        return ""
    # A linked work tree: both sides have to know of each other, so that no file can point git at anything else.
    try:
        back = os.fsdecode((own / "gitdir").read_bytes()[:4096]).strip()
        known = (own / back).resolve() == root / ".git" and own.parent == common / "worktrees"
    except OSError:
        known = False
    return "" if known else "it is kept elsewhere"


def _copied(repository: Repository, into: Path, owner: tuple[int, int] | None, cancel: CancelToken | None) -> str:
    """Copy what is needed; answers why not."""
    wanted: list[tuple[Path, str]] = []
    left = SIZE_LIMIT
    for base, path, size in _parts(repository):
        wanted.append((base, path))
        left -= size
        if path in _BORROWED:
            return "it borrows objects from another one"
        if left < 0:
            return f"it has more than {SIZE_LIMIT // 1024**2} MiB"
        if len(wanted) > FILES_LIMIT:
            return f"it has more than {FILES_LIMIT:,} files"
    with Tree(repository.own) as own, Tree(repository.common) as common:
        for base, path in wanted:
            if cancel is not None:
                cancel.check()
            to = into / path
            if not to.parent.exists():
                to.parent.mkdir(parents=True)
            _copy(own if base == repository.own else common, path, to)
    for name in ("objects", "refs"):
        (into / name).mkdir(exist_ok=True)
    (into / "config").write_text(_config(repository.common / "config"), encoding="utf-8")
    if owner is not None:
        for one in [into, *into.rglob("*")]:
            os.chown(one, *owner, follow_symlinks=False)
    return ""


def _parts(repository: Repository) -> Iterator[tuple[Path, str, int]]:
    """The files that are copied: the folder they are in, their paths there, and their sizes."""
    for base, names in ((repository.own, _own(repository.own)), (repository.common, [*_COMMON, *_INFO])):
        with Tree(base) as tree:
            for name in names:
                found = tree.stat(name)
                if found is None:
                    continue
                paths = [name] if not stat.S_ISDIR(found.st_mode) else below(tree, name)
                for path in paths:
                    one = tree.stat(path)
                    if one is not None and stat.S_ISREG(one.st_mode) and not path.endswith(".lock"):
                        yield base, path, one.st_size


def _own(folder: Path) -> list[str]:
    return ["HEAD", "index", *sorted(path.name for path in folder.glob("sharedindex.*"))]


def _copy(tree: Tree, path: str, to: Path) -> None:
    try:
        fd = tree.open(path)
    except FileNotFoundError:
        return  # git packed it meanwhile
    try:
        mode = stat.S_IMODE(os.fstat(fd).st_mode) & 0o777
        copy = os.open(to, NEW_FILE, mode | 0o200)
        try:
            copy_content(fd, copy)
            os.fchmod(copy, mode)
        finally:
            os.close(copy)
    finally:
        os.close(fd)


def _config(config: Path) -> str:
    """What of the configuration tells how the data is to be read, and nothing that runs or gives access."""
    extensions, values = harmless_values(config)
    text = f"[core]\n\trepositoryformatversion = {1 if extensions else 0}\n\tbare = false\n"
    if extensions:
        text += "[extensions]\n" + "".join(f"\t{name} = {value}\n" for name, value in extensions.items())
    for name, some in values.items():
        section, _, rest = name.partition(".")
        middle, _, last = rest.rpartition(".")
        text += f'[{section} "{_quoted(middle)}"]\n' if middle else f"[{section}]\n"
        text += "".join(f'\t{last} = "{_quoted(value)}"\n' for value in some)
    return text


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
