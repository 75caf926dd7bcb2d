"""Conversion of lengths and weights."""


def convert(value, source, target):
    """The value in another unit.

    Raises ``ValueError`` where the units do not go together.
    """
    if source == target:
        return value
    elif source == "km" and target == "m":
        return value * 1000
    elif source == "m" and target == "km":
        return value / 1000
    elif source == "m" and target == "cm":
        return value * 100
    elif source == "cm" and target == "m":
        return value / 100
    elif source == "kg" and target == "g":
        return value * 1000
    elif source == "g" and target == "kg":
        return value / 1000
    elif source == "mile" and target == "km":
        return value * 1.609344
    else:
        raise ValueError(f"cannot convert {source} to {target}")


def describe(value, source, target):
    return f"{value} {source} = {convert(value, source, target):g} {target}"
