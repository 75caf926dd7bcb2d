"""What a shell command costs: on this machine and in a container."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.harness import Row, medians, missing, ms

REPEATS = 30


def timed(call: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return measure


def measure() -> Iterator[Row]:
    """`Runtime.bash("true")` on this machine, bare and in bubblewrap, then in Docker where its daemon answers."""
    yield local()
    yield from in_bubblewrap()
    yield in_docker()


def local() -> Row:
    from pygent import Runtime

    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(use_docker=False, workspace=folder, local_sandbox="off")
        command = ["bash", "-c", "true"]
        floor, value = medians(
            REPEATS,
            timed(lambda: subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)),
            timed(lambda: runtime.bash("true")),
        )
        runtime.cleanup()
    return Row('`Runtime.bash("true")`', f"{ms(floor)} `subprocess.run`", ms(value), "", None)


def in_bubblewrap() -> Iterator[Row]:
    """A further command, and the first one with all that it has to start, against bubblewrap alone."""
    what, first = '`Runtime.bash("true")` in bubblewrap', "the first command in bubblewrap, with its start"
    from pygent import Runtime
    from pygent.sandbox.bubblewrap import program, why_not

    with tempfile.TemporaryDirectory() as folder:
        if reason := why_not(Path(folder), os.environ):
            yield missing(what, "as on the bare machine", reason)
            return
        bare = [str(program()), "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]

        def start() -> None:
            with Runtime(use_docker=False, workspace=folder, local_sandbox="on") as fresh:
                fresh.bash("true")

        with Runtime(use_docker=False, workspace=folder, local_sandbox="on") as runtime:
            runtime.bash("true")
            floor, value, opened = medians(
                REPEATS,
                timed(lambda: subprocess.run(bare, stdin=subprocess.DEVNULL, capture_output=True, check=True)),
                timed(lambda: runtime.bash("true")),
                timed(start),
            )
    yield Row(what, f"{ms(floor)} `bwrap true`", ms(value), "less than a `bwrap`", value < floor)
    yield Row(first, f"{ms(floor)} `bwrap true`", ms(opened), "", None)


def in_docker() -> Row:
    what, goal = '`Runtime.bash("true")` in a running container', "a few ms, not an exec"
    from docker import DockerClient

    from pygent import Runtime
    from tests.fakes.docker_engine import BASH_IMAGE, DockerEngine, NoEngine

    try:
        with DockerEngine() as engine, tempfile.TemporaryDirectory() as folder, variable("DOCKER_HOST", engine.host):
            runtime = Runtime(image=engine.image(BASH_IMAGE), use_docker=True, workspace=folder)
            with contextlib.closing(DockerClient(engine.host)) as client:
                runtime.bash("true")
                container = client.containers.get(engine.containers()[0])
                floor, value = medians(
                    REPEATS, timed(lambda: container.exec_run("true")), timed(lambda: runtime.bash("true"))
                )
            runtime.cleanup()
    except NoEngine as error:
        return missing(what, goal, str(error))
    return Row(what, f"{ms(floor)} `docker exec`", ms(value), goal, value < min(floor, 0.01))


@contextlib.contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """An environment variable for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
