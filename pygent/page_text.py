"""The text of a page as Markdown: what a reader would read, without scripts, styles and hidden parts."""

from __future__ import annotations

import codecs
import contextlib
import json
import re

from pygent.errors import PygentError

_HTML = {"text/html", "application/xhtml+xml"}
_TEXT = (
    "text/",
    "application/json",
    "application/xml",
    "application/javascript",
    "application/x-yaml",
    "application/toml",
)
_DROPPED = ("script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "form", "button")
_BLANKS = re.compile(r"[ \t]+\n")
_XML = re.compile(rb"^\s*<\?xml[^>]*\?>")
_GAPS = re.compile(r"\n{3,}")


def page_text(content_type: str, body: bytes) -> str:
    """The text of an answer. Raises ``PygentError`` for what is no text."""
    kind, _, rest = content_type.partition(";")
    kind = kind.strip().lower()
    charset = _charset(rest)
    looks_html = body[:512].lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))
    if kind in _HTML or (not kind and looks_html):
        return _markdown(body, charset)
    if not kind.startswith(_TEXT) and not kind.endswith(("+json", "+xml")) and not (not kind and _is_text(body)):
        raise PygentError(f"It is {kind or 'of an unknown type'} ({len(body):,} bytes), no text.")
    text = body.decode(charset or "utf-8", "replace")
    if kind.endswith("json"):
        with contextlib.suppress(ValueError):  # shown as it is
            text = json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    return text.strip()


def _markdown(body: bytes, charset: str | None) -> str:
    from bs4 import BeautifulSoup  # noqa: PLC0415 - loaded with the first page
    from markdownify import MarkdownConverter  # noqa: PLC0415

    body = _XML.sub(b"", body, count=1)
    if b"<" not in body:
        return body.decode(charset or "utf-8", "replace").strip()
    soup = BeautifulSoup(body, "html.parser", from_encoding=charset)
    title = soup.title.get_text(" ", strip=True) if soup.title is not None else ""
    for tag in soup.find_all(True):
        if not tag.decomposed and (
            tag.name in _DROPPED or tag.has_attr("hidden") or tag.get("aria-hidden") == "true"
        ):
            tag.decompose()
    main = soup.find("main") or soup.find("article") or soup.body or soup
    try:
        text = str(MarkdownConverter(heading_style="ATX", strip=["img"], bullets="-").convert_soup(main))
    except RecursionError:  # tags in tags, a thousand deep
        text = main.get_text("\n", strip=True)
    text = _GAPS.sub("\n\n", _BLANKS.sub("\n", text)).strip()
    return text if not title or title in text[:400] else f"# {title}\n\n{text}"


def _charset(parameters: str) -> str | None:
    found = re.search(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]+)", parameters, re.IGNORECASE)
    if found is None:
        return None
    try:
        return codecs.lookup(found.group(1)).name
    except LookupError:
        return None


def _is_text(body: bytes) -> bool:
    return b"\0" not in body[:8192]
