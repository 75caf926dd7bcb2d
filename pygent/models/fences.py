"""Text in fences, as Markdown writes it."""

from __future__ import annotations

_LANGUAGES = {
    "py": "python",
    "js": "javascript",
    "ts": "typescript",
    "sh": "bash",
    "md": "markdown",
    "yml": "yaml",
    "rs": "rust",
    "rb": "ruby",
}


def language_of(path: str) -> str:
    """What a block with that file is marked with."""
    ending = path.rpartition(".")[2].lower() if "." in path else ""
    return _LANGUAGES.get(ending, ending)


def fenced(content: str, info: str = "") -> str:
    """``content`` in a fence that it cannot close."""
    fence = "```"
    while fence in content:
        fence += "`"
    return f"{fence}{info}\n{content.rstrip(chr(10))}\n{fence}"
