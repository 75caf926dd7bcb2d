"""Prompts on disk: the history of a workspace, and what was not sent when a Pygent ended.

Both lie in the user's data folder, readable only by their owner, named by the workspace. The history is one file of
JSON lines that several Pygents append to. What is unsent has a file for each Pygent, beside a lock that the living
one holds: a file whose lock is free was left by one that has ended, however it ended.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from pygent.locks import hold, holding, in_turn
from pygent.settings.paths import write_private
from pygent.tui.draft import Draft, from_json, to_json

KEPT = 500
"""Prompts of the history that are read; twice as many stay in the file before it is cut."""

LARGEST = 4 * 1024 * 1024
"""Bytes of the history's end that are read."""

LARGEST_PROMPT = 1024 * 1024
"""Bytes of a prompt above which it is not kept."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """What stands in the prompt and in the queue."""

    draft: Draft = field(default_factory=Draft)
    queued: tuple[Draft, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.draft.text.strip() or self.queued)


class PromptFiles:
    """The files of one workspace. Methods raise ``OSError`` where the disk refuses; what is damaged is skipped.

    What begins with a blank or holds one of ``secrets`` is not written.
    """

    def __init__(self, folder: Path, workspace: str, secrets: Sequence[str] = ()) -> None:
        self._folder = folder
        self._secrets = secrets
        self._key = hashlib.sha256(os.fsencode(os.path.realpath(workspace))).hexdigest()[:20]
        self._history = folder / f"{self._key}.jsonl"
        self._own = f"{self._key}.{uuid4().hex[:12]}"
        self._lock: int | None = None

    # The history.

    def history(self) -> list[Draft]:
        """The newest prompts, the newest last. Cuts the file where it has grown long."""
        try:
            with self._history.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > LARGEST:
                    file.seek(size - LARGEST)
                    file.readline()
                lines = [line for line in file.read().splitlines() if line.strip()]
        except FileNotFoundError:
            return []
        if len(lines) > 2 * KEPT or size > LARGEST:
            self._cut()
        drafts: list[Draft] = []
        for line in lines[-KEPT:]:
            with contextlib.suppress(ValueError, RecursionError):
                draft = from_json(json.loads(line))
                if draft is not None and draft.text and (not drafts or drafts[-1] != draft):
                    drafts.append(draft)
        return drafts

    def append(self, draft: Draft) -> None:
        """Add a prompt, unless it is very large."""
        if not draft.text or not self._may_be_kept(draft):
            return
        line = _encoded({"at": int(time.time()), **to_json(draft)})
        if len(line) > LARGEST_PROMPT:
            return
        with self._turn():
            handle = os.open(self._history, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, b"\n" + line + b"\n")  # after a line that another Pygent did not finish, too
            finally:
                os.close(handle)

    def _cut(self) -> None:
        with self._turn():
            lines = [line for line in self._history.read_bytes().splitlines() if line.strip()][-KEPT:]
            while len(lines) > 1 and sum(map(len, lines)) > LARGEST // 2:
                del lines[: 1 + len(lines) // 10]
            write_private(self._history, b"\n".join(lines).decode("utf-8", "replace") + "\n")

    # What is unsent.

    def keep(self, unsent: Unsent) -> None:
        """Write what is unsent now in the place of what was."""
        file = self._folder / f"{self._own}.draft"
        draft = unsent.draft if self._may_be_kept(unsent.draft) else Draft()
        unsent = Unsent(draft, tuple(filter(self._may_be_kept, unsent.queued)))
        if not unsent:
            file.unlink(missing_ok=True)
            return
        self._hold_lock()
        value = {"draft": to_json(unsent.draft), "queued": [to_json(draft) for draft in unsent.queued]}
        write_private(file, _encoded(value).decode() + "\n")

    def left(self) -> list[Unsent]:
        """Take over what Pygents that have ended did not send, the oldest first.

        It is kept as this one's own before theirs is removed: ended in between, it comes twice rather than never.
        """
        found: list[tuple[float, Path, Unsent]] = []
        with contextlib.ExitStack() as locks:
            for lock in self._folder.glob(f"{self._key}.*.lock"):
                if lock.stem != self._own and _taken(lock, locks):
                    file = lock.with_suffix(".draft")
                    with contextlib.suppress(OSError, ValueError, RecursionError):
                        found.append((file.stat().st_mtime, file, _unsent(json.loads(file.read_bytes()))))
                    locks.callback(lock.unlink, missing_ok=True)
                    locks.callback(file.unlink, missing_ok=True)
            found.sort(key=lambda one: one[0])
            unsent = [one[2] for one in found if one[2]]
            if unsent:
                queued = tuple(draft for one in unsent for draft in one.queued)
                self.keep(Unsent(unsent[-1].draft, queued))
            for earlier in unsent[:-1]:
                self.append(earlier.draft)
        return unsent

    def close(self) -> None:
        """Let go of the lock; what is unsent stays for the next Pygent."""
        if self._lock is not None:
            if not (self._folder / f"{self._own}.draft").exists():
                (self._folder / f"{self._own}.lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _may_be_kept(self, draft: Draft) -> bool:
        if draft.text[:1].isspace():
            return False
        whole = draft.whole() if self._secrets else ""
        return not any(secret in whole for secret in self._secrets)

    def _hold_lock(self) -> None:
        if self._lock is None:
            self._make_folder()
            self._lock = hold(self._folder / f"{self._own}.lock")

    def _turn(self) -> contextlib.AbstractContextManager[None]:
        self._make_folder()
        return in_turn(self._folder / "history.lock")

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _taken(lock: Path, stack: contextlib.ExitStack) -> bool:
    """Whether the lock is free; ``stack`` holds it then."""
    try:
        return stack.enter_context(holding(lock))
    except OSError:
        return False


def _unsent(value: object) -> Unsent:
    if not isinstance(value, dict):
        return Unsent()
    queued: Sequence[object] = value["queued"] if isinstance(value.get("queued"), list) else ()
    drafts = [draft for one in queued if (draft := from_json(one)) is not None and draft.text.strip()]
    return Unsent(from_json(value.get("draft")) or Draft(), tuple(drafts))


def _encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
