"""A server that cuts a conversation that is too long for it, and does not say so: told from what it counts."""

from __future__ import annotations

import threading

from pygent.models.request import Request
from pygent.openai_compat import Usage

_SMALL = 8_000  # bytes of a request; a smaller one fits everywhere, and says little
_FEWEST = 1 / 12  # tokens for each byte: no text has so few
_FEWER = 0.5  # of the tokens for each byte that the same server counted before
_NEW_ONLY = 1.5


class SilentCut:
    """What one server counted for requests, by the model; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._densest: dict[str, float] = {}
        self._sizes: dict[str, int] = {}
        self._told: set[str] = set()

    def told(self, request: Request, size: int, usage: Usage | None) -> str | None:
        """What people are told, once for a model, where the server counted far less than the ``size`` bytes sent."""
        if usage is None or not usage.prompt_tokens:
            return None
        model, tokens = request.model, usage.prompt_tokens
        density = tokens / size
        with self._lock:
            before, densest = self._sizes.get(model), self._densest.get(model, 0.0)
            self._sizes[model] = size
            self._densest[model] = max(densest, density)
            if size < _SMALL or density >= max(_FEWEST, densest * _FEWER) or model in self._told:
                return None
            usual = densest or 0.25
            if before is not None and tokens <= (size - before) * usual * _NEW_ONLY:
                return None  # it counts only what it has not seen before
            if request.has_images:
                return None  # whose bytes are no text
            self._told.add(model)
        return (
            f"The server counted {tokens} tokens where about {int(size * usual)} were sent. It seems to cut what is "
            "too long for it without saying so: let it have more context (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx)."
        )
