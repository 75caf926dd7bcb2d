"""Looking things up in sorted lists."""


def first_at_least(values, wanted):
    """The index of the first value that is at least ``wanted``; ``len(values)`` where all are smaller."""
    low = 0
    high = len(values) - 1
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def contains(values, wanted):
    index = first_at_least(values, wanted)
    return index < len(values) and values[index] == wanted


def count(values, wanted):
    """How often ``wanted`` is in a sorted list of whole numbers."""
    return first_at_least(values, wanted + 1) - first_at_least(values, wanted)
