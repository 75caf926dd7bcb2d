"""The settings as the settings screen lists them. Knows no screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pygent.settings.field import Field
from pygent.settings.fields import FIELDS
from pygent.settings.kinds import AutoFlag, Choice, Flag
from pygent.settings.layers import Value
from pygent.settings.model import Settings
from pygent.settings.own_file import value_text
from pygent.tui.remember import stronger_source

if TYPE_CHECKING:
    from pygent.session import Session

AT_ONCE = frozenset(
    {"theme", "keymap", "notify", "terminal_title", "diff_style", "permission_mode", "confirm_bash", "model",
     "context_window", "budget"}
)  # fmt: skip
"""Settings that a running session follows at once."""

NEXT_RUN = frozenset({"max_steps", "max_time", "step_timeout"})

_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting: the value in force, where it comes from, and what the person's own file says, if it does.

    ``over`` names what decides over that file.
    """

    field: Field
    value: Any
    source: str
    own: Value | None
    over: str

    @property
    def key(self) -> str:
        return self.field.key

    @property
    def text(self) -> str:
        """The value in force on one line, secrets hidden; "" for none."""
        return value_text(self.key, self.value) or ("auto" if isinstance(self.field.kind, AutoFlag) else "")

    @property
    def own_text(self) -> str:
        """The value to begin with where it is edited; a secret is typed anew."""
        if self.field.secret:
            return ""
        return value_text(self.key, self.own.value if self.own is not None else self.value)

    @property
    def default_text(self) -> str:
        return value_text(self.key, default_of(self.key))

    @property
    def counts(self) -> str:
        """When a change counts."""
        return (
            "at once" if self.key in AT_ONCE else "from the next run" if self.key in NEXT_RUN else "at the next start"
        )

    @property
    def words(self) -> tuple[str, ...] | None:
        """The few values it can have, None where there are many."""
        kind = self.field.kind
        if isinstance(kind, AutoFlag):
            return ("auto", "true", "false")
        if isinstance(kind, Flag):
            return ("true", "false")
        return kind.words if isinstance(kind, Choice) else None

    @property
    def editable(self) -> bool:
        """False for what is too large for one line."""
        return self.field.kind.one_line

    def matches(self, words: list[str]) -> bool:
        """Whether all ``words``, in small letters, stand in what is shown of it."""
        text = f"{self.key} {self.field.about} {self.field.group} {self.text} {self.field.variable or ''}".casefold()
        return all(word in text for word in words)


def default_of(key: str) -> Any:
    """The default of a setting."""
    return getattr(_DEFAULTS, key, None)


def setting_rows(session: Session, own: Mapping[str, Value]) -> list[SettingRow]:
    """All settings in the order of their table; ``own`` is what the person's own files say."""
    settings = session.settings
    rows = []
    for field in FIELDS:
        source = settings.source(field.key)
        over = stronger_source(source)
        mine = own.get(field.key)
        if over or (mine is None and source == "default"):
            value = getattr(settings, field.key, default_of(field.key))
        else:
            value, source = (mine.value, mine.source) if mine is not None else (default_of(field.key), "default")
        rows.append(SettingRow(field, value, source, mine, over))
    return rows
