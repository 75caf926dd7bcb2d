"""A GGUF file as the model, without a server of the user's: ``gguf:/path/to/model.gguf`` as the model's name.

The file is loaded by a process of its own that speaks the chat-completions protocol on a loopback port. It is shared
by all agents that name the same file, and ends with this process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pygent.settings.model import GGUF as PREFIX
from pygent.settings.model import is_file as is_gguf

if TYPE_CHECKING:
    from pygent.models.gguf.model import GGUFModel

__all__ = ["PREFIX", "GGUFModel", "is_gguf"]


def __getattr__(name: str) -> Any:
    if name == "GGUFModel":
        from pygent.models.gguf.model import GGUFModel  # noqa: PLC0415 - the name alone must stay cheap

        return GGUFModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
