"""What a small model is asked for at the end of a task: the files that its answer is to hold.

What is said last is heeded most. A model that is told a general form fills it in with the form's own words; told the
name of the one file that is wanted, it gives that file.
"""

from __future__ import annotations

import re

from pygent.models.block_reader import PATH, blocks_in
from pygent.models.partial import functions

CHECK_FAILED = "The check fails"
CHECK_PASSES = "The check passes"
"""What a message about the check begins with."""

BEGINS = "begins like this; it has"
"""What is said of a file of which only the beginning is shown."""

LOOK = (
    "Of some files only the beginning is shown. Do not guess what stands in the rest: run a command on the file, in "
    "a bash block, and end your reply there."
)

FREE = 2
"""Attempts that look at the whole file before each function has its turn."""

_TEST = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|[^/]*\.(?:test|spec))\.\w+$|(?:^|/)tests?/")
_DATA = frozenset({"csv", "jsonl", "log", "tsv", "txt", "md"})


def is_test(path: str) -> bool:
    """Whether a file tests others, by its name."""
    return _TEST.search(path) is not None


def targets(text: str, words: str) -> list[str]:
    """The files that the answer to a task may have to hold.

    ``words`` are the task as the person said it, ``text`` what was shown with it: these are the files that the task
    names, or else all that are shown, without tests; all of both where nothing is broken.
    """
    shown = [block.path for block in blocks_in(text) if block.path and not is_test(block.path)]
    whole = {path.rpartition("/")[2]: path for path in reversed(shown)} | {path: path for path in shown}
    named = [match.group().removeprefix("./") for match in PATH.finditer(words)]
    wanted = dict.fromkeys(whole.get(path, path) for path in named if not is_test(path))
    code = [path for path in shown if path.rpartition(".")[2] not in _DATA]
    if CHECK_PASSES in text:  # what works is to be made otherwise, and that seldom ends in the file that is named
        wanted.update(dict.fromkeys(code))
    # What is not there yet comes first: it may take over what another file is to lose.
    return sorted(wanted, key=lambda path: path in shown) or code


def goes_on(failures: int, files: int) -> bool:
    """Whether, after that many failed attempts, what was written stays and one of several files is asked for.

    What a reply to all of them wrote stays while each of them has its turn; then everything begins anew.
    """
    return files > 1 and failures % (files + 1) > 0


def asked(text: str, wanted: list[str], failures: int, one: str = "") -> str:
    """What a task ends with, after that many failed attempts; "" where there is nothing to ask for.

    ``text`` is the task with the files as they are now, ``wanted`` those that the answer may have to hold, ``one``
    that of them which has its turn.
    """
    if CHECK_FAILED not in text and CHECK_PASSES not in text:
        return LOOK if BEGINS in text else ""
    if len(wanted) == 1:
        return _one(wanted[0], text, failures)
    if one:
        return f"Explain briefly what has to change in {one}, and give the changed code: {_whole(one)}"
    return (
        "Explain briefly what has to change, and where. Then give every file that changes, complete, each in a "
        "fenced block with its path on the line before it."
    )


def _one(path: str, text: str, failures: int) -> str:
    whole = _whole(path)
    content = next((block.content for block in blocks_in(text) if block.path == path), None)
    if content is None:
        return f"Explain briefly how it has to work, and give the code: {whole}"
    if CHECK_FAILED not in text:
        return f"Explain briefly what has to change, and give the changed code: {whole}"
    if name := _suspect(path, content, text, failures):
        return (
            f"The fault may be in `{name}`. Say line by line what `{name}` does, and where that is not what it "
            f"should do. Then give `{name}`, corrected and complete, in one fenced block."
        )
    return f"Explain briefly what is wrong, and give the corrected code: {whole}"


def _whole(path: str) -> str:
    return f"all of {path}, complete, in one fenced block."


def _suspect(path: str, content: str, text: str, failures: int) -> str:
    """The function that this attempt is to look at; "" for the whole file.

    A small model looks where the task points, and there only. So the first attempts are free, and then each function
    has its turn, those that the check's output names first.
    """
    names = functions(content) if path.endswith(".py") else []
    if failures < FREE or len(names) < 2:
        return ""
    output = text[text.index(CHECK_FAILED) :]
    names.sort(key=lambda name: re.search(rf"\b{re.escape(name)}\b", output) is None)
    turn = (failures - FREE) % (len(names) + 1)
    return names[turn] if turn < len(names) else ""
