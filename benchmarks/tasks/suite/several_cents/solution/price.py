"""Prices as people write them."""


def parse(text):
    """The cents of a price such as ``12.50`` or ``3``."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])
