"""The model in a GGUF file, asked like any other over the chat-completions protocol."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from pygent.cancellation import CancelToken
from pygent.errors import APIError
from pygent.models.base import Completed, Discarded, Messages, ModelNotice, StreamItem, ToolSchemas
from pygent.models.gguf import process as processes
from pygent.models.gguf.files import find
from pygent.models.gguf.process import Address, Tell
from pygent.models.openai_model import OpenAIModel, preload
from pygent.openai_compat import Message

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
        self._wanted = context_window
        self._tell = on_progress
        self._options = options
        self._asked: tuple[Address, OpenAIModel] | None = None

    def __repr__(self) -> str:
        return f"GGUFModel({str(self.path)!r})"

    @property
    def context_window(self) -> int | None:
        """Tokens that the model can see at once; None until that is known."""
        address = self._process.address
        return self._wanted if address is None else address.context_window

    def preload(self) -> None:
        """Begin to load the file; meant for a background thread."""
        self._start()
        preload()

    def close(self) -> None:
        """Close idle connections. The file stays loaded for whoever asks next."""
        if self._asked is not None:
            self._asked[1].close()

    def chat(self, messages: Messages, model: str | None, tools: ToolSchemas | None) -> Message:
        """The answer to a conversation, in one piece. Raises ``APIError``."""
        for item in self.stream(messages, model, tools):
            if isinstance(item, Completed):
                return item.message
        raise AssertionError("an answer ends with Completed")

    def stream(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, cancel: CancelToken | None = None
    ) -> Iterator[StreamItem]:
        """The answer piece by piece; see ``StreamingModel``. A process that dies meanwhile is started again once."""
        with self._process.used():
            why = yield from self._once(messages, tools, cancel)
            if why is None:
                return
            yield Discarded(f"{why} It is started again.")
            why = yield from self._once(messages, tools, cancel)
            if why is not None:
                raise APIError(f"{why} It had been started again for this request, so it is not once more.")

    def _once(
        self, messages: Messages, tools: ToolSchemas | None, cancel: CancelToken | None
    ) -> Generator[StreamItem, None, str | None]:
        """One answer. Answers why the process died, None where it did not."""
        self._start()
        if self._process.loading and self._tell is None:
            yield ModelNotice(f"Loading {self.path.name} …")
        model = self._at(self._process.wait(cancel))
        try:
            for item in model.stream(messages, self.name, tools, cancel=cancel):
                if isinstance(item, Discarded | ModelNotice) and (why := self._process.why_gone()):
                    return why
                yield item
        except APIError:
            if why := self._process.why_gone():
                return why
            raise
        return None

    def _start(self) -> None:
        if self._process.address is None:
            processes.make_room(self._process)
            self._process.start(self._tell)

    def _at(self, address: Address) -> OpenAIModel:
        asked = self._asked
        if asked is None or asked[0] != address:
            model = OpenAIModel(
                f"http://127.0.0.1:{address.port}/v1", address.key, max_retries=_RETRIES, **self._options
            )
            asked = self._asked = (address, model)
        return asked[1]
