"""The examples run as they stand, each in a process of its own, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SAYS = {
    "custom_model.py": ["stopped", "notes/today.txt holds: Buy milk"],
    "custom_tool.py": ["Hello Ada!", "2 words"],
    "delegate.py": ["finished", "Retrieved sorted.txt", "Ada\nEdsger\nGrace"],
    "headless_events.py": ["write_file", "delegated", "stopped after"],
    "own_front_end.py": ["allowed once", "[ok]"],
}


def test_every_example_is_tested_and_listed() -> None:
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    page = (EXAMPLES / "README.md").read_text("utf-8")
    assert scripts == set(SAYS)
    assert all(f"[{name}]({name})" in page for name in scripts)


@pytest.mark.parametrize("name", sorted(SAYS))
def test_the_example_runs(name: str, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYGENT_", "OPENAI_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**env, "HOME": str(tmp_path)},
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    for words in SAYS[name]:
        assert words in done.stdout
    assert list(tmp_path.glob("*")) == []
