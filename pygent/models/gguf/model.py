"""The model in a GGUF file, asked like any other over the chat-completions protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pygent.cancellation import CancelToken
from pygent.errors import APIError
from pygent.models.base import Completed, Discarded, Messages, ModelNotice, StreamItem, ToolSchemas
from pygent.models.compat import Learning
from pygent.models.endpoint import Failed
from pygent.models.gguf import process as processes
from pygent.models.gguf.files import find
from pygent.models.gguf.process import Address, Tell
from pygent.models.openai_model import OpenAIModel, preload
from pygent.models.profile import Profile, Wanted
from pygent.models.request import Request
from pygent.models.window import Window
from pygent.openai_compat import Message

SMALL_FILE = 3_000_000_000
"""Bytes of a file up to which its model is small: four billion parameters of six bits."""

_CROWDED = "Context size has been exceeded"
"""What llama.cpp says where others fill the window; of one conversation that is too long it says something else."""

_TURNS = "The conversations do not fit into the model's window together; they take turns."

_HEADERS = {"Connection": "close"}  # it closes idle ones after some seconds, perhaps when a request is on its way

_RETRIES = 2
"""Tries after a failure that is not the end of the process."""


class GGUFModel:
    """A ``StreamingModel`` from a file, named ``gguf:/path/to/model.gguf``.

    ``context_window`` is in tokens, None for that of the model as far as memory allows. ``on_progress`` hears, from
    another thread, what is being loaded. All objects for one file and window share one process, which is started by
    ``preload`` or the first request and ends with this program. Whatever ``options`` an ``OpenAIModel`` takes hold
    for its requests.

    Raises ``SettingsError`` where the file cannot be a model, or the extra ``pygent[local]`` is not installed.
    """

    def __init__(
        self, name: str, *, context_window: int | None = None, on_progress: Tell | None = None, **options: Any
    ) -> None:
        self.name = name
        self.path: Path = find(name)
        self._process = processes.shared(self.path, context_window)
        self._tell = on_progress
        profile: Wanted = options.pop("profile", "auto")
        if profile == "auto":
            profile = "small" if self.path.stat().st_size <= SMALL_FILE else "full"
        self._profile: Profile = profile
        self._options = {**options, "profile": profile}
        self._asked: _AtProcess | None = None

    def __repr__(self) -> str:
        return f"GGUFModel({str(self.path)!r})"

    @property
    def window(self) -> Window | None:
        """How much the model sees, None until it is loaded."""
        address = self._process.address
        return None if address is None else address.window

    def profile(self, model: str | None = None) -> Profile:
        """Whether texts, tools and the form of calls are those for a small model: by the file's size, if not said."""
        return self._profile

    def told_tools(self, tools: ToolSchemas | None, model: str | None = None) -> ToolSchemas | None:
        """Those of ``tools`` whose definitions stand in a request."""
        return tools if self._asked is None else self._asked.told_tools(tools, self.name)

    def preload(self) -> None:
        """Begin to load the file; meant for a background thread."""
        self._start()
        preload()

    def loaded(self) -> OpenAIModel:
        """The same model at the address of its process, where it answers until that ends.

        Raises ``APIError`` where the file cannot be loaded.
        """
        self._start()
        return self._at(self._process.wait())

    def close(self) -> None:
        """Close idle connections. The file stays loaded for whoever asks next."""
        if self._asked is not None:
            self._asked.close()

    def chat(self, messages: Messages, model: str | None, tools: ToolSchemas | None) -> Message:
        """The answer to a conversation, in one piece. Raises ``APIError``."""
        for item in self.stream(messages, model, tools):
            if isinstance(item, Completed):
                return item.message
        raise AssertionError("an answer ends with Completed")

    def stream(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, cancel: CancelToken | None = None
    ) -> Iterator[StreamItem]:
        """The answer piece by piece; see ``StreamingModel``.

        A process that dies meanwhile is started again once. Where several conversations do not fit into the window
        together, they take turns.
        """
        turns, alone, died, shown = self._process.turns, False, False, False
        while True:
            with turns.take(cancel, alone=alone):
                try:
                    for item in self._try(messages, tools, cancel):
                        shown = shown or not isinstance(item, ModelNotice)
                        yield item
                    return
                except _DiedError as error:
                    if died:
                        raise APIError(f"{error} It had been started again for this request already.") from None
                    died, why = True, f"{error} It is started again."
                except _CrowdedError as error:
                    if alone:
                        raise APIError(str(error)) from None
                    alone, why = True, _TURNS
            yield Discarded(why) if shown else ModelNotice(why, "warning")
            shown = False

    def _try(self, messages: Messages, tools: ToolSchemas | None, cancel: CancelToken | None) -> Iterator[StreamItem]:
        """One answer. Raises ``_DiedError`` and ``_CrowdedError``, besides what ``stream`` raises."""
        self._start()
        if self._process.loading and self._tell is None:
            yield ModelNotice(f"Loading {self.path.name} …")
        model = self._at(self._process.wait(cancel))
        try:
            for item in model.stream(messages, self.name, tools, cancel=cancel):
                yield self._named(item, model.base_url)
        except APIError as error:
            raise type(error)(str(error).replace(model.base_url, self.path.name), status=error.status) from error

    def _named(self, item: StreamItem, url: str) -> StreamItem:
        """What is told to people names the file instead of an address that nobody has seen."""
        match item:
            case ModelNotice(text, level):
                return ModelNotice(text.replace(url, self.path.name), level)
            case Discarded(why):
                return Discarded(why.replace(url, self.path.name))
        return item

    def _start(self) -> None:
        if self._process.address is None:
            processes.make_room(self._process)
            self._process.start(self._tell)

    def _at(self, address: Address) -> OpenAIModel:
        asked = self._asked
        if asked is None or asked.address != address:
            asked = self._asked = _AtProcess(self._process, address, **self._options)
        return asked


class _DiedError(Exception):
    """The process ended in the middle of an answer; the text says how."""


class _CrowdedError(Exception):
    """There are too many other conversations in the window at present."""


class _AtProcess(OpenAIModel):
    """The model at the address of a process, whose own failures are no failures of a server."""

    def __init__(self, process: processes.ModelProcess, address: Address, **options: Any) -> None:
        url = f"http://127.0.0.1:{address.port}/v1"
        super().__init__(url, address.key, max_retries=_RETRIES, headers=_HEADERS, **options)
        self.address = address
        self._process = process

    def _try(self, request: Request, learning: Learning, cancel: CancelToken | None) -> Iterator[StreamItem]:
        try:
            yield from super()._try(request, learning, cancel)
        except Failed as failed:
            if _CROWDED in str(failed):
                raise _CrowdedError(str(failed)) from failed
            if failed.failure.temporary and (why := self._process.why_gone()):
                raise _DiedError(why) from failed
            raise
