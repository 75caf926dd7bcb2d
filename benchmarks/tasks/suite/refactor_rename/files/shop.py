"""Selling things."""

import prices


def sell(customer, items):
    """One line about a sale; those who come often pay less."""
    discount = 10 if customer.endswith("*") else 0
    return f"{customer.rstrip('*')} pays {prices.calc(items, discount)}"
