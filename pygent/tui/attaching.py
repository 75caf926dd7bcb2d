"""Images for a prompt: found in what was typed, pasted or dropped, and read. Runs beside the screen's thread."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pygent.errors import PygentError
from pygent.images import ENDINGS, Image, ImageError
from pygent.tui.draft import Chip, Draft, Picture, picture_label

Read = Callable[[str], Image]

_END = rf"\.(?:{'|'.join(ENDINGS)})"
MENTION = re.compile(
    rf"""(?:^|(?<=\s))@(?:"(?P<quoted>[^"\n]+{_END})"|(?P<plain>[^\s"]\S*{_END})(?=[\s,;:!?.)]|$))""", re.IGNORECASE
)
"""An image mentioned in a text, as ``@shot.png`` or ``@"my shot.png"``."""


def mentioned_path(match: re.Match[str]) -> str:
    """The path that a match of ``MENTION`` names."""
    return match["quoted"] or match["plain"]


def needs_reading(draft: Draft) -> bool:
    """Whether files have to be read before a draft can be sent."""
    if draft.text.startswith("!"):
        return False
    return any(picture.image is None for picture in draft.pictures()) or MENTION.search(draft.text) is not None


def read_pictures(read: Read, draft: Draft) -> Draft:
    """The draft with its images read, and with those that it mentions as ``@path``.

    A mention of a file that is not there stays text. Raises ``PygentError`` for an image that cannot be sent.
    """
    chips: dict[str, Chip] = {}
    for label, chip in draft.chips.items():
        chips[label] = Picture(chip.path, read(chip.path)) if isinstance(chip, Picture) and not chip.image else chip

    def mentioned(match: re.Match[str]) -> str:
        path = mentioned_path(match)
        try:
            image = read(path)
        except ImageError:
            raise
        except PygentError:
            return match[0]
        label = picture_label(path, len(image.data), chips)
        chips[label] = Picture(path, image)
        return label

    return Draft(MENTION.sub(mentioned, draft.text), chips)


def pasted_images(read: Read, text: str) -> list[Picture]:
    """The images whose paths were pasted; none where the text is no list of paths of files that are there.

    Raises ``ImageError`` where one is there and cannot be sent.
    """
    for paths in _candidates(text):
        if paths and all(_is_file(path) for path in paths):
            return [Picture(path, read(path)) for path in paths]
    return []


def _candidates(text: str) -> list[list[str]]:
    """What a pasted text may mean: one path with blanks in it, a path a line, or paths as a shell quotes them."""
    text = text.strip()
    found = [[_path(text)], [_path(line) for line in text.splitlines() if line.strip()]]
    with contextlib.suppress(ValueError):  # an open quote
        found.append([_path(word) for word in shlex.split(text)])
    return found


def _path(text: str) -> str:
    text = text.strip()
    if text.startswith("file://"):
        return unquote(urlsplit(text).path)
    return str(Path(text).expanduser()) if text.startswith("~/") else text


def _is_file(path: str) -> bool:
    try:
        return path.startswith("/") and path.lower().endswith(ENDINGS) and Path(path).is_file()
    except (OSError, ValueError):
        return False
