"""All sorts of things."""


def initials(name):
    """The first letters of all words of a name."""
    return "".join(word[0].upper() for word in name.split())


def plural(count, word):
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
