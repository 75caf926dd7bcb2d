"""What a person has allowed for good or for the session: seen, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pygent.settings import Settings

if TYPE_CHECKING:
    from pygent.approvals import Broker, Policy

HowLong = Literal["always", "session"]


class Allowed(NamedTuple):
    """Something that runs without being asked for: a rule, or one very call that no rule covers."""

    text: str
    lasts: HowLong


class SessionRules:
    """The part of a ``Session`` that is about rules."""

    settings: Settings
    policy: Policy | None
    broker: Broker | None

    def rules(self, kind: Literal["allow", "ask", "deny"]) -> tuple[str, ...]:
        """The rules of one kind that hold just now, as they are written."""
        if self.policy is not None:
            return self.policy.rules(kind)
        return {"allow": self.settings.allow, "ask": self.settings.ask, "deny": self.settings.deny}[kind]

    def allowed(self) -> list[Allowed]:
        """What runs without being asked for: rules, then what was allowed for this session."""
        kept = self.rules("allow")
        grants = self.broker.grants if self.broker is not None else ()
        return [*(Allowed(text, "always") for text in kept),
                *(Allowed(text, "session") for text in grants if text not in kept)]  # fmt: skip

    def take_back(self, text: str) -> str:
        """Ask again for what was allowed with ``text``, as ``allowed`` tells it; out of the user's settings as well.

        Returns a sentence that says what was done. Raises ``ValueError`` where nothing of that text is allowed, and
        ``SettingsError`` and ``OSError`` where the settings cannot be changed; it is asked for in this session then.
        """
        from pygent.session_parts import drop_rule  # noqa: PLC0415 - rarely asked for

        text = text.strip()
        granted = self.broker is not None and self.broker.forget(text)
        held = self.policy is not None and self.policy.remove_rule("allow", text)
        if drop_rule(text):
            return f"{text} is asked for again, and no longer in your settings."
        if held:
            return f"{text} is asked for again in this session; it does not come from your config.yaml."
        if granted:
            return f"{text} is asked for again."
        raise ValueError(f"{text!r} is not allowed; /permissions lists what is")
