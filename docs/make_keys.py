"""Writes the table of keys into docs/keys.md: ``python docs/make_keys.py``. A test says when that has to be done."""

from __future__ import annotations

from pathlib import Path

from pygent.tui.keymap import known
from pygent.tui.keys import key_name

PAGE = Path(__file__).with_name("keys.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def page(text: str) -> str:
    """The page ``text`` with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    rows = ["| id | key | does |", "|---|---|---|"]
    for entry in known().values():
        keys = ", ".join(f"`{key.strip()}`" for key in key_name(entry.binding.key).split(", "))
        rows.append(f"| `{entry.id}` | {keys} | {entry.binding.description.replace('|', '/')} |")
    return "\n".join([before + BEGIN, *rows, END + after])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
