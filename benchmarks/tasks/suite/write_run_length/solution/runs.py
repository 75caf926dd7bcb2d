import re
from itertools import groupby


def pack(text):
    if any(letter.isdigit() for letter in text):
        raise ValueError("digits cannot be packed")
    lengths = [(letter, len(list(group))) for letter, group in groupby(text)]
    return "".join(f"{length if length > 1 else ''}{letter}" for letter, length in lengths)


def unpack(text):
    return re.sub(r"(\d+)(\D)", lambda match: match[2] * int(match[1]), text)
