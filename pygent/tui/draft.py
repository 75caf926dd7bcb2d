"""What stands in the prompt: text, in which a label can stand for a long paste or for an image.

A label is plain text, such as ``[Pasted text #1 +42 lines]``; what it stands for is kept beside the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pygent.records import record
from pygent.tui.text import clean_line

if TYPE_CHECKING:
    from pygent.images import Image

LONG_LINES, LONG_TEXT = 8, 800
"""Lines and characters from which a paste becomes a label."""

LONGEST_NAME = 40


class Paste(NamedTuple):
    """A pasted text, whole."""

    text: str


@record
class Picture:
    """An image file. ``image`` is None until it is read, and once it was sent."""

    path: str
    image: Image | None = field(default=None, compare=False, repr=False)


Chip: TypeAlias = Paste | Picture


NO_CHIPS: Mapping[str, Chip] = MappingProxyType({})


class Draft(NamedTuple):
    """A text and what its labels stand for."""

    text: str = ""
    chips: Mapping[str, Chip] = NO_CHIPS

    def whole(self) -> str:
        """The text with every paste in its place; the labels of images stay."""
        return self._replaced(lambda label, chip: chip.text if isinstance(chip, Paste) else label)

    def folded(self, text: str) -> Draft:
        """What ``whole`` gave, changed by somebody; pastes that are still whole in it are labels again."""
        for label, chip in self.chips.items():
            if isinstance(chip, Paste) and text.count(chip.text) == 1 and label not in text:
                text = text.replace(chip.text, label)
        return Draft(text, self.chips)

    def pictures(self) -> list[Picture]:
        """The images, in the order of their labels."""
        found = [(self.text.find(label), chip) for label, chip in self.chips.items() if isinstance(chip, Picture)]
        return [chip for at, chip in sorted(found, key=lambda one: one[0]) if at >= 0]

    def sent(self) -> str:
        """The text as the model gets it; images that were read are named as they are in the message."""
        return self._replaced(
            lambda label, chip: chip.text if isinstance(chip, Paste) else chip.image.mark if chip.image else label
        )

    def light(self) -> Draft:
        """Without what was read of its images: they are read again where it is sent again."""
        return Draft(self.text, {label: lightened(chip) for label, chip in self.chips.items()})

    def stripped(self) -> Draft:
        """Without blanks around it, and without chips whose label is gone."""
        text = self.text.strip()
        return Draft(text, {label: chip for label, chip in self.chips.items() if label in text})

    def _replaced(self, by: Callable[[str, Chip], str]) -> str:
        if not self.chips:
            return self.text
        pattern = "|".join(re.escape(label) for label in self.chips)
        return re.sub(pattern, lambda match: by(match[0], self.chips[match[0]]), self.text)


def lightened(chip: Chip) -> Chip:
    """A chip without what was read of its image."""
    return Picture(chip.path) if isinstance(chip, Picture) else chip


def is_long(text: str) -> bool:
    """Whether a paste is folded."""
    return len(text) > LONG_TEXT or text.count("\n") >= LONG_LINES


def paste_label(text: str, taken: Collection[str]) -> str:
    """A label for a pasted text that is none of those ``taken``."""
    number = 1
    while any(label.startswith(f"[Pasted text #{number} ") for label in taken):
        number += 1
    lines = text.rstrip("\n").count("\n") + 1
    size = f"+{lines} lines" if lines > 1 else f"{len(text):,} characters"
    return f"[Pasted text #{number} {size}]"


def picture_label(path: str, size: int | None, taken: Collection[str]) -> str:
    """A label for an image file; ``size`` is in bytes, None where it is not known."""
    from pygent.tui.panes.text import size_of  # noqa: PLC0415 - only where there is an image

    name = re.sub(r"[\[\]]", "_", clean_line(path.rstrip("/").rpartition("/")[2]))
    if len(name) > LONGEST_NAME:
        name = f"{name[: LONGEST_NAME - 10]}…{name[-9:]}"
    told = f"[Image {name}" + (f" {size_of(size)}" if size is not None else "")
    label, number = f"{told}]", 2
    while label in taken:
        label, number = f"{told} #{number}]", number + 1
    return label


def relabelled(draft: Draft, taken: Mapping[str, Chip]) -> Draft:
    """The same draft with other labels for chips whose label stands for something else in ``taken``."""
    text, chips = draft.text, dict(draft.chips)
    for label, chip in draft.chips.items():
        if label in taken and taken[label] != chip:
            others = {**taken, **chips}
            fresh = (
                paste_label(chip.text, others)
                if isinstance(chip, Paste)
                else picture_label(chip.path, len(chip.image.data) if chip.image else None, others)
            )
            text = text.replace(label, fresh)
            chips = {fresh if name == label else name: kept for name, kept in chips.items()}
    return Draft(text, chips)


def joined(drafts: Iterable[Draft]) -> Draft:
    """Drafts one below the other, without those that are blank."""
    whole = Draft()
    for draft in drafts:
        if draft.text.strip():
            more = relabelled(draft, whole.chips)
            whole = Draft(f"{whole.text}\n{more.text}" if whole.text else more.text, {**whole.chips, **more.chips})
    return whole


def to_json(draft: Draft) -> dict[str, Any]:
    """The draft as it is kept on disk; of an image, its path."""
    chips = {
        label: {"text": chip.text} if isinstance(chip, Paste) else {"path": chip.path}
        for label, chip in draft.chips.items()
    }
    return {"text": draft.text, "chips": chips} if chips else {"text": draft.text}


def from_json(value: object) -> Draft | None:
    """The draft that ``to_json`` wrote; None where it is none."""
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return None
    chips: dict[str, Chip] = {}
    kept = value.get("chips")
    for label, chip in kept.items() if isinstance(kept, dict) else ():
        if isinstance(chip, dict) and isinstance(chip.get("text"), str):
            chips[label] = Paste(chip["text"])
        elif isinstance(chip, dict) and isinstance(chip.get("path"), str):
            chips[label] = Picture(chip["path"])
    return Draft(value["text"], chips)


def summary(draft: Draft) -> str:
    """The text on one line, for lists."""
    return clean_line(draft.text)
