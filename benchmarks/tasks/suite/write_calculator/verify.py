import re


def verify(place):
    place.check()
    place.expect(not re.search(r"\b(eval|exec)\s*\(", place.read("calculator.py")), "eval or exec is used")
    place.python("""
from calculator import calculate
assert calculate("2*3+4*5") == 26
assert calculate("8 / (3 - 1) * 2") == 8
assert calculate("((((7))))") == 7
""")
