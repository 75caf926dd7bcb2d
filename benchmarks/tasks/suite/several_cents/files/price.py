"""Prices as people write them."""


def parse(text):
    """The amount of a price such as ``12.50`` or ``3``."""
    return float(text)
