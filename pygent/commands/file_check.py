"""What ``pygent doctor`` says about models in files: whether they can be loaded, and the one that is set."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from pygent.commands.check import Check
from pygent.errors import SettingsError
from pygent.models.gguf import files, header, is_gguf, memory
from pygent.settings import Settings

NAME = "model files"


def model_file(settings: Settings) -> Check:
    """The file that is the model, without loading it; otherwise whether one could be."""
    if not files.binding_installed():
        text = f"gguf:/path/to/model.gguf as the model needs {files.INSTALL}"
        return Check(NAME, "fail" if is_gguf(settings.model) else "ok", text)
    binding = f"{files.BINDING} {importlib.metadata.version(files.BINDING)}"
    if not is_gguf(settings.model):
        return Check(NAME, "ok", f"{binding}; gguf:/path/to/model.gguf can be the model")
    try:
        path = files.find(settings.model)
    except SettingsError as error:
        return Check(NAME, "fail", str(error))
    return _fits(settings, path, binding)


def _fits(settings: Settings, path: Path, binding: str) -> Check:
    size, free = files.size_of(path), memory.available_memory()
    try:
        window = memory.choose_window(header.read(path), size, settings.context_window, free)
    except memory.TooLittleMemory as error:
        return Check(NAME, "fail", f"{path.name} does not fit into the memory: {error}")
    except (OSError, ValueError) as error:
        return Check(NAME, "fail", f"{path} cannot be loaded: {error}")
    cpus = memory.usable_cpus()
    text = f"{path} ({memory.in_words(size)}), a window of {window} tokens, {cpus} CPU{'s' if cpus > 1 else ''}"
    return Check(NAME, "ok", f"{text}; {binding}")
