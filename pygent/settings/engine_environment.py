"""The variables that say where the container engine is, in the names that Docker's own tools read."""

from __future__ import annotations

import os
from collections.abc import Mapping

ENGINE_NAMES = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR")


def engine_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this process that lead to an engine; those that are empty count as unset."""
    environ = os.environ if environ is None else environ
    return {name: environ[name] for name in ENGINE_NAMES if environ.get(name)}
