"""What a task's workspace begins with: a copy of its parent's, or of the files that were named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pygent.changes.base import Base
from pygent.changes.repository import copy_repository
from pygent.errors import TaskError
from pygent.file_list import list_files
from pygent.git import Repository
from pygent.tasks.files import copy_between
from pygent.tasks.place import Record
from pygent.tasks.task import Order, Task
from pygent.tools.ignore import RulesAbove
from pygent.workspace import Workspace

_RULES_LIMIT = 1024 * 1024


def furnish(task: Task, order: Order) -> None:
    """Fill the workspace of the task's agent, and remember what it began as where both sides have workspaces.

    Raises ``WorkspaceError`` and ``TaskError``, in words.
    """
    source: Workspace | None = getattr(order.parent_rt, "workspace", None)
    target: Workspace | None = getattr(task.agent.runtime, "workspace", None)
    if source is None or target is None or task.place is None:
        if order.workspace == "copy":
            raise TaskError('workspace="copy" needs a runtime with a workspace on both sides; name files instead')
        for path in order.files:
            copy_between(order.parent_rt, task.agent.runtime, path, path)
        return
    if any(True for _ in target.scan_dir()):
        if order.workspace == "copy":
            raise TaskError(f'workspace="copy" needs an empty workspace; {str(target.root)!r} has files')
        for path in order.files:
            copy_between(order.parent_rt, task.agent.runtime, path, path)
        return
    everything = source.walk() if task.place.record.ignored else list_files(source)
    paths = everything if order.workspace == "copy" else named(source, order.files)
    task.base = Base.make(source, paths, target.root, task.place.base, cancel=task.cancel, durable=task.place.kept)
    # An agent of a factory may bring a workspace of its own, and its parent's may begin below its repository's top.
    root = "" if target.root == task.place.workspace else str(target.root)
    above = rules_above(source) if order.workspace == "copy" else []
    if root or above:
        task.place.save(root=root, rules_above=above)
    if order.workspace == "copy":
        note = copy_repository(source, target.root, cancel=task.cancel)
        task.base.notes += (note,) if note else ()


def named(workspace: Workspace, files: Sequence[str]) -> Iterator[str]:
    """The files that ``files`` name, those below a folder one by one.

    Raises ``WorkspaceError`` where there is no such file.
    """
    for path in files:
        name = workspace.relative(path)
        if workspace.is_dir(name):
            yield from workspace.walk(name)
            continue
        with workspace.open(name):  # says in words why not
            yield name
        yield workspace.host_path(name).relative_to(workspace.root).as_posix()  # what a link leads to


def listing(root: Path, record: Record) -> Iterator[str]:
    """The paths in a task's workspace that count: all that are not ignored there, or with ``ignored`` those, too."""
    workspace = Workspace(root)
    if record.ignored:
        return workspace.walk()
    return list_files(workspace, alone=True, above=[RulesAbove(below, lines) for below, lines in record.rules_above])


def rules_above(workspace: Workspace) -> list[tuple[str, list[str]]]:
    """What a repository that begins above the workspace ignores in it, the nearest first.

    Each is the way down to the workspace from the folder that the rules stand in, and the rules.
    """
    repository = Repository.find(workspace.root)
    if repository is None or not repository.prefix:
        return []
    way = repository.prefix.rstrip("/").split("/")
    folders = [(repository.top.joinpath(*way[:depth]), "/".join(way[depth:])) for depth in range(len(way))]
    found = [(repository.prefix.rstrip("/"), _rules(repository.common / "info/exclude"))]
    found += [(below, _rules(folder / ".gitignore")) for folder, below in folders]
    return [(below, lines) for below, lines in reversed(found) if lines]


def _rules(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            return opened.read(_RULES_LIMIT).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
