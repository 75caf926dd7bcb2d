def verify(place):
    place.check()
    place.python("from words import top_words; assert top_words('b a, B c; (A) b', 3) == [('b', 3), ('a', 2), ('c', 1)]")
