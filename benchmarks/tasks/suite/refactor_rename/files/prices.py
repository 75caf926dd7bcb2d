"""Prices, in cents."""

VAT = 20


def calc(items, discount=0):
    """The price of all items, with tax; the discount is in percent."""
    net = sum(price * count for price, count in items)
    net -= net * discount // 100
    return net + net * VAT // 100


def per_item(items):
    return calc(items) // sum(count for _, count in items)
