"""``pygent doctor --model NAME``: six small calls, what they show of the server's quirks, and what to keep of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from pygent.commands import model_probes as probes
from pygent.commands.model_asking import Asking, Row
from pygent.commands.model_quirks import Finding
from pygent.errors import SettingsError
from pygent.models.compat import Learning
from pygent.models.configured import make_model
from pygent.models.gguf.model import GGUFModel
from pygent.models.openai_model import OpenAIModel
from pygent.models.window import Window, find_window
from pygent.plain_text import escaped, one_line
from pygent.settings import Settings, save_user_settings
from pygent.settings.own_file import own_values
from pygent.settings.provider import server_of

SILENCE = 300.0
"""Seconds that a server may be silent."""

LONG, SHORT = 6000, 300
"""Words of the long prompt where the window is not known, and at least."""


def run(settings: Settings, out: IO[str], *, as_json: bool = False, save: bool = False) -> int:
    """Ask the settings' model; answers 1 where it cannot be used, else 0.

    Raises ``SettingsError``, and ``APIError`` where a file cannot be loaded.
    """
    told = _Told(out, quiet=as_json)
    model = make_model(settings, on_progress=told.line)
    if isinstance(model, GGUFModel):
        model = model.loaded()
    if not isinstance(model, OpenAIModel):
        raise SettingsError(f"{settings.model} has no server to be looked at; name a model of a server", key="model")
    server = server_of(settings)
    endpoint = replace(model.server, timeout=SILENCE)
    window = find_window(
        model.base_url,
        server.model,
        endpoint.api_key,
        headers=server.headers,
        proxy=server.proxy,
        certificates=server.certificates,
    )
    asking = Asking(endpoint, server.model, Learning(model.compat(server.model)), model.temperature)
    told.head(f"{server.name} at {endpoint.shown}{_in_words(window)}")
    rows: list[Row] = []
    try:
        for row in _rows(asking, window, told):
            rows.append(row)
            told.row(row)
    finally:
        asking.close()
    found = _once(rows)
    compat = asking.learning.learnt
    path = None
    if not as_json:
        told.found(found)
    if compat:
        told.line(f"\nWhat it needs:\n\n  compat: {{{server.name}: {_flow(compat)}}}\n")
        if save or (not as_json and _wants_it(out)):
            path = keep(server.name, compat)
            told.line(f"Saved in {path}.")
    if as_json:
        _write_json(out, server.name, endpoint.shown, window, rows, found, compat, path)
    return 1 if rows[0].outcome == "failed" else 0


def keep(name: str, compat: dict[str, Any]) -> Path:
    """Put what a model needs into the person's own settings. Raises ``SettingsError``."""
    own = own_values().get("compat")
    before = dict(own.value) if own is not None else {}
    return save_user_settings({"compat": {**before, name: {**before.get(name, {}), **compat}}})


def _rows(asking: Asking, window: Window | None, told: _Told) -> Iterator[Row]:
    tokens = window.tokens if window is not None else None
    words = LONG if tokens is None else min(LONG, max(SHORT, tokens // 10))
    called = None
    first = ("plain", "stream", "tool call", "parallel calls", "tool result", "long prompt")
    for position, name in enumerate(first):
        told.asking(name)
        if name == "plain":
            row = asking.ask(probes.plain())
        elif name == "stream":
            row = asking.ask(probes.stream())
        elif name == "tool call":
            row = asking.ask(probes.tool_call())
            called = row.message
        elif name == "parallel calls":
            row = asking.ask(probes.parallel_calls())
        elif name == "tool result":
            row = asking.ask(probes.tool_result(called))
        else:
            row = asking.ask(probes.long_prompt(words), words)
        yield row
        if row.no_use:
            yield from (Row(left) for left in first[position + 1 :])
            return


def _once(rows: list[Row]) -> list[Finding]:
    """Each quirk that showed, in the order of the list."""
    return sorted(dict.fromkeys(finding for row in rows for finding in row.found))


def _in_words(window: Window | None) -> str:
    if window is None:
        return ""
    parts = [f"sees {window.tokens:,} tokens" if window.tokens else ""]
    parts.append(f"{window.parameters / 1e9:.1f} billion parameters" if window.parameters else "")
    return f" ({', '.join(filter(None, parts))})" if any(parts) else ""


def _flow(compat: dict[str, Any]) -> str:
    words = {True: "true", False: "false"}
    return "{" + ", ".join(f"{key}: {words.get(value, value)}" for key, value in compat.items()) + "}"


def _wants_it(out: IO[str]) -> bool:
    if not (sys.stdin.isatty() and out.isatty()):
        out.write("pygent doctor --model NAME --save keeps it in your settings.\n")
        return False
    out.write("Keep it in your settings? [y/N] ")
    out.flush()
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


class _Told:
    """The table, row by row as the calls end, with what is being asked meanwhile."""

    def __init__(self, out: IO[str], *, quiet: bool) -> None:
        self._out, self._quiet = out, quiet
        self._passing = not quiet and out.isatty()

    def head(self, text: str) -> None:
        self.line(f"{one_line(text, 300)}\n\n{'call':<15} {'outcome':<9} {'time':>8}  noticed")

    def asking(self, name: str) -> None:
        if self._passing:
            self._out.write(f"{name:<15} asking …")
            self._out.flush()

    def row(self, row: Row) -> None:
        if self._passing:
            self._out.write("\r\x1b[K")
        took = f"{row.seconds:.1f} s" if row.seconds else ""
        self.line(f"{row.name:<15} {row.outcome:<9} {took:>8}  {one_line(row.noticed, 400)}".rstrip())

    def found(self, found: list[Finding]) -> None:
        listed = [finding for finding in found if finding.number]
        if not listed:
            self.line("\nNo quirk of the list in docs/providers.md showed.")
            return
        self.line("\nQuirks, by the numbers of docs/providers.md; Pygent deals with each:")
        for finding in listed:
            self.line(f"{finding.number:>4}  {one_line(finding.text, 300)}")

    def line(self, text: str) -> None:
        if not self._quiet:
            self._out.write(f"{text}\n")
            self._out.flush()


def _write_json(
    out: IO[str],
    name: str,
    address: str,
    window: Window | None,
    rows: list[Row],
    found: list[Finding],
    compat: dict[str, Any],
    path: Path | None,
) -> None:
    calls = [
        {"call": row.name, "outcome": row.outcome, "seconds": round(row.seconds, 3), "noticed": row.noticed}
        for row in rows
    ]
    whole = {
        "model": name,
        "server": address,
        "context_window": window.tokens if window else None,
        "parameters": window.parameters if window else None,
        "calls": calls,
        "quirks": [finding._asdict() for finding in found],
        "compat": compat,
        "saved": str(path) if path else None,
    }
    out.write(escaped(json.dumps(whole, indent=2, ensure_ascii=False)) + "\n")
