"""Receipts."""


def written(cents):
    return f"{cents // 100}.{cents % 100:02}"


def receipt(cart):
    """A line for each thing, and the total below."""
    result = [f"{name} {written(amount)}" for name, amount in cart.lines]
    result.append(f"total {written(cart.total())}")
    return "\n".join(result)
