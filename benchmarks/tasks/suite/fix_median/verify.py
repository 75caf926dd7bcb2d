def verify(place):
    place.check()
    place.python("from stats import median; assert median([2, 8]) == 5; assert median([7]) == 7; assert median([1, 2, 3, 4, 5, 9]) == 3.5")
