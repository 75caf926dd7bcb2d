"""Simple statistics over lists of numbers."""


def mean(values):
    """The arithmetic mean."""
    if not values:
        raise ValueError("no values")
    return sum(values) / len(values)


def median(values):
    """The middle value of the sorted values; the mean of the two middle ones if their number is even."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle]


def spread(values):
    """The distance between the smallest and the largest value."""
    if not values:
        raise ValueError("no values")
    return max(values) - min(values)
