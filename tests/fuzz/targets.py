"""The targets by name; each takes bytes and raises where what it holds does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.fuzz.arguments import arguments
from tests.fuzz.paths import Paths
from tests.fuzz.streams import streams
from tests.fuzz.texts import texts

Target = Callable[[bytes], None]

TARGETS: dict[str, Callable[[Path], Target]] = {
    "paths": Paths,
    "texts": lambda _folder: texts,
    "arguments": lambda _folder: arguments,
    "streams": lambda _folder: streams,
}
"""What makes a target; it may write into the folder that it gets."""
