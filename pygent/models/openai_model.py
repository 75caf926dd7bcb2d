"""A model behind an OpenAI-compatible chat-completions endpoint."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from pygent.cancellation import CancelToken
from pygent.errors import APIError, APITemporaryError
from pygent.models import api_errors
from pygent.models.api_errors import Failure
from pygent.models.base import Completed, Discarded, Messages, ModelNotice, StreamItem, ToolSchemas
from pygent.models.connection import Line, Lines
from pygent.models.encoder import BodyEncoder
from pygent.models.plain_tools import as_text
from pygent.models.quirks import Quirks
from pygent.models.sse import SSEReader
from pygent.models.stream import Accumulator, ErrorInStream
from pygent.openai_compat import Message

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_LONGEST_PAUSE = 16.0
_AFTER_DONE = 0.3  # seconds for the end of the body, after which the connection can be used again
_AFTER_FINISH = 5.0  # seconds for the token counts, which come after the last piece of the answer
_DONE = object()


def preload() -> None:
    """Import the ``openai`` package, which takes about a second; meant for a background thread."""
    import openai  # noqa: PLC0415 - slow

    _ = openai.OpenAI, openai.DefaultHttpxClient  # resolved lazily by the package


STEADY = 0.2
"""Temperature for servers other than OpenAI's. Small models that are sampled freely lose the form of a tool call, and
some that are not sampled at all repeat themselves."""


class OpenAIModel:
    """A ``StreamingModel`` on the ``openai`` package, for any server that speaks its chat-completions protocol.

    ``base_url`` and ``api_key`` default to the settings (``OPENAI_BASE_URL``, ``OPENAI_API_KEY``), then to OpenAI's
    own endpoint. ``timeout`` is in seconds, for connecting and for each silence of the server. A request that fails
    for a passing reason is tried again up to ``max_retries`` times, after pauses that double from ``first_pause``
    seconds unless the server names one. With ``text_tool_calls``, calls that the model writes into its text are
    found and become calls.

    One object serves any number of threads and conversations.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 600.0,
        max_retries: int = 6,
        first_pause: float = 0.5,
        text_tool_calls: bool = True,
        temperature: float | None = None,
    ) -> None:
        if base_url is None or api_key is None:
            from pygent.settings import from_environment  # noqa: PLC0415 - not needed where both are given

            settings = from_environment()
            base_url, api_key = base_url or settings.base_url, api_key or settings.api_key
        self.base_url = (base_url or DEFAULT_BASE_URL).rstrip("/")
        self.timeout = timeout
        self.max_retries = max_retries
        self.first_pause = first_pause
        self.text_tool_calls = text_tool_calls
        if temperature is None and self.base_url != DEFAULT_BASE_URL:
            temperature = STEADY
        self.temperature = temperature
        self._api_key = api_key or ""
        self._lines = Lines(self._new_line)
        self._encoder = BodyEncoder()
        self._quirks: dict[str, Quirks] = {}

    def __repr__(self) -> str:
        return f"OpenAIModel({api_errors.without_credentials(self.base_url)!r})"

    def chat(self, messages: Messages, model: str | None, tools: ToolSchemas | None) -> Message:
        """The answer to a conversation, in one piece.

        Raises ``APIError`` where the server refuses, ``APITemporaryError`` where trying again did not help.
        """
        ask = _Ask(messages, self._name(model), tools, streaming=False, temperature=self.temperature)
        for item in self._answer(ask, None):
            if isinstance(item, Completed):
                return item.message
            if isinstance(item, ModelNotice | Discarded):
                _log(item.text if isinstance(item, ModelNotice) else item.why)
        raise AssertionError("an answer ends with Completed")

    def stream(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, cancel: CancelToken | None = None
    ) -> Iterator[StreamItem]:
        """The answer piece by piece; see ``StreamingModel``."""
        ask = _Ask(messages, self._name(model), tools, streaming=True, temperature=self.temperature)
        return self._answer(ask, cancel)

    def preload(self) -> None:
        """Import what the first request needs and make its client ready; meant for a background thread."""
        preload()
        with contextlib.suppress(APIError):  # said by the first request
            self._lines.give_back(self._lines.take())

    def close(self) -> None:
        """Close idle connections. The model can still be used afterwards."""
        self._lines.close()

    def _name(self, model: str | None) -> str:
        if model:
            return model
        from pygent.settings import from_environment  # noqa: PLC0415 - rarely needed

        return from_environment().model

    def _new_line(self) -> Line:
        if urlsplit(self.base_url).scheme not in {"http", "https"}:
            shown = api_errors.without_credentials(self.base_url)
            raise APIError(f"The base URL {shown!r} must begin with http:// or https://.", url=shown)
        if not self._api_key and self.base_url == DEFAULT_BASE_URL:
            raise APIError(
                f"No API key is set for {self.base_url}. Set OPENAI_API_KEY, or OPENAI_BASE_URL (--base-url) to the "
                "address of another server; a local one usually needs no key.",
                url=self.base_url,
            )
        return Line(self.base_url, self._api_key or "none", self.timeout)

    def _answer(self, ask: _Ask, cancel: CancelToken | None) -> Iterator[StreamItem]:
        # The retries are here and not left to the package: it sleeps in time.sleep and tells nobody.
        quirks = self._quirks.setdefault(ask.model, Quirks())
        retries = 0
        while True:
            if cancel is not None:
                cancel.check()
            shown = False
            try:
                for item in self._try(ask, quirks, cancel):
                    shown = shown or not isinstance(item, Completed)
                    yield item
                return
            except _Failed as failed:
                failure = failed.failure
            learnt = quirks.learn(
                failure.error.status,
                str(failure.error),
                has_tools=bool(ask.tools) and self.text_tool_calls,
                has_images=ask.has_images,
            )
            if learnt:
                yield ModelNotice(learnt)
                continue
            if not failure.temporary or retries >= self.max_retries:
                raise _given_up(failure, retries)
            pause = failure.wait if failure.wait is not None else _pause(self.first_pause, retries)
            retries += 1
            why = f"{_sentence(failure.error)} Trying again in {pause:.1f} s ({retries} of {self.max_retries})."
            yield Discarded(why) if shown else ModelNotice(why, "warning")
            if cancel is not None:
                cancel.wait(pause)
            else:
                time.sleep(pause)

    def _try(self, ask: _Ask, quirks: Quirks, cancel: CancelToken | None) -> Iterator[StreamItem]:
        body = ask.body(self._encoder, quirks)
        line = self._lines.take()
        try:
            with cancel.on_cancel(line.cut) if cancel is not None else contextlib.nullcontext():
                response = self._post(line, body, ask.model, cancel)
                try:
                    yield from self._read(response, line, ask, cancel)
                finally:
                    response.close()
        finally:
            self._lines.give_back(line)

    def _post(self, line: Line, body: bytes, model: str, cancel: CancelToken | None) -> Any:
        import openai  # noqa: PLC0415 - slow; there already, since there is a line

        try:
            return line.post(body, cancel)
        except openai.APIStatusError as error:
            said = error.body if error.body is not None else error.response.text
            raise _Failed(self._refused(error.status_code, said, model, error.response.headers)) from error
        except openai.APIConnectionError as error:
            raise _Failed(api_errors.of_connection(error, url=self.base_url, timeout=self.timeout)) from error
        except openai.OpenAIError as error:
            raise _Failed(Failure(APIError(str(error), url=self.base_url), temporary=False)) from error

    def _read(self, response: Any, line: Line, ask: _Ask, cancel: CancelToken | None) -> Iterator[StreamItem]:
        """The items of one answer, in whichever form it comes: servers do not always send the one asked for."""
        answer = Accumulator(ask.tools, text_tool_calls=self.text_tool_calls)
        reader: SSEReader | None = None
        done = False
        beginning = b""
        with _Patience(line) as patience:
            for chunk in self._chunks(response, answer, cancel):
                if done:
                    continue
                if reader is None:
                    beginning += chunk
                    if beginning.lstrip()[:1] in {b"", b"{", b"[", b"<"}:
                        continue  # not a stream; read to its end
                    reader, chunk = SSEReader(), beginning  # noqa: PLW2901 - all that came so far
                done = self._feed(answer, reader.feed(chunk), ask.model)
                yield from answer.take()
                if done or answer.finish_reason:
                    patience.begin(_AFTER_DONE if done else _AFTER_FINISH)
        if reader is not None:
            done = self._feed(answer, reader.finish(), ask.model) or done
        elif beginning.strip():
            self._feed_whole(answer, beginning, ask.model)
        if not (done or answer.finish_reason) or (answer.empty and not answer.finish_reason):
            raise _Failed(self._broken("the answer ended before it was whole"))
        message = answer.finish()
        yield from answer.take()
        yield Completed(message)

    def _chunks(self, response: Any, answer: Accumulator, cancel: CancelToken | None) -> Iterator[bytes]:
        try:
            yield from response.iter_bytes()
        except Exception as error:  # the HTTP library's own classes, which depend on the package's version
            if cancel is not None:
                cancel.check()
            if not answer.finish_reason:
                failure = api_errors.of_connection(error, url=self.base_url, timeout=self.timeout)
                raise _Failed(failure) from error
        if cancel is not None:
            cancel.check()  # a connection that was cut may look like one that ended

    def _feed(self, answer: Accumulator, payloads: list[str], model: str) -> bool:
        """Take the payloads of a stream; answers whether its end was among them."""
        for payload in payloads:
            for piece in _decoded(payload):
                if piece is _DONE:
                    return True
                if piece is None:
                    raise _Failed(self._broken("a piece of the answer is not JSON"))
                self._feed_piece(answer, piece, model)
        return False

    def _feed_whole(self, answer: Accumulator, body: bytes, model: str) -> None:
        try:
            piece = json.loads(body)
        except ValueError as error:
            if body.lstrip()[:1] != b"<":
                raise _Failed(self._broken("the answer is not JSON")) from error
            shown = api_errors.without_credentials(self.base_url)
            text = (
                f"{shown} answered with a web page instead of JSON. Check the base URL, which usually ends with /v1. "
                f"The server said: {api_errors.excerpt(body)}"
            )
            raise _Failed(Failure(APIError(text, url=shown, status=200), temporary=False)) from error
        self._feed_piece(answer, piece, model)
        if not answer.empty:
            answer.finish_reason = answer.finish_reason or "stop"  # it is whole, said or not

    def _feed_piece(self, answer: Accumulator, piece: object, model: str) -> None:
        try:
            answer.feed(piece)
        except ErrorInStream as found:
            code = found.error.get("code") if isinstance(found.error, dict) else None
            status = code if isinstance(code, int) and 400 <= code < 600 else 500
            raise _Failed(self._refused(status, {"error": found.error}, model, {})) from None

    def _refused(self, status: int, said: object, model: str, headers: Any) -> Failure:
        return api_errors.of_status(status, said, headers, url=self.base_url, model=model, key=self._api_key)

    def _broken(self, what: str) -> Failure:
        shown = api_errors.without_credentials(self.base_url)
        return Failure(APITemporaryError(f"{shown}: {what}.", url=shown), temporary=True)


@dataclass(frozen=True, slots=True)
class _Ask:
    """What one call of the model asks for."""

    messages: Messages
    model: str
    tools: ToolSchemas | None
    streaming: bool
    temperature: float | None = None

    def body(self, encoder: BodyEncoder, quirks: Quirks) -> bytes:
        extra = b""
        if self.streaming:
            extra = b',"stream":true'
            if quirks.usage_in_stream:
                extra += b',"stream_options":{"include_usage":true}'
        if self.temperature is not None and quirks.temperature:
            extra += b',"temperature":%s' % repr(self.temperature).encode()
        if quirks.tools_as_text:
            messages = as_text(self.messages, self.tools)
            return encoder.body(messages, self.model, None, extra=extra, images=quirks.images)
        rules: dict[str, Any] = {"reasoning": quirks.reasoning, "images": quirks.images}
        return encoder.body(self.messages, self.model, self.tools, extra=extra, **rules)

    @property
    def has_images(self) -> bool:
        return any(isinstance(message.get("content"), list) for message in self.messages)


class _Failed(Exception):
    """One try failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.error))
        self.failure = failure


class _Patience:
    """Ends a connection on which nothing that matters can follow, if the server does not."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._timer: threading.Timer | None = None
        self._seconds = float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def begin(self, seconds: float) -> None:
        """Wait that long from now; once begun, only a shorter time is a new beginning."""
        if seconds >= self._seconds:
            return
        self.__exit__()
        self._seconds = seconds
        self._timer = threading.Timer(seconds, self._line.cut)
        self._timer.daemon = True
        self._timer.start()


def _decoded(payload: str) -> Iterator[object]:
    """The JSON values of a payload: one, or one a line where a server puts no empty line between events.

    None for what is not JSON, ``_DONE`` for the end.
    """
    try:
        yield json.loads(payload)
        return
    except ValueError:
        pass
    for line in payload.split("\n"):
        if line.startswith("[DONE]"):
            yield _DONE
            return
        try:
            yield json.loads(line)
        except ValueError:
            yield None


def _pause(first: float, retries: int) -> float:
    # From three quarters to five quarters, so that clients that failed together do not come back together.
    jitter = 0.75 + os.urandom(1)[0] / 512
    return float(min(first * 2**retries, _LONGEST_PAUSE) * jitter)


def _given_up(failure: Failure, retries: int) -> APIError:
    error = failure.error
    if not retries:
        return error
    return type(error)(f"{_sentence(error)} Gave up after {retries + 1} tries.", url=error.url, status=error.status)


def _sentence(error: APIError) -> str:
    text = str(error)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _log(text: str) -> None:
    import logging  # noqa: PLC0415 - only where there is something to say

    logging.getLogger(__name__).warning("%s", text)
