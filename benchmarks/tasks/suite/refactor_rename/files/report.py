"""The day's sales."""

from prices import calc


def day(sales):
    """The sum of all sales of a day; the calculation of each is calc's."""
    return sum(calc(items) for items in sales)
