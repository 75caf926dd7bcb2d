"""What a task's workspace begins with: a copy of its parent's, or of the files that were named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pygent.changes.base import Base
from pygent.changes.repository import copy_repository
from pygent.errors import TaskError
from pygent.file_list import list_files
from pygent.tasks.files import copy_between
from pygent.tasks.task import Order, Task
from pygent.workspace import Workspace


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
    task.base = Base.make(source, paths, target.root, task.place.base, cancel=task.cancel)
    if target.root != task.place.workspace:  # an agent of a factory may bring a workspace of its own
        task.place.save(root=str(target.root))
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


def listing(root: Path, *, ignored: bool) -> Iterator[str]:
    """The paths in a task's workspace that count: all that are not ignored there, or with ``ignored`` those, too."""
    workspace = Workspace(root)
    return workspace.walk() if ignored else list_files(workspace, alone=True)
