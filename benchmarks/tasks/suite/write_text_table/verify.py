def verify(place):
    place.check()
    place.python("""
from table import table
assert table([["n", "word"], [1000, "a"], [7, "bcdef"]]) == "n     word\\n----  -----\\n1000  a\\n   7  bcdef"
""")
