def verify(place):
    place.check()
    place.python("""
from bisect import bisect_left
from lookup import first_at_least
for size in range(6):
    values = [2 * n // 3 for n in range(size)]
    for wanted in range(-1, 6):
        assert first_at_least(values, wanted) == bisect_left(values, wanted), (values, wanted)
""")
