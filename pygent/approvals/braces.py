"""What a shell makes of the braces in words, before anything else: ``{rm,-rf,/}`` is three words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pygent.approvals.shell import Unparsable, Word

_INNERMOST = re.compile(r"\{([^{}]*,[^{}]*)\}")
_RANGE = re.compile(r"\{(-?[A-Za-z0-9]+)\.\.(-?[A-Za-z0-9]+)(\.\.-?[0-9]+)?\}")
_OTHER_RANGE = re.compile(r"\{[^{},]{1,12}\.\.[^{},]{1,12}\}")
_MOST = 200


def expanded(words: Iterable[Word]) -> list[Word]:
    """The words with their braces expanded. Raises ``Unparsable`` where they would be too many.

    Quotes inside of braces are not seen any more, so there may be pieces that the shell would not make.
    """
    out: list[Word] = []
    for word in words:
        if not word.glob or "{" not in word.text or "}" not in word.text:
            out.append(word)
        else:
            out.extend(Word(text, word.dynamic, glob=True) for text in _texts(word.text))
    return out


def _texts(text: str) -> list[str]:
    waiting, done = [text], []
    while waiting:
        text = waiting.pop()
        found = _INNERMOST.search(text)
        if found is not None:
            pieces = found.group(1).split(",")
        elif found := _RANGE.search(text):
            pieces = list(found.groups()[:2])  # the ends stand for what lies between them
        elif _OTHER_RANGE.search(text):
            raise Unparsable("a range of characters in braces")
        else:
            done.append(text)
            continue
        if len(waiting) + len(done) + len(pieces) > _MOST or len(text) > 10_000:
            raise Unparsable("braces that stand for too many words")
        waiting.extend(text[: found.start()] + piece + text[found.end() :] for piece in reversed(pieces))
    return done
