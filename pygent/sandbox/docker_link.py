"""What a sandbox holds of the engine: a client, a container, a shell; taken together and given back together."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from pygent.errors import SandboxError, SandboxUnavailable
from pygent.sandbox.docker_container import Container, Plan, cannot_start
from pygent.sandbox.docker_engine import Endpoint, connect, explain, find_endpoint, ping
from pygent.sandbox.docker_images import have_image
from pygent.sandbox.docker_reaper import reap
from pygent.sandbox.docker_shell import Shell, ShellEnded
from pygent.sandbox.docker_workspace import check_same_folder
from pygent.sandbox.protected import Protected

PATIENCE = 2.0
"""Seconds that an engine which may be gone has for a sign of life, which costs less than a millisecond."""

SETTLE = 2.0
"""Seconds in which an engine learns that a container has ended that takes no new process."""

_PAUSE = 0.02


class Link:
    """``start`` and ``open_shell`` by one thread at a time, ``release`` by any, also while they run."""

    def __init__(self) -> None:
        self.container: Container | None = None
        self.shell: Shell | None = None
        self._api: Any = None
        self._endpoint: Endpoint | None = None
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._released = False
        self._silent = False
        self._protected: Protected | None = None

    def start(self, plan: Plan, on_progress: Callable[[str], None] | None, check: Callable[[], object]) -> None:
        """Have the image and start the container. Raises ``SandboxUnavailable``, and what ``check`` raises."""
        endpoint = self._endpoint = find_endpoint()
        ping(endpoint)
        self._silent = False
        self._protected = plan.protected
        assert endpoint is not None  # or `ping` had raised
        import requests  # noqa: PLC0415 - comes with the client package
        from docker.errors import DockerException  # noqa: PLC0415

        try:
            api = self._api = connect(endpoint)
            reap(api)
            image = have_image(api, plan.image, on_progress=on_progress, check=check)
            check()
            container = Container.start(api, plan, image)
        except (DockerException, requests.RequestException, OSError) as error:
            raise SandboxUnavailable(explain(error, endpoint)) from error
        with self._lock:
            self.container = container
            if self._released:
                self._drop()
        check()
        try:
            self.open_shell()
            assert self.shell is not None
            check_same_folder(self.shell, plan.root)
        except SandboxError as error:
            ended = self.lost_container() != ""
            self.drop()
            if ended and not self._released:
                raise SandboxUnavailable(cannot_start(f"it ended at once ({error})", plan)) from error
            raise
        except BaseException:
            self.drop()
            raise

    def open_shell(self) -> list[str]:
        """Cut the old shell off and open a new one, whose first act ends every process of the old one.

        In this order: the engine tells nothing of a container whose output it cannot hand over. Answers
        what was short meanwhile. Raises ``SandboxError`` where the container has no place for a shell any more.
        """
        import requests  # noqa: PLC0415
        from docker.errors import DockerException  # noqa: PLC0415

        container, old = self.container, self.shell
        self.shell = None
        if old is not None:
            old.abort()
        if container is None:
            raise SandboxError("the container is gone")
        shell = None
        try:
            shell = Shell(container)
            short = shell.hello()
        except BaseException as error:
            if shell is not None:
                shell.abort()
            if isinstance(error, DockerException | requests.RequestException | OSError | ShellEnded):
                raise SandboxError(f"no shell could be opened in the container: {error}") from error
            raise
        self.shell = shell
        return container.shortages(short)

    def lost_container(self, since: float | None = None, *, settle: float = 0.0) -> str:
        """Why the container is of no use any more, in a sentence; "" where it runs.

        What happened before ``since``, a wall-clock time, is not the reason. ``settle`` is how many seconds the
        engine may still say that it runs: it learns of an end later than whoever is connected.
        """
        container = self.container
        end_by = time.monotonic() + settle
        try:
            ping(self._endpoint, PATIENCE)
            while container is not None and container.running():
                if time.monotonic() >= end_by:
                    return ""
                time.sleep(_PAUSE)
            if container is not None and since is not None and container.ran_out_of_memory(since):
                return f"{container.limits.about_memory()} With it went the container."
        except Exception:  # whatever the engine's client raises means the same
            self._silent = True
            return "The container engine stopped answering."
        return "The container was removed from outside."

    def drop(self) -> None:
        """Remove the container and forget it; a new one may be started."""
        with self._lock:
            self._drop()

    def release(self) -> None:
        """``drop`` for good. In a forked child it only forgets: the container is the parent's."""
        with self._lock:
            self._released = True
            self._drop()

    def _remove(self, container: Container) -> None:
        try:
            if not self._silent:
                ping(self._endpoint, PATIENCE)
        except SandboxUnavailable:
            self._silent = True
        if self._silent:
            container.let_go()  # the engine is gone, and what it still runs ends with the lease
        else:
            container.remove()

    def _drop(self) -> None:
        shell, container, api = self.shell, self.container, self._api
        self.shell = self.container = self._api = None
        if os.getpid() != self._process:
            return
        if shell is not None:
            shell.abort()
        if container is not None:
            self._remove(container)
        if self._protected is not None:
            self._protected.clear()
        if api is not None:
            with contextlib.suppress(OSError):
                api.close()
