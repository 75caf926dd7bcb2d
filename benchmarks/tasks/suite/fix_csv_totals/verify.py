def verify(place):
    place.check()
    place.python("""
from totals import totals
assert totals('customer,amount,note\\n"A ""B"" C",3,"x,y"\\nD,4,\\n') == {'A "B" C': 3, 'D': 4}
""")
