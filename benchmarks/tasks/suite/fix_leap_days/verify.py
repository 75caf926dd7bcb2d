def verify(place):
    place.check()
    place.python("from days import is_leap; assert [y for y in (1600, 1700, 1800, 2096, 2100, 2400, 2401) if is_leap(y)] == [1600, 2096, 2400]")
