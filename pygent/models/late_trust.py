"""A TLS context for a server without TLS.

Reading the certificates of this machine takes longer than all else that a client needs, and each client does it.
Where the address begins with ``http://`` they matter only after a redirect to ``https://``, and are read then.
"""

from __future__ import annotations

import ssl
from typing import Any, Self


class LateTrust(ssl.SSLContext):
    """Checks certificates as ``ssl.create_default_context()`` does, and reads the trusted ones when first needed."""

    _read = False

    def __new__(cls) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        self._need()
        return super().wrap_socket(*arguments, **options)

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        self._need()
        return super().wrap_bio(*arguments, **options)

    def _need(self) -> None:
        if not self._read:
            self.load_default_certs()
            self._read = True
