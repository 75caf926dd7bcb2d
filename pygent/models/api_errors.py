"""What went wrong with a request, in words that say what to check, and whether trying again can help."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pygent.errors import APIError, APITemporaryError

LONGEST_WAIT = 120.0
"""Seconds: a server that asks to wait longer is not waited for."""

_TEMPORARY = {408, 409, 425, 429}
_LONGEST_EXCERPT = 600
_OVERFLOW = re.compile(
    r"context.{0,20}(length|size|window|limit)|maximum context|too many tokens|prompt is too long|exceed_context"
    r"|exceeds? the (available|maximum|model).{0,30}(context|tokens)|input is too long|reduce the length",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing", re.IGNORECASE)
_TAG = re.compile(r"<(?:style|script).*?</(?:style|script)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_KEY = re.compile(r"\b(sk|gsk|key|pk|xai)[-_][\w*-]{6,}")


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed try. ``wait`` is the pause in seconds that the server asks for, None where it says nothing."""

    error: APIError
    temporary: bool
    wait: float | None = None


def is_context_overflow(error: APIError) -> bool:
    """Whether the server says that the conversation is too long for the model: shortening it may help."""
    return error.status in {400, 413, 422, 500} and (error.status == 413 or bool(_OVERFLOW.search(str(error))))


def without_credentials(url: str) -> str:
    """``url`` as it can be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def excerpt(body: object, *, key: str = "") -> str:
    """What a server said, from JSON, HTML or plain text, without any key, shortened."""
    text = _message_in(body)
    if "<" in text and re.search(r"<(!doctype|html|head|body|h1|title)", text, re.IGNORECASE):
        text = f"an HTML page: {_TAG.sub(' ', text)}"
    text = " ".join(text.split())
    if key:
        text = text.replace(key, "…")
    text = _KEY.sub("…", text)
    return text if len(text) <= _LONGEST_EXCERPT else f"{text[:_LONGEST_EXCERPT]}…"


def of_status(
    status: int,
    body: object,
    headers: Mapping[str, str],
    *,
    url: str,
    model: str,
    key: str = "",
    key_name: str = "OPENAI_API_KEY",
) -> Failure:
    """An answer with an error status. ``key_name`` says where the key stands."""
    shown = without_credentials(url)
    said = excerpt(body, key=key)
    tail = f" The server said: {said}" if said else ""
    if status in {401, 403}:
        check = key_name if key else f"{key_name}, which is not set"
        text = (
            f"{shown} refused the API key (HTTP {status}). Check {check}, and that it belongs to this server.{tail}"
        )
    elif status == 404:
        text = (
            f"{shown} has no model {model!r}, or is not the right address (HTTP 404). Check the model's name and the "
            f"base URL, which usually ends with /v1.{tail}"
        )
    else:
        text = f"{shown} answered with HTTP {status}.{tail}"
    wait = retry_after(headers)
    error = APITemporaryError(text, url=shown, status=status)
    again = headers.get("x-should-retry")
    if is_context_overflow(error) or (status == 429 and _QUOTA.search(said)) or again == "false":
        temporary = False
    else:
        temporary = status in _TEMPORARY or (status >= 500 and status not in {501, 505}) or again == "true"
    if temporary and wait is not None and wait > LONGEST_WAIT:
        text = f"{text} It asks to wait {wait:.0f} s."
        return Failure(APITemporaryError(text, url=shown, status=status), temporary=False)
    return Failure(error if temporary else APIError(text, url=shown, status=status), temporary, wait)


def of_connection(
    error: BaseException, *, url: str, timeout: float | None = None, proxy: str | None = None
) -> Failure:
    """No answer, or one that broke off. ``proxy`` is the URL of the one that leads there, where that was said."""
    shown = without_credentials(url)
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}  # by name: importing their modules takes longer than a request
    if "SSLCertVerificationError" in names:
        text = (
            f"The certificate of {shown} cannot be trusted: {causes[-1]}. Where the server's authority is a private "
            "one, name its file in the setting certificates."
        )
        return Failure(APIError(text, url=shown), temporary=False)
    if names & {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}:
        text = f"{shown} cannot be asked: {causes[-1]}. Check the base URL (OPENAI_BASE_URL, --base-url)."
        return Failure(APIError(text, url=shown), temporary=False)
    if "ProxyError" in names:
        text = f"The proxy on the way to {shown} refused: {causes[-1]}. Check the setting proxy, or HTTPS_PROXY."
        return Failure(APIError(text, url=shown), temporary=False)
    check = "Check that the server runs and that the base URL is right (OPENAI_BASE_URL, --base-url)."
    if any(isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED for cause in causes):
        text = f"Nothing listens at {shown} (connection refused). {check}"
        if proxy and "://" in proxy:
            text = (
                f"The proxy {without_credentials(proxy)} on the way to {shown} does not answer (connection refused)."
            )
    elif "gaierror" in names:
        text = f"The host of {shown} was not found. {check}"
    elif any("Timeout" in name for name in names):
        connecting = "ConnectTimeout" in names
        limit = f" in {timeout:g} s" if timeout and not connecting else " in time"
        text = f"{shown} did not {'accept the connection' if connecting else 'answer'}{limit}."
    else:
        text = f"The connection to {shown} broke: {str(causes[-1]) or type(causes[-1]).__name__}."
    return Failure(APITemporaryError(text, url=shown), temporary=True)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The pause that a server asks for, in seconds; None where it names none that can be read."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            seconds = _until(value)
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def _until(date: str) -> float:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - slow and rarely needed

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (TypeError, ValueError):
        return -1.0


def _message_in(body: Any) -> str:
    if isinstance(body, Mapping):
        inner = body.get("error") or body.get("message") or body.get("detail") or dict(body)
        if isinstance(inner, Mapping) and inner is not body:
            inner = inner.get("message") or inner.get("code") or dict(inner)
        return str(inner)
    if isinstance(body, bytes):
        return body.decode("utf-8", "replace")
    return "" if body is None else str(body)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
