"""What one tool call carries, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pygent.cancellation import CancelToken
from pygent.events import Event, ToolStatus

if TYPE_CHECKING:
    from pygent.images import Image


@dataclass(slots=True)
class Scope:
    """What one tool call carries, and what became of it.

    ``outcome`` is how its command ended, None where that was well; ``exit_status`` its number, None where it has
    none; ``rest`` the file with all of a long output, known as soon as there is one. ``sees`` tells whether the model
    gets images, ``images`` are those that it is to get once all calls of its message are answered.
    """

    agent_id: str
    call_id: str
    cancel: CancelToken
    emit: Callable[[Event], object]
    tasks: Any = None
    depth: int = 0
    outcome: ToolStatus | None = None
    rest: str = ""
    exit_status: int | None = None
    sees: Callable[[], bool] = bool
    images: list[Image] = field(default_factory=list)
