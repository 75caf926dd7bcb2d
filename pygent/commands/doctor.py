"""``pygent doctor``: whether what Pygent needs is there, and what to do where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import IO

from pygent.commands import local_checks
from pygent.commands.check import Check
from pygent.commands.cluster_check import cluster
from pygent.commands.file_check import model_file
from pygent.commands.reach import reach
from pygent.commands.server_check import model_server
from pygent.errors import SettingsError
from pygent.plain_text import escaped, one_line
from pygent.settings import Settings
from pygent.settings.model import is_file

_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def run(load: Callable[[], Settings], out: IO[str], *, as_json: bool = False) -> int:
    """Write a line for each check; answers 1 where something has to be mended, else 0."""
    checks = []
    for check in _all(load):
        checks.append(check)
        if not as_json:  # a slow check must not hold back those before it
            out.write(f"{_MARKS[check.state]}  {check.name:<14} {one_line(check.line, 400)}\n")
            out.flush()
    failed = dict.fromkeys(check.name for check in checks if check.state == "fail")
    if as_json:
        out.write(escaped(json.dumps([check.to_dict() for check in checks], indent=2, ensure_ascii=False)) + "\n")
    else:
        out.write(f"\nTo mend: {', '.join(failed)}.\n" if failed else "\nReady.\n")
    return 1 if failed else 0


def _all(load: Callable[[], Settings]) -> Iterator[Check]:
    yield from local_checks.programs()
    try:
        settings = load()
    except SettingsError as error:
        for line in str(error).splitlines():
            yield Check("settings", "fail", line)
        settings = Settings()
        yield Check("settings", "warn", "what follows is checked with the defaults")
    else:
        yield from local_checks.files(settings)
    yield from local_checks.folders()
    yield model_file(settings)
    if not is_file(settings.model):
        yield model_server(settings)
    yield from local_checks.sandboxes(settings)
    yield from reach(settings)
    yield from cluster(settings)
    yield local_checks.screen()
