"""Durations as people write them: 1d 2h 30m 15s."""

UNITS = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)]


def parse(text):
    """Seconds of a duration such as ``1h 30m`` or ``1h30m``; a number without a unit is seconds.

    Raises ``ValueError``.
    """
    total = 0
    digits = ""
    for letter in text.strip():
        if letter.isdigit():
            digits += letter
        elif letter == " ":
            continue
        else:
            for unit, seconds in UNITS:
                if letter == unit:
                    total += int(digits) * seconds
                    break
            else:
                raise ValueError(f"no such unit: {letter}")
    if digits:
        total += int(digits)
    return total


def write(seconds):
    """The shortest text for so many seconds."""
    parts = []
    for unit, size in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def add(*texts):
    """The sum of some durations, written."""
    return write(sum(parse(text) for text in texts))
