"""A model behind an OpenAI-compatible chat-completions endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from pygent.cancellation import CancelToken
from pygent.errors import APIError
from pygent.models.api_errors import Failure, is_context_overflow
from pygent.models.attempts import warmth
from pygent.models.base import Completed, Discarded, Messages, ModelNotice, StreamItem, ToolSchemas
from pygent.models.blocks import told
from pygent.models.compat import Compat, Given, Learning, beforehand, given_for
from pygent.models.connection import Line, Lines
from pygent.models.encoder import BodyEncoder
from pygent.models.endpoint import DEFAULT_BASE_URL, Endpoint, Failed
from pygent.models.profile import Profile, Wanted, choose, wanted
from pygent.models.reading import Reading
from pygent.models.request import Request
from pygent.models.retries import Retries
from pygent.models.silent_cut import SilentCut
from pygent.models.watch import Watch
from pygent.openai_compat import Message, Usage


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
    own endpoint. For ``timeout`` and what else belongs to the server see ``Endpoint``. A request that fails for a
    passing reason is tried again up to ``max_retries`` times, after pauses that double from ``first_pause`` seconds
    unless the server names one. With ``text_tool_calls``, calls that the model writes into its text are found and
    become calls. ``max_tokens`` is the longest answer, None for the server's own limit. ``compat`` says what is known
    of models beforehand; see ``Given``.
    ``profile`` says whether a model is small, ``auto`` finds out.

    One object serves any number of threads and conversations.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing that a server may need
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 600.0,
        max_retries: int = 6,
        first_pause: float = 0.5,
        text_tool_calls: bool = True,
        temperature: float | None = None,
        max_tokens: int | None = None,
        compat: Given = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        certificates: Path | None = None,
        first_token_timeout: float | None = None,
        token_timeout: float | None = None,
        profile: str = "full",
    ) -> None:
        if base_url is None or api_key is None:
            from pygent.settings import from_environment  # noqa: PLC0415 - not needed where both are given

            settings = from_environment()
            base_url, api_key = base_url or settings.base_url, api_key or settings.api_key
        self.server = Endpoint(
            (base_url or DEFAULT_BASE_URL).rstrip("/"),
            api_key or "",
            timeout,
            headers or {},
            proxy,
            certificates,
            first_token_timeout,
            token_timeout,
        )
        self.max_retries = max_retries
        self.first_pause = first_pause
        self.text_tool_calls = text_tool_calls
        if temperature is None and self.server.base_url != DEFAULT_BASE_URL:
            temperature = STEADY
        self.temperature = temperature
        self.max_tokens = max_tokens
        self.provider = ""
        """Name of the provider in the settings, whose models are called ``PROVIDER/MODEL`` there."""
        self._lines = Lines(self._new_line)
        self._encoder = BodyEncoder()
        self._silent_cut = SilentCut()
        self._compat = compat
        self._learning: dict[str, Learning] = {}
        self._wanted: Wanted = wanted(profile)
        self._profiles: dict[str, Profile] = {}
        self._told: tuple[ToolSchemas | None, ToolSchemas | None] | None = None

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self.server.base_url

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is sent to the server and nobody else may see."""
        return self.server.secrets

    def __repr__(self) -> str:
        return f"OpenAIModel({self.server.shown!r})"

    def chat(self, messages: Messages, model: str | None, tools: ToolSchemas | None) -> Message:
        """The answer to a conversation, in one piece.

        Raises ``APIError`` where the server refuses, ``APITemporaryError`` where trying again did not help.
        """
        for item in self._answer(self._request(messages, model, tools, streaming=False), None):
            if isinstance(item, Completed):
                return item.message
            if isinstance(item, ModelNotice | Discarded):
                _log(item.text if isinstance(item, ModelNotice) else item.why)
        raise AssertionError("an answer ends with Completed")

    def stream(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, cancel: CancelToken | None = None
    ) -> Iterator[StreamItem]:
        """The answer piece by piece; see ``StreamingModel``."""
        return self._answer(self._request(messages, model, tools, streaming=True), cancel)

    def preload(self) -> None:
        """Import what the first request needs and make its client ready; meant for a background thread."""
        preload()
        with suppress(APIError):  # said by the first request
            self._lines.give_back(self._lines.take())

    def compat(self, model: str | None = None) -> Compat:
        """How requests to ``model`` are made at present. Raises ``ValueError`` where what was given is wrong."""
        return self._learning_of(self._name(model)).now

    def learnt(self, model: str | None = None) -> dict[str, Any]:
        """What this server refused for ``model`` and is done otherwise since, as the setting ``compat`` takes it."""
        return self._learning_of(self._name(model)).learnt

    def profile(self, model: str | None = None) -> Profile:
        """Whether texts, tools and the form of calls are to be those for a small model.

        Where nobody said it and the name does not tell, the server is asked once, which takes a second at most.
        """
        name = self._name(model)
        if name not in self._profiles:
            self._profiles[name] = choose(self._wanted, name, self.server)
            self._learning.pop(name, None)  # the form of calls may be another
        return self._profiles[name]

    def told_tools(self, tools: ToolSchemas | None, model: str | None = None) -> ToolSchemas | None:
        """Those of ``tools`` whose definitions stand in a request; the same object each time, for who counts them."""
        if self.compat(model).tools != "blocks":
            return tools
        if self._told is None or self._told[0] is not tools:
            self._told = (tools, told(tools) or None)
        return self._told[1]

    def set_profile(self, model: str, profile: str) -> None:
        """Say it for one model. Raises ``ValueError`` for another word than ``auto``, ``full`` and ``small``."""
        which = wanted(profile)
        self._profiles.pop(model, None)
        if which != "auto":
            self._profiles[model] = which
        self._learning.pop(model, None)  # the form of calls may be another

    def close(self) -> None:
        """Close idle connections. The model can still be used afterwards."""
        self._lines.close()

    def _name(self, model: str | None) -> str:
        if model:
            return model
        from pygent.settings import from_environment  # noqa: PLC0415 - rarely needed

        return from_environment().model

    def _small(self, model: str) -> bool:
        return self._profiles.get(model, self._wanted) == "small"

    def _learning_of(self, model: str) -> Learning:
        known = self._learning.get(model)
        if known is None:
            base = Compat(
                tools="blocks" if self._small(model) else "native",
                max_tokens="max_completion_tokens" if self.server.base_url == DEFAULT_BASE_URL else "max_tokens",
            )
            known = self._learning.setdefault(model, Learning(given_for(self._compat, model, base)))
        return known

    def _request(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, streaming: bool
    ) -> Request:
        name, temperature = self._name(model), self.temperature
        if temperature is not None and self._small(name):
            temperature = max(temperature, warmth(messages))
        return Request(messages, name, tools, streaming, temperature, self.text_tool_calls, self.max_tokens)

    def _new_line(self) -> Line:
        self.server.check()
        return Line(self.server)

    def _answer(self, request: Request, cancel: CancelToken | None) -> Iterator[StreamItem]:
        # The retries are here and not left to the package: it sleeps in time.sleep and tells nobody.
        learning = self._learning_of(request.model)
        retries: Retries | None = None
        while True:
            if cancel is not None:
                cancel.check()
            shown = False
            try:
                for item in self._try(request, learning, cancel):
                    shown = shown or not isinstance(item, Completed)
                    yield item
                return
            except Failed as caught:
                failed = caught
            if is_context_overflow(failed.failure.error):
                raise failed.failure.error  # the loop compacts the conversation
            if told := self._mended(learning, failed, request):
                yield Discarded(told) if shown else ModelNotice(told)
                continue
            retries = retries or Retries(self.max_retries, self.first_pause)
            pause = _pause(retries, failed)
            why = f"{_sentence(failed)} Trying again in {pause:.1f} s ({retries.made} of {retries.most})."
            yield Discarded(why) if shown else ModelNotice(why, "warning")
            if cancel is not None:
                cancel.wait(pause)
            else:
                time.sleep(pause)

    def _mended(self, learning: Learning, failed: Failed, request: Request) -> str | None:
        """What is done otherwise from now on because of a refusal, None where nothing is."""
        before = learning.now
        told = learning.learn(failed.failure.error.status, str(failed), request)
        name = f"{self.provider}/{request.model}" if self.provider else request.model
        return told and f"{told} {beforehand(name, learning.now.differing(before))}"

    def _try(self, request: Request, learning: Learning, cancel: CancelToken | None) -> Iterator[StreamItem]:
        compat = learning.now
        body = request.body(self._encoder, compat)
        line = self._lines.take()
        try:
            with Watch(line.cut) as watch, cancel.on_cancel(line.cut) if cancel is not None else nullcontext():
                streamed = request.streaming and compat.stream
                seconds = (self.server.first_token_timeout if streamed else None) or self.server.timeout
                watch.wait(seconds, f"did not answer in {seconds:g} s")
                response = self._post(line, body, request.model, cancel, watch)
                try:
                    blocks = compat.tools == "blocks"
                    reading = Reading(self.server, request, watch, cancel, blocks=blocks)
                    for item in reading.items(response):
                        cut = self._silent_cut.told(request, len(body), _usage(item))
                        if cut:
                            yield ModelNotice(cut, "warning")
                        if isinstance(item, Completed):
                            learning.heard(reading.reasoning_field)
                        yield item
                finally:
                    response.close()
        finally:
            self._lines.give_back(line)

    def _post(self, line: Line, body: bytes, model: str, cancel: CancelToken | None, watch: Watch) -> Any:
        import openai  # noqa: PLC0415 - slow; there already, since there is a line

        try:
            return line.post(body, cancel)
        except openai.APIStatusError as error:
            said = error.body if error.body is not None else error.response.text
            raise self.server.refused(error.status_code, said, model, error.response.headers) from error
        except openai.APIConnectionError as error:
            if watch.expired:
                raise self.server.silent(watch.expired) from error
            raise self.server.unreachable(error) from error
        except openai.OpenAIError as error:
            raise Failed(Failure(APIError(str(error), url=self.server.shown), temporary=False)) from error


def _usage(item: StreamItem) -> Usage | None:
    return item.message.usage if isinstance(item, Completed) else None


def _pause(retries: Retries, failed: Failed) -> float:
    """How long to wait. Raises the failure as it is told to people where there is no other try."""
    try:
        return retries.pause(failed)
    except Failed:
        error = failed.failure.error
    if not retries.made:
        raise error
    text = f"{_sentence(failed)} Gave up after {retries.made + 1} tries."
    raise type(error)(text, url=error.url, status=error.status)


def _sentence(failed: Failed) -> str:
    text = str(failed)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _log(text: str) -> None:
    import logging  # noqa: PLC0415 - only where there is something to say

    logging.getLogger(__name__).warning("%s", text)
