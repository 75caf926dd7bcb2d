"""What ``pygent doctor`` says about the cluster of the settings."""

from __future__ import annotations

from collections.abc import Iterator

from pygent.commands.check import Check
from pygent.errors import PygentError
from pygent.settings import Settings


def cluster(settings: Settings) -> Iterator[Check]:
    """Whether the scheduler answers and its workers have this Pygent; nothing where no cluster is set."""
    if settings.cluster is None:
        return
    from pygent.cluster import Cluster  # noqa: PLC0415 - only where there is a cluster

    found = Cluster(settings.cluster)
    try:
        found.open()
        text, odd = found.summary(), found.odd_workers()
    except (PygentError, OSError) as error:
        yield Check("cluster", "fail", str(error))
        return
    finally:
        found.close()
    for address, version in odd.items():
        yield Check("cluster", "fail", f"the worker {address} has {f'Pygent {version}' if version else 'no Pygent'}")
    yield Check("cluster", "warn" if "no worker" in text else "ok", text)
