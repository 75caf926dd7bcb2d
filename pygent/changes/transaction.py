"""Carries out steps in a workspace, all of them or none.

New contents are written beside their places first, so that a full disk shows before anything has changed. Then names
are changed, and what stood there keeps a name until the end, so that putting it back needs no room and gives back the
very file. What is taken away is looked at afterwards: where it is not what was planned for, all of it is put back.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from pygent.changes.blocked import below
from pygent.changes.contents import Other, write_version
from pygent.changes.data import KEEP_LIMIT, copy_content, digest_of, digest_of_large, read_all
from pygent.changes.journal import SINGLY, Folder, Item, Journal, Stamp, in_words, settle
from pygent.changes.steps import Step
from pygent.changes.tree import NEW_FILE, OPEN_FILE, Entry, Tree, same
from pygent.errors import PygentError, WorkspaceError
from pygent.moving import exchange, move
from pygent.workspace import Workspace, owner_of

_RECENT = 2_000_000_000
"""Nanoseconds within which a file's time may not tell two versions from each other."""


class Recorded(Protocol):
    """What is moved along with a workspace, such as a ``Base``."""

    def entry(self, path: str) -> Entry | None:
        """What a path is in it."""

    def record(self, entries: Mapping[str, Entry | None]) -> object:
        """Let these paths be others in it, durably."""


class Transaction:
    """The steps of one journal. What raises raises ``OSError``."""

    def __init__(self, target: Workspace, journal: Journal) -> None:
        self._target = target
        self._journal = journal
        self._modes: Mapping[str, int] = {}

    # -- forward

    def stage(self, steps: list[Step], modes: Mapping[str, int]) -> None:
        """Write the new contents. ``modes`` are those of folders that will be made."""
        self._modes = modes
        with Tree(self._target.root) as tree:
            for item, step in zip(self._journal.items, steps, strict=True):
                if step.new is None:
                    continue
                folder = tree.folder(item.place)
                entry = step.new.entry
                owner = owner_of(self._target.root, tree.stat(step.path) if step.old is not None else None)
                if entry.link is not None:
                    os.symlink(entry.link, item.name, dir_fd=folder)
                    if owner is not None:
                        os.chown(item.name, *owner, dir_fd=folder, follow_symlinks=False)
                else:
                    folder = tree.folder(item.place)
                    fd = os.open(item.name, NEW_FILE, 0o600, dir_fd=folder)
                    try:
                        write_version(step.new, fd)
                        if owner is not None:
                            os.fchown(fd, *owner)
                        os.fchmod(fd, entry.mode)
                        if len(steps) <= SINGLY:
                            os.fsync(fd)
                    finally:
                        os.close(fd)
                item.staged = _stamp(tree.folder(item.place), item.name)
        if len(steps) > SINGLY:
            settle(None)

    def commit(self) -> None:
        """Change the names. Raises ``Other`` where something is not what was planned for."""
        journal = self._journal
        with Tree(self._target.root) as tree, Tree(self._target.root) as places:
            for item in journal.items:
                if item.new is None:
                    self._take_away(tree, places, item)
            for gone in journal.gone:
                tree.forget()
                with contextlib.suppress(OSError):  # not empty: then it stays
                    folder, name = tree.parent(gone.path)
                    os.rmdir(name, dir_fd=folder)
            owner = owner_of(self._target.root, None)
            for path in journal.made:
                tree.forget()
                folder, name = tree.parent(path)
                os.mkdir(name, self._modes.get(path, 0o777), dir_fd=folder)
                if owner is not None:
                    os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)
            tree.forget()
            places.forget()
            for item in journal.items:
                if item.new is not None:
                    self._put(tree, places, item)
            tree.forget()
            self._settle(tree)

    def _settle(self, tree: Tree) -> None:
        """Wait until the names are on the disk."""
        items = self._journal.items
        if len(items) > SINGLY:
            settle(None)
            return
        for path in sorted({item.path.rpartition("/")[0] for item in items} | {item.place for item in items}):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # it was removed
                tree.sync(path)

    def _take_away(self, tree: Tree, places: Tree, item: Item) -> None:
        folder, name = tree.parent(item.path)
        place = places.folder(item.place)
        os.rename(name, item.name, src_dir_fd=folder, dst_dir_fd=place)
        self._check(place, item.name, item)

    def _put(self, tree: Tree, places: Tree, item: Item) -> None:
        folder, name = tree.parent(item.path)
        place = places.folder(item.place)
        if item.old is None:
            try:
                move(place, item.name, folder, name)
            except FileExistsError:
                raise Other(0, f"{item.path!r} was made meanwhile") from None
        elif self._target.kernel and exchange(place, item.name, folder, name):
            self._check(place, item.name, item)
        else:
            os.rename(name, _aside(item), src_dir_fd=folder, dst_dir_fd=place)
            move(place, item.name, folder, name)
            self._check(place, _aside(item), item)

    @staticmethod
    def _check(place: int, name: str, item: Item) -> None:
        """What was taken away is what was planned for."""
        assert item.old is not None
        found = os.stat(name, dir_fd=place, follow_symlinks=False)
        if not _is(item.old, found, place, name):
            raise Other(0, f"{item.path!r} was changed meanwhile")

    # -- back

    def put_back(self, base: Recorded) -> list[str]:
        """Put back what was done so far; answers the paths that others changed since, which stay as they are.

        Raises ``WorkspaceError`` too. It can be done again where it was interrupted.
        """
        journal = self._journal
        state = journal.state
        left: list[str] = []
        if state == "staging":
            self.clean()
        elif state is not None:
            left = self._back()
            changed = {path: entry for path, entry in journal.before.items() if not same(base.entry(path), entry)}
            if changed:
                base.record(changed)
        if left:
            journal.keep()
        else:
            journal.remove()
        return left

    def _back(self) -> list[str]:
        journal = self._journal
        with Tree(self._target.root) as tree, Tree(self._target.root) as places:
            written = [item for item in reversed(journal.items) if item.new is not None]
            left = [item.path for item in written if not self._unput(tree, places, item)]
            for path in reversed(journal.made):
                tree.forget()
                with contextlib.suppress(OSError):
                    folder, name = tree.parent(path)
                    os.rmdir(name, dir_fd=folder)
            for gone in reversed(journal.gone):
                tree.forget()
                _make_again(tree, gone)
            tree.forget()
            places.forget()
            removed = [item for item in reversed(journal.items) if item.new is None]
            left += [item.path for item in removed if not self._untake(tree, places, item)]
        return sorted(left)

    def _unput(self, tree: Tree, places: Tree, item: Item) -> bool:
        here = _stamp_at(tree, item.path)
        try:
            place = places.folder(item.place)
        except (FileNotFoundError, NotADirectoryError):
            return here is None or here != item.staged
        temporary, aside = _stamp(place, item.name), _stamp(place, _aside(item))
        is_staged = item.staged is None or temporary == item.staged
        if aside is None and (temporary is None or is_staged):  # nothing stood there, or it was not put there yet
            if temporary is not None:
                os.unlink(item.name, dir_fd=place)
            elif item.old is None and item.staged is not None and here == item.staged:
                folder, name = tree.parent(item.path)
                os.unlink(name, dir_fd=folder)
            elif item.old is None and here is not None and item.staged is not None:
                return False
            return True
        old = _aside(item) if aside is not None else item.name
        if here is not None and here != item.staged:
            return _drop(place, old, item, self._journal.folder)
        folder, name = tree.parent(item.path)
        if here is None:
            move(place, old, folder, name)
        elif self._target.kernel and exchange(place, old, folder, name):
            os.unlink(old, dir_fd=place)
        else:
            os.rename(old, name, src_dir_fd=place, dst_dir_fd=folder)
        if aside is not None and temporary is not None:
            os.unlink(item.name, dir_fd=place)
        return True

    def _untake(self, tree: Tree, places: Tree, item: Item) -> bool:
        try:
            place = places.folder(item.place)
        except (FileNotFoundError, NotADirectoryError):
            return True
        if _stamp(place, item.name) is None:
            return True
        try:
            folder, name = tree.parent(item.path)
            move(place, item.name, folder, name)
        except OSError:
            return _drop(place, item.name, item, self._journal.folder)
        return True

    def clean(self) -> None:
        """Remove what stood there, once it is not needed any more."""
        with Tree(self._target.root) as places:
            for item in self._journal.items:
                for name in (item.name, _aside(item)):
                    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                        os.unlink(name, dir_fd=places.folder(item.place))


def carry_out(
    base: Recorded, target: Workspace, journal: Journal, steps: list[Step], modes: Mapping[str, int]
) -> None:
    """Do what the journal says, in ``target`` and in ``base``, or nothing. Raises ``WorkspaceError``.

    ``modes`` are those of folders that are made.
    """
    transaction = Transaction(target, journal)
    for step in steps:
        target.before_change(step.path)
    journal.make_folder()
    try:
        journal.begin(steps)
        transaction.stage(steps, modes)
        journal.write()
        journal.enter("committing")
        transaction.commit()
        base.record(journal.after)
        journal.enter("cleaning")
    except BaseException as error:
        try:
            left = transaction.put_back(base)
        except (OSError, PygentError) as second:
            raise WorkspaceError(
                f"It was interrupted ({error}), and could not be put back ({second}). It will be when the task is "
                f"opened next; what the files were is kept in {str(journal.folder)!r}."
            ) from error
        if not isinstance(error, OSError):
            raise
        more = f" What stood at {', '.join(map(repr, left))} is kept in {str(journal.folder)!r}." if left else ""
        raise in_words(error, more) from error
    with contextlib.suppress(OSError):  # it is done; what is left here is removed when the task is opened next
        transaction.clean()
        journal.enter("applied")


def lay_out(target: Path, journal: Journal, steps: Iterable[tuple[int, Step]], gone: Iterable[str]) -> None:
    """Fill in the journal: temporary names, folders to be made, and those of ``gone`` that may be removed.

    Of ``gone``, and of what is below a file's place, no folder is removed in which something is written or stays.
    """
    steps = list(steps)
    written = [step.path for _, step in steps if step.new is not None]
    needed = {folder for path in written for folder in _above(path)}
    with Tree(target) as tree:
        leaving = dict.fromkeys(path for path in gone if path not in needed)
        for path in written:
            found = tree.stat(path)
            if found is not None and stat.S_ISDIR(found.st_mode):
                leaving |= dict.fromkeys([*below(tree, path, folders=True), path])
        for path in sorted(leaving, key=lambda path: (-path.count("/"), path)):
            found = tree.stat(path)
            if found is not None and stat.S_ISDIR(found.st_mode):
                mode = stat.S_IMODE(found.st_mode) & 0o7777
                journal.gone.append(Folder(path, mode, found.st_uid, found.st_gid))
        leaving_now = {folder.path for folder in journal.gone}
        made = dict.fromkeys(journal.made)
        for folder in sorted(needed):
            found = tree.stat(folder)
            if found is None or not stat.S_ISDIR(found.st_mode):
                made[folder] = None
        journal.made = sorted(made)
        for number, (part, step) in enumerate(steps):
            place = next(_standing_folders(tree, step.path, leaving_now))
            old = step.old.entry if step.old is not None else None
            new = step.new.entry if step.new is not None else None
            name = f".pygent-{journal.token}-{number}.tmp"
            journal.items.append(Item(step.path, place, name, old, new, part))


def _standing_folders(tree: Tree, path: str, leaving: set[str]) -> Iterator[str]:
    """The folders above a path that are there and stay, the innermost first."""
    for folder in reversed(_above(path)):
        found = tree.stat(folder)
        if found is not None and stat.S_ISDIR(found.st_mode) and folder not in leaving:
            yield folder
    yield ""


def _above(path: str) -> list[str]:
    return [path[:place] for place, sign in enumerate(path) if sign == "/"]


def _aside(item: Item) -> str:
    return f"{item.name}.old"


def _make_again(tree: Tree, gone: Folder) -> None:
    """Make a folder that was removed; nothing where it, or something else, stands there."""
    with contextlib.suppress(FileExistsError, FileNotFoundError, NotADirectoryError):
        folder, name = tree.parent(gone.path)
        os.mkdir(name, 0o700, dir_fd=folder)
        os.chmod(name, gone.mode, dir_fd=folder)
        if os.geteuid() == 0:
            os.chown(name, gone.uid, gone.gid, dir_fd=folder, follow_symlinks=False)


def _drop(place: int, name: str, item: Item, folder: Path) -> bool:
    """A file whose place was taken by another one goes into the journal's folder, unless it was kept there before."""
    found = os.stat(name, dir_fd=place, follow_symlinks=False)
    if item.old is None or _stamp(place, name) != (item.old.ino, item.old.size, item.old.mtime_ns):
        if not stat.S_ISREG(found.st_mode):
            return False
        fd = os.open(name, OPEN_FILE, dir_fd=place)
        try:
            copy = os.open(folder / f"other-{name}", NEW_FILE & ~os.O_EXCL | os.O_TRUNC, 0o600)
            try:
                copy_content(fd, copy)
            finally:
                os.close(copy)
        finally:
            os.close(fd)
    os.unlink(name, dir_fd=place)
    return False


def _stamp(folder: int, name: str) -> Stamp | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _stamp_at(tree: Tree, path: str) -> Stamp | None:
    try:
        return _stamp(*tree.parent(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is(entry: Entry, found: os.stat_result, folder: int, name: str) -> bool:
    """Whether a file that was looked at is still the same, content and all."""
    if (found.st_ino, found.st_size, found.st_mtime_ns) != (entry.ino, entry.size, entry.mtime_ns):
        return False
    if entry.kind == "link":
        return stat.S_ISLNK(found.st_mode) and os.readlink(name, dir_fd=folder) == entry.link
    if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o777 != entry.mode:
        return False
    if time.time_ns() - found.st_mtime_ns > _RECENT:
        return True
    fd = os.open(name, OPEN_FILE, dir_fd=folder)
    try:
        size = os.fstat(fd).st_size
        return (digest_of(read_all(fd, size)) if size <= KEEP_LIMIT else digest_of_large(fd, size)) == entry.digest
    finally:
        os.close(fd)
