"""The environment that commands get: a short list of names, never this process's own environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pygent.settings.model import Settings

HOST_NAMES = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP")
"""Names whose values only make sense on this machine, not in a container."""

SHARED_NAMES = ("LANG", "LANGUAGE", "TZ")

NO_PROMPT = {
    "CI": "true",
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_NO_INPUT": "1",
    "PYTHONUNBUFFERED": "1",
}
"""What keeps programs from asking, paging and drawing: their standard input is closed."""

PYGENTS_OWN = ("OPENAI_API_KEY",)
"""Set with ``-e`` this is meant for Pygent, as are the variables that hold the keys of ``providers``; commands get
them only where ``command_env`` names them."""


def command_environment(
    settings: Settings | None = None, environ: Mapping[str, str] | None = None, *, host: bool = True
) -> dict[str, str]:
    """The variables for commands.

    An allow list of this process's variables, those that keep programs from asking, the names in
    ``settings.command_env``, and ``settings.env``, later ones winning. ``host=False`` leaves out what only means
    something on this machine, for commands in a container.
    """
    environ = os.environ if environ is None else environ
    settings = settings or Settings()
    names = {*SHARED_NAMES, *(name for name in environ if name.startswith("LC_"))}
    if host:
        names.update(HOST_NAMES)
    out = {name: environ[name] for name in sorted(names) if name in environ}
    out.update(NO_PROMPT)
    out.update({name: environ[name] for name in settings.command_env if name in environ})
    keys = (provider.key_variable for provider in settings.providers.values() if provider.key_variable)
    own = {name for name in (*PYGENTS_OWN, *keys) if name not in settings.command_env}
    out.update({name: value for name, value in settings.env.items() if name not in own})
    return out
