"""Run a target with atheris, which looks for inputs that reach new code.

::

    pip install -e .[fuzz]
    python -m tests.fuzz paths -max_total_time=600        # further options are libFuzzer's
    python -m tests.fuzz paths crash-…                    # again what it found
"""

from __future__ import annotations

import sys


def main() -> None:
    """Fuzz the target that is named first, until something fails or the time is over."""
    import atheris

    with atheris.instrument_imports(include=["pygent"]):
        from tests.core.changed_trees import quick_folder
        from tests.fuzz.targets import TARGETS
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"which target? {', '.join(TARGETS)}")
    with quick_folder() as folder:
        target = TARGETS[name](folder)
        atheris.Setup([sys.argv[0], "-len_control=0", "-max_len=400", *sys.argv[2:]], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
