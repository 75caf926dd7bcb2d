def verify(place):
    place.check()
    place.python("""
from ring import Ring
for size in (1, 2, 5):
    ring, kept = Ring(size), []
    for number in range(13):
        ring.add(number)
        kept = (kept + [number])[-size:]
        assert ring.values() == kept, (size, ring.values(), kept)
        assert ring.newest() == number
""")
