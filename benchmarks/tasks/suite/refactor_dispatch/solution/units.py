"""Conversion of lengths and weights."""

FACTORS = {
    ("km", "m"): 1000,
    ("m", "km"): 1 / 1000,
    ("m", "cm"): 100,
    ("cm", "m"): 1 / 100,
    ("kg", "g"): 1000,
    ("g", "kg"): 1 / 1000,
    ("mile", "km"): 1.609344,
}


def convert(value, source, target):
    """The value in another unit.

    Raises ``ValueError`` where the units do not go together.
    """
    if source == target:
        return value
    try:
        return value * FACTORS[source, target]
    except KeyError:
        raise ValueError(f"cannot convert {source} to {target}") from None


def describe(value, source, target):
    return f"{value} {source} = {convert(value, source, target):g} {target}"
