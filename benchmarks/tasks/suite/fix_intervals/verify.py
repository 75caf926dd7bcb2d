def verify(place):
    place.check()
    place.python("""
from schedule import merged, busy_minutes
assert merged([(1, 9), (2, 3), (9, 11), (20, 21)]) == [(1, 11), (20, 21)]
assert busy_minutes([(0, 50), (10, 20), (40, 60)]) == 60
""")
