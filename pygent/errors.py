"""Every exception that Pygent raises on purpose.

::

    PygentError
    ├── SettingsError            a settings file, variable or option cannot be used
    ├── WorkspaceError           a path or a file cannot be used
    │   └── PathOutsideWorkspace a path leads out of the workspace
    ├── SandboxError             a command could not be run at all
    │   └── SandboxUnavailable   the sandbox asked for is not there
    ├── APIError                 the model's server failed or refused
    │   └── APITemporaryError    the same request may succeed later
    ├── ToolError                a tool call failed; the text is for the model
    ├── StuckError               a model repeats itself without end
    ├── SessionInUse             a stored session is open in another Pygent
    ├── TaskError                a task could not be started or found
    │   └── TaskLost             whoever worked on a task is gone
    └── Stopped                  the work was told to end
        ├── Cancelled            by a person or by the parent
        └── DeadlineExceeded     by a time limit

An error for the programmer is raised; an error for the model is a tool result.
"""

from __future__ import annotations

from pathlib import Path


class PygentError(Exception):
    """Base of all exceptions of this package."""


class SettingsError(PygentError):
    """A settings file, variable or option cannot be used.

    ``file`` and ``line`` (counted from 1) say where, ``key`` says which; each is None where it does not apply.
    ``whole`` is true where nothing of the file could be read.
    """

    whole = False

    def __init__(
        self, message: str, *, file: str | Path | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        where = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(f"{where}{message}")
        self.file = str(file) if file is not None else None
        self.line = line
        self.key = key


class WorkspaceError(PygentError):
    """A path or a file of the workspace cannot be used."""


class PathOutsideWorkspace(WorkspaceError):
    """A path leads out of the workspace."""

    def __init__(self, path: str, reason: str = "") -> None:
        detail = f" ({reason})" if reason else ""
        super().__init__(
            f"{path!r} is outside the workspace{detail}. Paths are relative to the workspace and cannot leave it, "
            "not by '..', not absolute, not through a symbolic link."
        )
        self.path = path


class SandboxError(PygentError):
    """A command could not be run at all (a command that fails is a result, not an error)."""


class SandboxUnavailable(SandboxError):
    """The sandbox that was asked for is not there; the text says what to do."""


class APIError(PygentError):
    """The model's server failed or refused; the text names the URL and what to check.

    ``status`` is the HTTP status or None where there was no answer.
    """

    def __init__(self, message: str, *, url: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class APITemporaryError(APIError):
    """A rate limit, a server error or a lost connection that outlasted the retries."""


class ToolError(PygentError):
    """A tool call failed. The text is written for the model, which reads it as the call's result."""


class StuckError(PygentError):
    """A model made the same call over and over; the run was ended."""


class SessionInUse(PygentError):
    """A stored session is open in another Pygent; ``pid`` and ``host`` say which, 0 and "" where nothing is known."""

    def __init__(self, session_id: str, holder: str, *, pid: int = 0, host: str = "") -> None:
        super().__init__(
            f"session {session_id[:8]} is open in {holder}; --fork goes on with a copy of it, and "
            f"`pygent replay --follow {session_id[:8]}` watches it"
        )
        self.session_id = session_id
        self.holder = holder
        self.pid = pid
        self.host = host


class TaskError(PygentError, RuntimeError):
    """A task could not be started or found."""


class TaskLost(TaskError):
    """Whoever worked on a task is gone; what stands in its workspace stays."""


class Stopped(PygentError):
    """The work was told to end before it was done."""


class Cancelled(Stopped):
    """A person or the parent ended the work."""


class DeadlineExceeded(Stopped):
    """A time limit ended the work."""
