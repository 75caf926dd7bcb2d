"""Sorted, numbered lists."""


def listing(names, upper=False):
    """A line for each name, numbered from 1, in alphabetical order."""
    result = []
    for number, name in enumerate(sorted(names, key=str.lower), 1):
        result.append(f"{number}. {name.upper() if upper else name}")
    return result
