"""Roman numerals."""

VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}

PAIRS = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
]


def to_roman(number):
    if not 0 < number < 4000:
        raise ValueError(f"out of range: {number}")
    result = ""
    for value, numeral in PAIRS:
        while number >= value:
            result += numeral
            number -= value
    return result


def from_roman(text):
    total = 0
    for position, letter in enumerate(text):
        value = VALUES[letter]
        following = VALUES[text[position + 1]] if position + 1 < len(text) else 0
        if value <= following:
            total -= value
        else:
            total += value
    return total
