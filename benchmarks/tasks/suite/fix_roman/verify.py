def verify(place):
    place.check()
    place.python("from roman import *; assert all(from_roman(to_roman(n)) == n for n in range(1, 4000))")
