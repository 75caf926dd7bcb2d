"""`python -m benchmarks [--write] [PART…]` prints the table; `--write` also puts it into benchmarks/README.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import (
    big_folder,
    children,
    cluster,
    commands,
    copies,
    crowd,
    first_request,
    floods,
    history,
    model_file,
    screen,
    startup,
    steps,
    store,
    streaming,
    undo,
)
from benchmarks.harness import Row, machine, table

PARTS = {
    "startup": startup.measure,
    "screen": screen.measure,
    "files": big_folder.measure,
    "streaming": streaming.measure,
    "history": history.measure,
    "store": store.measure,
    "floods": floods.measure,
    "model-file": model_file.measure,
    "tasks": crowd.measure,
    "request": first_request.measure,
    "steps": steps.measure,
    "commands": commands.measure,
    "copies": copies.measure,
    "undo": undo.measure,
    "children": children.measure,
    "cluster": cluster.measure,
}
PAGE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown or (options.write and options.parts):
        parser.error(f"unknown: {', '.join(sorted(unknown))}" if unknown else "--write writes the whole table")
    rows: list[Row] = []
    for name, measure in PARTS.items():
        if not options.parts or name in options.parts:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            rows += measure()
    text = f"{machine()}\n\n{table(rows)}\n"
    print(text)
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}{text}{END}{after}", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
