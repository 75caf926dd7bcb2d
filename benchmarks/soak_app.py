"""Pygent, watched from inside: `python -m benchmarks.soak_app FOLDER [OPTIONS]`.

Every warning, every logged problem and every exception that nobody caught is written to FOLDER/problems. On SIGUSR1
it counts its objects by type into FOLDER/objects, as JSON.
"""

from __future__ import annotations

import collections
import gc
import json
import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

from pygent.__main__ import main


def watch(folder: Path) -> None:
    problems = folder / "problems"

    def problem(text: str) -> None:
        with problems.open("a", encoding="utf-8") as file:
            file.write(text.rstrip() + "\n")

    def warned(message: object, category: type[Warning], filename: str, lineno: int, *_: object) -> None:
        problem(f"{filename}:{lineno}: {category.__name__}: {message}")

    def uncaught(args: Any) -> None:
        problem("".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)))

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            problem(f"{record.name}: {self.format(record)}")

    warnings.simplefilter("always")
    warnings.showwarning = warned  # type: ignore[assignment]
    sys.unraisablehook = threading.excepthook = uncaught
    logging.getLogger().addHandler(Handler(logging.WARNING))
    signal.signal(signal.SIGUSR1, lambda *_: count(folder))


def count(folder: Path) -> None:
    """Write how many objects there are of each type, all garbage collected."""
    others, gc.callbacks[:] = gc.callbacks[:], []  # one of them takes objects out of sight again
    gc.unfreeze()
    gc.collect()
    kinds = collections.Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    partial = folder / "objects.part"
    partial.write_text(json.dumps(dict(kinds)), "utf-8")
    os.replace(partial, folder / "objects")
    gc.callbacks[:] = others
    gc.freeze()


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
