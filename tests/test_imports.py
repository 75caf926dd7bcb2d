"""What importing Pygent may load: a start pays for what it uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    *("textual", "rich", "openai", "httpx", "docker", "requests", "pydantic", "yaml", "pathspec", "platformdirs"),
    *("distributed", "dask", "tornado", "keyring"),
}


def loaded_by(code: str, cwd: Path) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after `code`."""
    report = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True, cwd=cwd, timeout=60
    )
    assert done.stderr == ""
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import pygent",
        "from pygent import Agent, Runtime, TaskManager, Persona, register_tool",
        "from pygent import *",
        "import pygent.session, pygent.headless",
    ],
)
def test_importing_the_library_loads_no_front_end_and_no_client(code: str, tmp_path: Path) -> None:
    assert loaded_by(code, tmp_path) & HEAVY == set()


def test_importing_the_package_loads_nothing_of_it(tmp_path: Path) -> None:
    code = "import sys, pygent; print(*(name for name in sys.modules if name.startswith('pygent.')))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert set(done.stdout.split()) <= {"pygent._version"}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_question_about_the_program_loads_none_of_it(option: str, tmp_path: Path) -> None:
    code = "\n".join(
        [
            f"import sys; sys.argv = ['pygent', {option!r}]",
            "from pygent.__main__ import main",
            "try: main()",
            "except SystemExit: pass",
        ]
    )
    assert loaded_by(code, tmp_path) & (HEAVY | {"asyncio", "sqlite3"}) == set()


def test_the_tui_loads_no_client(tmp_path: Path) -> None:
    """The client of the model's server takes longer than the first frame; it is loaded after it."""
    assert loaded_by("import pygent.tui.app", tmp_path) & {"openai", "docker", "pydantic", "distributed"} == set()


def test_importing_has_no_effect_on_the_folder(tmp_path: Path) -> None:
    loaded_by("from pygent import Agent, Runtime, TaskManager", tmp_path)
    assert list(tmp_path.iterdir()) == []
