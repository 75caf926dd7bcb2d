"""What the table of settings says of each: key, kind, variable, option, and what a workspace's own file may do."""

from __future__ import annotations

from typing import Literal

from pygent.records import record
from pygent.settings.kinds import Kind

Merge = Literal["replace", "extend", "update", "personas"]
"""How a later source joins an earlier one: in its place; lists one after the other; mappings and personas by name."""

InWorkspace = Literal["never", "free", "more", "less", "only true", "only false", "stricter"]
"""What the file of a trusted workspace may do: nothing; anything, as it widens nothing; add to a list; lower a
number; switch on; switch off; choose a stricter permission mode."""


@record(kw_only=True)
class Field:
    """One setting. ``options`` begins with the name that messages use."""

    key: str
    kind: Kind
    about: str
    group: str
    variable: str | None = None
    options: tuple[str, ...] = ()
    metavar: str | None = None
    merge: Merge = "replace"
    in_workspace: InWorkspace = "never"
    secret: bool = False
