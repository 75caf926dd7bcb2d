"""What the measurements share: rows of the table, medians, processes with a clean environment."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One line of the table. `met` is None where there is no figure to beat."""

    what: str
    floor: str
    pygent: str
    goal: str
    met: bool | None


def missing(what: str, goal: str, why: str) -> Row:
    """A row that could not be measured here."""
    return Row(what, "", f"not measured: {why}", goal, None)


def ms(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 20 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"


def within(what: str, floor_name: str, floor: float, value: float, factor: float) -> Row:
    """A time that may be `factor` times its floor; both in seconds."""
    pygent = f"{ms(value)} ({value / floor:.1f} ×)"
    return Row(what, f"{ms(floor)} {floor_name}", pygent, f"≤ {factor:g} × floor", value <= factor * floor)


def below(what: str, floor: str, value: float, limit: float) -> Row:
    """A time with a limit of its own; both in seconds."""
    return Row(what, floor, ms(value), f"≤ {ms(limit).replace('.0', '')}", value <= limit)


def pygent_command() -> list[str]:
    """The installed command, or the module where there is none."""
    script = Path(sys.executable).with_name("pygent")
    return [str(script)] if script.exists() else [sys.executable, "-m", "pygent"]


@contextlib.contextmanager
def clean_environment(**more: str) -> Iterator[dict[str, str]]:
    """An environment with an empty home in which neither Pygent nor a model's server is configured.

    Bytecode is written and found, as in an installed package.
    """
    with tempfile.TemporaryDirectory(prefix="pygent-bench-") as home:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYGENT_", "OPENAI_", "XDG_", "TEXTUAL", "PYTHONDONTWRITE"))
        }
        yield {**kept, "HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor", **more}


def run_time(command: Sequence[str], env: dict[str, str]) -> float:
    """Seconds from the start of a command to its end."""
    start = time.perf_counter()
    subprocess.run(command, env=env, cwd=env["HOME"], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - start


def medians(repeats: int, *measurements: Callable[[], float]) -> list[float]:
    """The median of each, run in turn so that other load on the machine meets all alike; the first round warms up."""
    rounds = [[measure() for measure in measurements] for _ in range(repeats + 1)][1:]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def machine() -> str:
    """Where and with what the table was made."""
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    packages = ", ".join(f"{name} {version(name)}" for name in ("pygent", "textual", "openai", "docker"))
    return (
        f"{os.cpu_count()} cores ({cpu}), {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, {packages}. Medians; differences under 30 % are ties."
    )


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | floor, same run | Pygent | figure to beat | |", "|---|---|---|---|---|"]
    verdict = {True: "met", False: "**missed**", None: ""}
    lines += [f"| {row.what} | {row.floor} | {row.pygent} | {row.goal} | {verdict[row.met]} |" for row in rows]
    return "\n".join(lines)
