"""One request, and the bytes that came back, for looking at a server."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from pygent.models.connection import Line
from pygent.models.endpoint import Endpoint


@dataclass(slots=True)
class Exchange:
    """What a request brought.

    ``status`` is None where there was no answer; ``body`` is what came of it, ``why`` what went wrong in words.
    ``seconds`` is the time it took, ``first`` the time until its first byte. ``broke``: it ended in the middle.
    """

    status: int | None = None
    body: bytes = b""
    why: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    first: float | None = None
    broke: bool = False

    @property
    def good(self) -> bool:
        """Whether there is an answer to read."""
        return self.status == 200 and not self.broke


def exchange(line: Line, server: Endpoint, body: bytes, model: str) -> Exchange:
    """Send ``body`` and read to the end of the answer. Raises nothing but an interrupt."""
    import openai  # noqa: PLC0415 - slow

    begun = time.monotonic()
    out = Exchange()
    try:
        response = line.post(body, None)
    except openai.APIStatusError as error:
        said = error.body if error.body is not None else error.response.text
        failed = server.refused(error.status_code, said, model, error.response.headers)
        out.status, out.why = error.status_code, str(failed.failure.error)
        out.headers = {name.lower(): value for name, value in error.response.headers.items()}
    except openai.OpenAIError as error:
        out.why = str(server.unreachable(error).failure.error)
    else:
        _read(response, out, begun)
    out.seconds = time.monotonic() - begun
    return out


def _read(response: Any, out: Exchange, begun: float) -> None:
    out.status = response.status_code
    chunks = []
    try:
        for chunk in response.iter_bytes():
            if out.first is None:
                out.first = time.monotonic() - begun
            chunks.append(chunk)
    except Exception as error:  # the HTTP library's own classes, which depend on the package's version
        out.broke, out.why = True, f"the answer broke off: {error or type(error).__name__}"
    finally:
        response.close()
    out.body = b"".join(chunks)
