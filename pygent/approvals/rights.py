"""What narrows an agent's rights, whatever its session allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pygent.approvals.base import MODES, Mode
from pygent.approvals.rules import Rule
from pygent.errors import SettingsError
from pygent.persona import Persona


@dataclass(frozen=True, slots=True)
class Rights:
    """``mode`` is the widest permission mode, None for no limit; ``deny`` are rules for what is refused besides."""

    mode: Mode | None = None
    deny: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, persona: Persona) -> Rights:
        """What a persona narrows. Raises ``SettingsError`` for a rule that cannot be read."""
        mode = None if persona.permission_mode is None else to_mode(persona.permission_mode)
        try:
            return cls(mode, read_rules(persona.deny, "deny"))
        except SettingsError as error:
            raise SettingsError(f"persona {persona.name!r}: {error}", key="personas") from None

    def narrowed(self, other: Rights) -> Rights:
        """The rights that both allow."""
        mode = self.mode if other.mode is None else other.within(self.mode or other.mode)
        return Rights(mode, tuple(dict.fromkeys((*self.deny, *other.deny))))

    def within(self, mode: Mode) -> Mode:
        """The stricter of ``mode`` and these rights'."""
        return mode if self.mode is None else min(mode, self.mode, key=MODES.index)


def to_mode(mode: str) -> Mode:
    """Read a permission mode. Raises ``SettingsError`` for an unknown one."""
    if mode not in MODES:
        raise SettingsError(
            f"{mode!r} is not a permission mode; there are: {', '.join(MODES)}", key="permission_mode"
        )
    return mode


def read_rules(texts: Iterable[str], kind: str) -> tuple[Rule, ...]:
    """Read rules. Raises ``SettingsError`` where one cannot be read."""
    try:
        return tuple(Rule.parse(text) for text in texts)
    except ValueError as error:
        raise SettingsError(f"{kind}: {error}", key=kind) from None
