def verify(place):
    place.check()
    place.python("from chunks import chunks; assert chunks(list(range(7)), 3) == [[0, 1, 2], [3, 4, 5], [6]]; assert chunks([5], 9) == [[5]]")
