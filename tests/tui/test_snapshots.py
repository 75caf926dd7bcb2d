"""Every screen looks as it looked when somebody last said that it is right: wide and narrow, dark and light.

``pytest tests/tui/test_snapshots.py --snapshot-update`` accepts how it looks now; the pictures are SVG files in
``__snapshots__``, which any browser shows.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.image import SVGImageSnapshotExtension

from tests.tui.scenes import SCENES, SIZES, pictures


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", sorted(SCENES))
async def test_a_screen_looks_as_it_did(
    name: str, size: tuple[int, int], tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    for theme, drawn in (await pictures(name, size, tmp_path)).items():
        assert drawn == snapshot(name=theme, extension_class=SVGImageSnapshotExtension)
