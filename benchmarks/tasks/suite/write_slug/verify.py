def verify(place):
    place.check()
    place.python("from slug import slug; assert slug('One_two  THREE') in ('one-two-three', 'one_two-three'); assert slug('') == 'untitled'; assert slug('*7*') == '7'")
