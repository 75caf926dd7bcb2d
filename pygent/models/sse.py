"""A reader of server-sent events: bytes in as they come, payloads out as soon as they are whole.

Source: the HTML standard, "Parsing an event stream". Where servers break it without doubt about what they mean, it is
read as meant: an ``error:`` field is a payload, and the last event needs no empty line after it.
"""

from __future__ import annotations

_PAYLOADS = (b"data", b"error")


class SSEReader:
    """Collects the bytes of one stream."""

    def __init__(self) -> None:
        self._partial: list[bytes] = []  # pieces of a line that has not ended; joined once, for long lines
        self._payload: list[bytes] = []
        self._started = False

    def feed(self, chunk: bytes) -> list[str]:
        """Take some bytes; answer the payloads that they complete."""
        if b"\n" not in chunk and b"\r" not in chunk:
            self._partial.append(chunk)
            return []
        data = b"".join((*self._partial, chunk))
        self._partial.clear()
        lines = data.splitlines(keepends=True)
        if not lines[-1].endswith(b"\n"):
            # An unfinished line, or one ended by a CR whose LF may be still to come.
            self._partial.append(lines.pop())
        return self._take(lines)

    def finish(self) -> list[str]:
        """The bytes have ended; answer what is left."""
        lines = b"".join(self._partial).splitlines()
        self._partial.clear()
        return self._take([*lines, b""])

    def _take(self, lines: list[bytes]) -> list[str]:
        out: list[str] = []
        for raw in lines:
            line = raw.rstrip(b"\r\n")
            if not self._started:
                self._started = True
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line:
                if self._payload:
                    out.append(b"\n".join(self._payload).decode("utf-8", "replace"))
                    self._payload.clear()
                continue
            name, _, value = line.partition(b":")
            if name in _PAYLOADS:
                self._payload.append(value.removeprefix(b" "))
        return out
