"""What all tests share: an engine for those that need one, none for the others, and nothing left at the end."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.sandbox import bubblewrap
from tests.fakes.docker_engine import DockerEngine, NoEngine

NOWHERE = "unix:///nowhere/docker.sock"


SEEDS, LONG_SEEDS = 3, 200

gc.freeze()
gc.set_threshold(
    20_000, 10, 5
)  # a hundred applications in one process: looking for garbage was a fifth of their time

# A suite that `nohup` or a script's `&` started ignores these two, and whatever it starts would inherit that, so that
# no signal of a test would end anything. A handler is not inherited. The suite itself still outlives its terminal.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help=f"random tests with {LONG_SEEDS} seeds instead of {SEEDS}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``seed`` runs with few of them, with many under ``--long``."""
    if "seed" in metafunc.fixturenames and not any(
        "seed" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")
    ):
        count = LONG_SEEDS if metafunc.config.getoption("--long") else SEEDS
        metafunc.parametrize("seed", range(count))


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """A running engine of this test process's own; the test is skipped where there can be none.

    ``PYGENT_REQUIRE_DOCKER=1`` makes that a failure. Tests marked ``docker`` get it with ``DOCKER_HOST`` set.
    """
    engine = DockerEngine()
    try:
        engine.start()
    except NoEngine as error:
        engine.close()
        if os.environ.get("PYGENT_REQUIRE_DOCKER") == "1":
            pytest.fail(f"PYGENT_REQUIRE_DOCKER=1, but {error}")
        pytest.skip(str(error))
    try:
        yield engine
        left = engine.containers()
    finally:
        engine.close()
    assert left == [], "containers were left running"


@pytest.fixture(autouse=True)
def _engine_of_the_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test meets the engine of the machine it runs on."""
    host = NOWHERE
    if request.node.get_closest_marker("docker"):
        host = request.getfixturevalue("docker_engine").host
    monkeypatch.setenv("DOCKER_HOST", host)


@pytest.fixture(autouse=True)
def _sandbox_of_the_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run bare, where one costs a millisecond, but in tests marked ``bubblewrap``.

    Those are skipped where it does not work; ``PYGENT_REQUIRE_BUBBLEWRAP=1`` makes that a failure.
    """
    if not request.node.get_closest_marker("bubblewrap"):
        monkeypatch.setenv("PYGENT_LOCAL_SANDBOX", "off")
        return
    monkeypatch.delenv("PYGENT_LOCAL_SANDBOX", raising=False)
    if reason := bubblewrap.why_not(Path(__file__).parent, {"HOME": "/nowhere"}):
        if os.environ.get("PYGENT_REQUIRE_BUBBLEWRAP") == "1":
            pytest.fail(f"PYGENT_REQUIRE_BUBBLEWRAP=1, but {reason}")
        pytest.skip(reason)


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_left() -> Iterator[None]:
    """Every process that the tests started has ended when they have."""
    before = descendants(os.getpid())
    yield
    gc.collect()
    end_by = time.monotonic() + 5
    while (left := descendants(os.getpid()) - before) and time.monotonic() < end_by:
        time.sleep(0.05)
    assert not left, f"processes were left running: {sorted(left)}"


def descendants(pid: int) -> set[str]:
    """The command lines, with their pids, of all processes below ``pid`` that have not ended."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            continue
        if line and "resource_tracker" not in line:
            parents[int(folder.name)] = int(fields[1])
            names[int(folder.name)] = f"{folder.name}: {line}"
    below = {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return {names[child] for child in below - {pid} if child in names}
