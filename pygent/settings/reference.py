"""The table of all settings in ``docs/settings.md``, made from the fields.

After a change of the fields: ``python -m pygent.settings.reference docs/settings.md``. A test holds the page to them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pygent.settings.field import Field
from pygent.settings.fields import FIELDS, OTHER_VARIABLES
from pygent.settings.kinds import Flag, plain
from pygent.settings.model import Settings

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def table() -> str:
    """Every key, variable and option as Markdown."""
    rows = [
        "| key | meaning | accepted | default | variable | option | a workspace's own file |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += ["| " + " | ".join(_cells(field)) + " |" for field in FIELDS]
    rows += ["", "Variables that stand for no key of their own:", "", "| variable | meaning |", "|---|---|"]
    rows += [f"| `{name}` | {about} |" for name, about in OTHER_VARIABLES.items()]
    return "\n".join(rows)


def _cells(field: Field) -> list[str]:
    options = list(field.options)
    if options and isinstance(field.kind, Flag) and field.key != "ephemeral":
        options.insert(1, options[0].replace("--", "--no-", 1))
    return [
        f"`{field.key}`",
        field.about,
        field.kind.accepted,
        _default(field.key),
        f"`{field.variable}`" if field.variable else "",
        ", ".join(f"`{option}`" for option in options),
        "no" if field.in_workspace == "never" else field.in_workspace,
    ]


def _default(key: str) -> str:
    if key == "persona":
        return "Pygent"
    if key == "personas":
        return ", ".join(persona.name for persona in Settings().personas)
    value = plain(getattr(Settings(), key, None))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"`{value}`" if value or value == 0 else ""


def written(page: str) -> str:
    """``page`` with the table between its marks made anew. Raises ``ValueError`` where a mark is missing."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(written(file.read_text("utf-8")), encoding="utf-8")
