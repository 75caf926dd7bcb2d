"""Busy and free times of a day; times are minutes since midnight, meetings are (start, end)."""


def merged(meetings):
    """The meetings as stretches of busy time that do not touch each other, in order."""
    result = []
    for start, end in sorted(meetings):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], end)
        else:
            result.append((start, end))
    return result


def free(meetings, opening, closing):
    """The stretches between opening and closing in which there is no meeting."""
    result = []
    at = opening
    for start, end in merged(meetings):
        if start > at:
            result.append((at, start))
        at = max(at, end)
    if at < closing:
        result.append((at, closing))
    return result


def busy_minutes(meetings):
    return sum(end - start for start, end in merged(meetings))
