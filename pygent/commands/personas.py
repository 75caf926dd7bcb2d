"""``pygent personas``: who the main agent is, and who can be delegated to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO

from pygent.budget import Budget
from pygent.errors import SettingsError
from pygent.persona import Persona
from pygent.plain_text import clean, escaped, one_line
from pygent.settings import Settings
from pygent.settings.nodes import nearest


def run(settings: Settings, words: Sequence[str], out: IO[str], *, as_json: bool = False) -> int:
    """Carry out ``pygent personas [NAME]``; answers the exit code. Raises ``SettingsError`` for an unknown name."""
    main = settings.persona
    known = {persona.name: persona for persona in (main, *settings.personas)}
    if len(words) > 1:
        raise SettingsError(f"personas: {words[1]!r} is one word too many")
    if words and words[0] not in known:
        raise SettingsError(f"there is no persona {words[0]!r}{nearest(words[0], known)}", key="personas")
    chosen = [known[words[0]]] if words else list(known.values())
    if as_json:
        rows = [{**persona.to_dict(), "prompt": persona.prompt} for persona in chosen]
        out.write(escaped(json.dumps(rows[0] if words else rows, indent=2, ensure_ascii=False)) + "\n")
    elif words:
        _whole(chosen[0], out)
    else:
        width = max(len(name) for name in known)
        for persona in chosen:
            mark = "*" if persona is main else " "
            out.write(f"{mark} {one_line(persona.name, 40):<{width}}  {one_line(persona.description, 200)}\n")
        out.write("\n* the main agent. pygent personas NAME shows one whole.\n")
    return 0


def _whole(persona: Persona, out: IO[str]) -> None:
    out.write(f"{one_line(persona.name, 80)}: {one_line(persona.description, 500)}\n")
    for name, value in persona.to_dict().items():
        if name not in {"name", "description"}:
            out.write(f"{name}: {one_line(_shown(value), 500)}\n")
    if persona.prompt:
        out.write(f"\n{clean(persona.prompt)}\n")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(Budget.of(value)) if isinstance(value, dict) else str(value)
