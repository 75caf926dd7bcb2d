"""What tests of the screen share: folders of their own for settings and data, and a short wait for a quiet app."""

from __future__ import annotations

from pathlib import Path

import pytest
import textual._wait

textual._wait.SLEEP_GRANULARITY, textual._wait.SLEEP_IDLE = 1 / 200, 1 / 4000
"""Seconds that each `pilot.pause` and each key wait at least; Textual's 20 ms were half the time of these tests."""


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder: Path = tmp_path_factory.mktemp("person")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
