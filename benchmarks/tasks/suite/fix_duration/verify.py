def verify(place):
    place.check()
    place.python("""
from duration import parse
assert parse("1d2h3m4s") == 93784
assert parse(" 10m 5") == 605
""")
