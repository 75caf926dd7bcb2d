"""From the bytes of a response to the items of an answer, in whichever form it comes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from pygent.cancellation import CancelToken
from pygent.models import api_errors
from pygent.models.base import Completed, ModelNotice, ReasoningDelta, StreamItem, TextDelta
from pygent.models.blocks import read_blocks
from pygent.models.endless import TOLD, Endless
from pygent.models.endpoint import Endpoint
from pygent.models.loose_json import bounded_json
from pygent.models.request import Request
from pygent.models.sse import SSEReader
from pygent.models.stream import Accumulator, ErrorInStream
from pygent.models.watch import Watch

_AFTER_DONE = 0.3  # seconds for the end of the body, after which the connection can be used again
_AFTER_FINISH = 5.0  # seconds for the token counts, which come after the last piece of the answer
_DONE = object()


class Reading:
    """Reads the answer to one request; servers do not always send the form that was asked for."""

    def __init__(
        self, server: Endpoint, request: Request, watch: Watch, cancel: CancelToken | None, *, blocks: bool = False
    ) -> None:
        self._server = server
        self._model = request.model
        self._watch = watch
        self._cancel = cancel
        self._winding = float("inf")
        read = partial(read_blocks, messages=request.messages, tools=request.tools) if blocks else None
        self._endless = {TextDelta: Endless(), ReasoningDelta: Endless()}
        self._answer = Accumulator(request.tools, text_tool_calls=request.text_tool_calls, read=read)

    @property
    def reasoning_field(self) -> str:
        """The field in which reasoning came, "" where there was none."""
        return self._answer.reasoning_field

    def items(self, response: Any) -> Iterator[StreamItem]:
        """The items of the answer, ``Completed`` the last. Raises ``Failed``, and what the cancel token raises."""
        answer = self._answer
        reader: SSEReader | None = None
        done = endless = False
        beginning = b""
        for chunk in self._chunks(response):
            if done:
                continue
            if reader is None:
                beginning += chunk
                if beginning.lstrip()[:1] in {b"", b"{", b"[", b"<"}:
                    if beginning.strip():
                        self._hold_on(0)
                    continue  # not a stream; read to its end
                reader, chunk = SSEReader(), beginning  # noqa: PLW2901 - all that came so far
            pieces = answer.pieces
            done = self._feed(reader.feed(chunk))
            taken = answer.take()
            yield from taken
            endless = not done and self._has_no_end(taken)
            if endless:
                yield ModelNotice(TOLD, "warning")
                answer.finish_reason = "length"
                break  # whoever closes the response tells the server
            if done or answer.finish_reason:
                self._wind_up(_AFTER_DONE if done else _AFTER_FINISH)
            elif answer.pieces > pieces:
                self._hold_on(answer.pieces)
        if reader is not None:
            done = done or endless or self._feed(reader.finish())
        elif beginning.strip():
            self._feed_whole(beginning)
        if not (done or answer.finish_reason) or (answer.empty and not answer.finish_reason):
            raise self._server.broken("the answer ended before it was whole")
        message = answer.finish()
        yield from answer.take()
        yield Completed(message)

    def _has_no_end(self, items: list[StreamItem]) -> bool:
        return any(
            self._endless[type(item)].feed(item.text)
            for item in items
            if isinstance(item, TextDelta | ReasoningDelta)
        )

    def _hold_on(self, pieces: int) -> None:
        """Wait for the next piece of the answer, from now on."""
        limit = self._server.token_timeout if pieces else None
        seconds = limit or self._server.timeout
        self._watch.wait(seconds, f"stopped in the middle of its answer: nothing more came in {seconds:g} s")

    def _wind_up(self, seconds: float) -> None:
        """Wait for what may follow the answer; only a shorter time is a new beginning."""
        if seconds < self._winding:
            self._winding = seconds
            self._watch.wait(seconds)

    def _chunks(self, response: Any) -> Iterator[bytes]:
        try:
            yield from response.iter_bytes()
        except Exception as error:  # the HTTP library's own classes, which depend on the package's version
            if self._cancel is not None:
                self._cancel.check()
            if self._watch.expired:
                raise self._server.silent(self._watch.expired) from error
            if not self._answer.finish_reason:
                raise self._server.unreachable(error) from error
        if self._cancel is not None:
            self._cancel.check()  # a connection that was cut may look like one that ended
        if self._watch.expired:
            raise self._server.silent(self._watch.expired)

    def _feed(self, payloads: list[str]) -> bool:
        """Take the payloads of a stream; answers whether its end was among them."""
        for payload in payloads:
            for piece in _decoded(payload):
                if piece is _DONE:
                    return True
                if piece is None:
                    raise self._server.broken("a piece of the answer is not JSON")
                self._feed_piece(piece)
        return False

    def _feed_whole(self, body: bytes) -> None:
        try:
            piece = bounded_json(body)
        except ValueError as error:
            if body.lstrip()[:1] != b"<":
                raise self._server.broken("the answer is not JSON") from error
            text = (
                "answered with a web page instead of JSON. Check the base URL, which usually ends with /v1. "
                f"The server said: {api_errors.excerpt(body)}"
            )
            raise self._server.unusable(text, 200) from error
        self._feed_piece(piece)
        if not self._answer.empty:
            self._answer.finish_reason = self._answer.finish_reason or "stop"  # it is whole, said or not

    def _feed_piece(self, piece: object) -> None:
        try:
            self._answer.feed(piece)
        except ErrorInStream as found:
            code = found.error.get("code") if isinstance(found.error, dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            raise self._server.refused(status, {"error": found.error}, self._model, {}) from None


def _decoded(payload: str) -> Iterator[object]:
    """The JSON values of a payload: one, or one a line where a server puts no empty line between events.

    None for what is not JSON, ``_DONE`` for the end.
    """
    try:
        yield bounded_json(payload)
        return
    except ValueError:
        pass
    for line in payload.split("\n"):
        if line.startswith("[DONE]"):
            yield _DONE
            return
        try:
            yield bounded_json(line)
        except ValueError:
            yield None
