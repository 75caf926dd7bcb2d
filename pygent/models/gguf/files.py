"""Which file a name means, and whether it can be a model at all, told before anything is started."""

from __future__ import annotations

import difflib
import importlib.util
import re
from pathlib import Path

from pygent.errors import SettingsError
from pygent.models.gguf import PREFIX

MAGIC = b"GGUF"
BINDING = "xllamacpp"
INSTALL = "pip install 'pygent[local]'"

_PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)


def binding_installed() -> bool:
    """Whether the extra ``pygent[local]`` is there. Nothing is imported for that."""
    return importlib.util.find_spec(BINDING) is not None


def find(name: str) -> Path:
    """The file that a model's name means, absolute; ``~`` and paths from the current folder are understood.

    Raises ``SettingsError`` where it cannot be a model, or where what reads it is not installed.
    """
    said = name[len(PREFIX) :].strip()
    if not said:
        raise _wrong(f"the model {name!r} names no file; accepted: {PREFIX}/path/to/model.gguf")
    try:
        path = Path(said).expanduser().absolute()
    except RuntimeError as error:  # there is no such user
        raise _wrong(f"the model {name!r} cannot be found: {error}") from None
    _check(path)
    if not binding_installed():
        raise _wrong(f"to use {path.name} as the model, a package is missing: {INSTALL}")
    return path


def size_of(path: Path) -> int:
    """Bytes of a model, with the other parts where it was split into several files."""
    part = _PART.fullmatch(path.name)
    files = [path] if part is None else path.parent.glob(f"{part[1]}-*-of-{part[3]}.gguf")
    return sum(file.stat().st_size for file in files)


def _check(path: Path) -> None:
    try:
        if path.is_dir():
            raise _wrong(f"{path} is a folder, not a GGUF file{_nearest(path / 'model.gguf')}")
        with path.open("rb") as file:
            beginning = file.read(len(MAGIC))
    except FileNotFoundError:
        raise _wrong(f"there is no file {path}{_nearest(path)}") from None
    except OSError as error:
        raise _wrong(f"{path} cannot be read: {error.strerror or error}") from None
    if beginning != MAGIC:
        raise _wrong(f"{path} is not a GGUF file: it begins with {beginning!r} instead of {MAGIC!r}")
    part = _PART.fullmatch(path.name)
    if part is not None and int(part[2]) != 1:
        first = f"{part[1]}-00001-of-{part[3]}.gguf"
        raise _wrong(f"{path.name} is a part of a model; name the first one: {path.with_name(first)}")


def _nearest(path: Path) -> str:
    """A sentence about the GGUF files beside ``path``, empty where there are none."""
    folder = path.parent
    try:
        names = sorted(file.name for file in folder.iterdir() if file.suffix.casefold() == ".gguf")
    except OSError:
        above = next((one for one in folder.parents if one.is_dir()), None)
        return f": the folder {folder} is missing as well" + (f"; there is {above}" if above else "")
    if not names:
        return f"; no .gguf file is in {folder}"
    near = difflib.get_close_matches(path.name, names, 1, 0.0)[0]
    others = f" ({len(names)} .gguf files are there)" if len(names) > 1 else ""
    return f"; did you mean {folder / near}?{others}"


def _wrong(text: str) -> SettingsError:
    return SettingsError(text, key="model")
