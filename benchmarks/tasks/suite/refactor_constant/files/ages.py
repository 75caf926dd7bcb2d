"""Ages of files, from times in seconds."""


def days(seconds):
    """Whole days."""
    return seconds // 86400


def describe(seconds):
    """An age as a person says it."""
    if seconds < 86400:
        return "today"
    if seconds < 2 * 86400:
        return "yesterday"
    return f"{days(seconds)} days ago"


def is_old(seconds, limit_days=30):
    return seconds > limit_days * 86400


def rest_of_day(seconds):
    return 86400 - seconds % 86400
