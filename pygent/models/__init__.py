"""Models: the protocol, the one for OpenAI-compatible servers, and the default one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pygent.models.base import (
    Completed,
    Discarded,
    Model,
    ModelNotice,
    ReasoningDelta,
    StreamingModel,
    StreamItem,
    TextDelta,
)

if TYPE_CHECKING:
    from pygent.models.openai_model import OpenAIModel

__all__ = [
    "Completed",
    "Discarded",
    "Model",
    "ModelNotice",
    "OpenAIModel",
    "ReasoningDelta",
    "StreamItem",
    "StreamingModel",
    "TextDelta",
    "custom_model",
    "default_model",
    "set_custom_model",
]

_custom: list[Model] = []


def set_custom_model(model: Model | None) -> None:
    """Make ``model`` the one that agents get which are given none; None makes it ``OpenAIModel`` again."""
    _custom[:] = [] if model is None else [model]


def custom_model() -> Model | None:
    """The model given to ``set_custom_model``."""
    return _custom[0] if _custom else None


def default_model() -> Model:
    """The model given to ``set_custom_model``, else a new ``OpenAIModel`` or ``GGUFModel`` from the settings.

    Raises ``SettingsError`` where an environment variable cannot be read, or names a file that cannot be a model.
    """
    if _custom:
        return _custom[0]
    from pygent.models.gguf import GGUFModel, is_gguf  # noqa: PLC0415 - see below
    from pygent.settings import from_environment  # noqa: PLC0415 - see below

    settings = from_environment()
    if is_gguf(settings.model):
        return GGUFModel(settings.model, profile=settings.profile)
    from pygent.models.openai_model import OpenAIModel  # noqa: PLC0415 - so that importing the package stays cheap

    return OpenAIModel(profile=settings.profile)


def __getattr__(name: str) -> Any:
    if name == "OpenAIModel":
        from pygent.models.openai_model import OpenAIModel  # noqa: PLC0415 - see default_model

        return OpenAIModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
