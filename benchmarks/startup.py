"""Starting: the program's questions about itself, and importing the library."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.harness import Row, clean_environment, medians, pygent_command, run_time, within

REPEATS = 15


def measure() -> Iterator[Row]:
    """Whole processes, from start to end."""
    commands = {
        "pass": [sys.executable, "-c", "pass"],
        "version": [*pygent_command(), "--version"],
        "help": [*pygent_command(), "--help"],
        "import": [sys.executable, "-c", "import pygent"],
        "agent": [sys.executable, "-c", "from pygent import Agent"],
    }
    with clean_environment() as env:
        times = medians(REPEATS, *(lambda command=command: run_time(command, env) for command in commands.values()))
    floor, version, help_, library, agent = times
    name = "`python -c pass`"
    yield within("`pygent --version`", name, floor, version, 3)
    yield within("`pygent --help`", name, floor, help_, 6)
    yield within("`import pygent`", name, floor, library, 5)
    yield within("`from pygent import Agent`", name, floor, agent, 5)
