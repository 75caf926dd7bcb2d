"""Pygent before a model's server that plays a scene, and the bare applications beside it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import clean_environment, pygent_command
from benchmarks.live import Live

ROOT = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def model_server(scene: str, *arguments: object) -> Iterator[str]:
    """A server that plays ``scene`` (see `benchmarks.model_server`); answers its base URL."""
    command = [sys.executable, "-m", "benchmarks.model_server", json.dumps([scene, *arguments])]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def home(url: str = "http://127.0.0.1:9/v1", **more: str) -> Iterator[tuple[dict[str, str], str]]:
    """An environment in which that server is set up and nothing asks, and an empty folder to work in."""
    variables = {
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": url,
        "PYGENT_USE_DOCKER": "0",
        "PYGENT_PERMISSION_MODE": "yolo",
        "PYTHONPATH": str(ROOT),
        **more,
    }
    with clean_environment(**variables) as env:
        work = Path(env["HOME"], "work")
        work.mkdir()
        yield env, str(work)


def pygent(env: dict[str, str], work: str, *options: str) -> Live:
    """Pygent in a terminal, not ready yet."""
    return Live([*pygent_command(), *options], env, work)


def bare(module: str, env: dict[str, str], work: str, *arguments: object) -> Live:
    """One of the bare applications in a terminal."""
    return Live([sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)], env, work)
