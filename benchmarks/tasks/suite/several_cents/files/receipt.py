"""Receipts."""


def receipt(cart):
    """A line for each thing, and the total below."""
    result = [f"{name} {amount}" for name, amount in cart.lines]
    result.append(f"total {cart.total()}")
    return "\n".join(result)
