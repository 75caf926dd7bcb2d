"""What a GGUF file says about its model: the key-value pairs at its beginning."""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_VERSIONS = (2, 3)
_LONGEST_KEPT = 4096
"""Numbers of an array that is kept: one for each layer, not one for each word."""

CACHE_BYTES = 2
"""Of one number in the cache of keys and values."""


@dataclass(frozen=True, slots=True)
class Header:
    """The metadata of a model. Arrays of texts and long arrays are left out.

    ``parameters`` is the number of its weights in this file, None where it is split into several.
    """

    values: Mapping[str, Any]
    parameters: int | None = None

    @property
    def trained_window(self) -> int | None:
        """Tokens that the model was trained to see at once, None where the file does not say."""
        found = self._of("context_length")
        return found if isinstance(found, int) and found > 0 else None

    def cache_bytes(self, window: int) -> int:
        """Memory for keys and values of ``window`` tokens; more than is used where layers see less than all."""
        heads = self._numbers("attention.head_count") or [1]
        layers = int(self._of("block_count") or 1)
        cached = self._numbers("attention.head_count_kv") or heads
        total = sum(cached) if len(cached) > 1 else cached[0] * layers
        width = int(self._of("embedding_length") or 0) // max(1, *heads)
        each = int(self._of("attention.key_length") or width) + int(self._of("attention.value_length") or width)
        return window * total * each * CACHE_BYTES

    def _of(self, name: str) -> Any:
        return self.values.get(f"{self.values.get('general.architecture', '')}.{name}")

    def _numbers(self, name: str) -> list[int]:
        found = self._of(name)
        return [int(one) for one in found] if isinstance(found, list) else [] if found is None else [int(found)]


def read(path: Path) -> Header:
    """The header of ``path``. Raises ``ValueError`` where it is damaged or of an unknown version, ``OSError``."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _Reader(data).header()
        except (struct.error, UnicodeDecodeError, OverflowError, IndexError) as error:
            raise ValueError(f"its header is damaged or cut off ({error})") from error


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 4  # after the magic

    def header(self) -> Header:
        version = self._scalar("<I")
        if version not in _VERSIONS:
            raise ValueError(f"its version of GGUF is {version}; known: {', '.join(map(str, _VERSIONS))}")
        tensors = self._scalar("<Q")
        pairs: dict[str, Any] = {}
        for _ in range(self._scalar("<Q")):
            key = self._string().decode()
            value = self._value(self._scalar("<I"))
            if value is not None:
                pairs[key] = value
        weights = sum(self._tensor() for _ in range(tensors))
        return Header(pairs, None if int(pairs.get("split.count", 1)) > 1 else weights)

    def _tensor(self) -> int:
        """How many weights the next tensor has."""
        self._string()
        count: int = math.prod(self._scalar("<Q") for _ in range(self._scalar("<I")))
        self._move(4 + 8)  # type and place
        return count

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string().decode("utf-8", "replace")
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise ValueError(f"its header has a value of an unknown type ({kind})")
        return self._scalar(_SCALARS[kind])

    def _array(self) -> list[Any] | None:
        kind, count = self._scalar("<I"), self._scalar("<Q")
        if kind in _SCALARS:
            form = _SCALARS[kind]
            if count > _LONGEST_KEPT:
                self._move(count * struct.calcsize(form))
                return None
            return [self._scalar(form) for _ in range(count)]
        for _ in range(count):
            if kind == _STRING:
                self._move(self._scalar("<Q"))
            else:
                self._value(kind)
        return None

    def _string(self) -> bytes:
        length = self._scalar("<Q")
        start = self._at
        self._move(length)
        return self._data[start : self._at]

    def _scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return value

    def _move(self, count: int) -> None:
        self._at += count
        if self._at > len(self._data):
            raise IndexError("it ends in the middle")
