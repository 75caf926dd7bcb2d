"""What a shell command costs: on this machine and in a container."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator

from benchmarks.harness import Row, medians, missing, ms

REPEATS = 30


def timed(call: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return measure


def measure() -> Iterator[Row]:
    """`Runtime.bash("true")` on this machine, then in Docker where its daemon answers."""
    yield local()
    yield in_docker()


def local() -> Row:
    from pygent import Runtime

    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(use_docker=False, workspace=folder)
        command = ["bash", "-c", "true"]
        floor, value = medians(
            REPEATS,
            timed(lambda: subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)),
            timed(lambda: runtime.bash("true")),
        )
        runtime.cleanup()
    return Row('`Runtime.bash("true")`', f"{ms(floor)} `subprocess.run`", ms(value), "", None)


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
