"""Tasks on other machines: the workers of a Dask cluster do what threads of this process do otherwise.

``Cluster`` is the executor that a ``TaskManager`` is given. Nothing here is loaded without a cluster.
"""

from __future__ import annotations

from pygent.cluster.executor import Cluster
from pygent.cluster.messages import ModelChoice

__all__ = ["Cluster", "ModelChoice"]
