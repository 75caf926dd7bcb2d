"""How much a model sees at once, and how large it is, as far as its server tells; no two servers tell it alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pygent.errors import APIError
from pygent.records import record

TIMEOUT = 3.0

_LIMITS = ("context_window", "context_length", "max_model_len", "max_context_length", "loaded_context_length")
"""What servers call it in a list of models; what tells of the model as it runs stands last."""


@record
class Window:
    """What a server tells of a model.

    ``tokens`` is what it sees at once as it runs, ``trained`` what it was made for; ``parameters`` is their number.
    None for what is not told.
    """

    tokens: int | None = None
    parameters: int | None = None
    trained: int | None = None


def find_window(
    base_url: str,
    model: str,
    api_key: str | None = None,
    timeout: float = TIMEOUT,
    *,
    headers: Mapping[str, str] | None = None,
    proxy: str | None = None,
    certificates: Path | None = None,
) -> Window | None:
    """Ask the server at ``base_url`` for the window of ``model``; None where it tells nothing of it.

    Understood are the lists of models of llama.cpp, vLLM and OpenRouter, llama.cpp's ``/props``, Ollama's
    ``/api/show`` and ``/api/ps``, and LM Studio's ``/api/v0/models``. ``timeout`` is in seconds, for each of at
    most three requests. Raises nothing: a server that does not answer tells nothing.
    """
    from pygent.models.endpoint import Endpoint  # noqa: PLC0415 - on this thread, like the next
    from pygent.models.small_requests import Asker  # noqa: PLC0415 - brings the standard library's client

    try:
        ask = Asker(Endpoint(base_url, api_key or "", timeout, headers or {}, proxy, certificates))
    except APIError:  # certificates that cannot be read; the first request tells of them
        return None
    parts = urlsplit(base_url.rstrip("/"))
    root = parts._replace(path=parts.path.removesuffix("/v1"), query="", fragment="").geturl()
    listed = _listed(ask.json(f"{base_url.rstrip('/')}/models"), model)
    found = _of_list(listed)
    if found.tokens is None and listed.get("owned_by") == "llamacpp":
        found = _joined(found, _of_props(ask.json(f"{root}/props")))
    elif found.tokens is None and listed.get("owned_by") == "library":
        found = _of_ollama(ask.json(f"{root}/api/show", {"model": model}))
        if found.tokens is None:
            found = _joined(found, _of_loaded(ask.json(f"{root}/api/ps"), model))
    elif found.tokens is None and listed.get("owned_by") == "organization_owner":
        found = _of_list(_listed(ask.json(f"{root}/api/v0/models"), model))
    return None if found == Window() else found


def _listed(answer: Any, model: str) -> dict[str, Any]:
    """The entry of ``model`` in a list of models; that of the only one where the server knows it by another name."""
    data = answer.get("data") if isinstance(answer, dict) else None
    entries = [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
    for entry in entries:
        if model in {entry.get("id"), *_texts(entry.get("aliases"))}:
            return entry
    # llama.cpp answers for its one model, whatever it is called.
    return entries[0] if len(entries) == 1 and entries[0].get("owned_by") == "llamacpp" else {}


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _of_list(entry: Mapping[str, Any]) -> Window:
    meta = entry.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    tokens = None
    for name in _LIMITS:
        tokens = _count(entry.get(name)) or tokens
    return Window(_count(meta.get("n_ctx")) or tokens, _count(meta.get("n_params")), _count(meta.get("n_ctx_train")))


def _of_props(answer: Any) -> Window:
    answer = answer if isinstance(answer, dict) else {}
    generation = answer.get("default_generation_settings")
    generation = generation if isinstance(generation, dict) else {}
    return Window(_count(generation.get("n_ctx")) or _count(answer.get("n_ctx")))


def _of_ollama(answer: Any) -> Window:
    answer = answer if isinstance(answer, dict) else {}
    info = answer.get("model_info")
    info = info if isinstance(info, dict) else {}
    trained = next((_count(value) for name, value in info.items() if name.endswith(".context_length")), None)
    # What it runs with stands there only where the model's own file says it, not where it is the server's default.
    return Window(_num_ctx(answer.get("parameters")), _count(info.get("general.parameter_count")), trained)


def _of_loaded(answer: Any, model: str) -> Window:
    """What is in use while the model is loaded."""
    models = answer.get("models") if isinstance(answer, dict) else None
    for one in models if isinstance(models, list) else ():
        if isinstance(one, dict) and model in {one.get("name"), one.get("model")}:
            return Window(_count(one.get("context_length")))
    return Window()


def _num_ctx(parameters: Any) -> int | None:
    for line in parameters.splitlines() if isinstance(parameters, str) else ():
        name, _, value = line.strip().partition(" ")
        if name == "num_ctx" and value.strip().isdecimal():
            return int(value)
    return None


def _joined(one: Window, other: Window) -> Window:
    return Window(one.tokens or other.tokens, one.parameters or other.parameters, one.trained or other.trained)


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 < value < 10**15 else None
