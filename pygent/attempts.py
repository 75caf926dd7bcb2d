"""What a run's attempts did to files, so that the next one can begin where the first did."""

from __future__ import annotations

import json
from typing import Any

from pygent.errors import PygentError
from pygent.openai_compat import ToolCall

WRITING = frozenset({"write_file", "edit_file"})


def written_path(call: ToolCall) -> str:
    """The path that a call of a tool writes, "" where it writes none."""
    if call.function.name not in WRITING:
        return ""
    try:
        return str(json.loads(call.function.arguments)["path"])
    except (ValueError, KeyError, TypeError):
        return ""


class Attempts:
    """The files that the tools of one run wrote: what was there before, and what they left."""

    def __init__(self, runtime: Any) -> None:
        self._workspace: Any = getattr(runtime, "workspace", None)
        self._before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes | None] = {}
        self._others = False

    @property
    def untouched(self) -> bool:
        """Whether everything is certainly as it was: no command ran, and all files are what they were before."""
        return not self._others and all(self._after.get(name, was) == was for name, was in self._before.items())

    @property
    def made_files(self) -> bool:
        """Whether some file was not there before."""
        return None in self._before.values()

    def before(self, call: ToolCall) -> None:
        """A call is about to be made."""
        path = written_path(call)
        self._others |= not path
        name = self._name(path) if path else ""
        if name and name not in self._before:
            self._before[name] = self._content(name)

    def after(self, call: ToolCall) -> None:
        """A call was made."""
        name = self._name(written_path(call))
        if name in self._before:
            self._after[name] = self._content(name)

    def put_back(self) -> list[str]:
        """Make the files what they were. Answers their paths; what somebody else changed since stays as it is."""
        done = []
        for name, before in self._before.items():
            if self._after.get(name, before) == before or self._content(name) != self._after[name]:
                continue
            try:
                if before is None:
                    self._workspace.delete(name)
                else:
                    self._workspace.write_bytes(name, before)
            except PygentError:
                continue
            self._after[name] = before
            done.append(name)
        return done

    def _name(self, path: str) -> str:
        try:
            return str(self._workspace.relative(path)) if self._workspace is not None else ""
        except PygentError:
            return ""

    def _content(self, name: str) -> bytes | None:
        try:
            return bytes(self._workspace.read_bytes(name))
        except PygentError:
            return None
