def verify(place):
    place.check()
    place.python("""
from template import render
assert render("{a:x|strip|upper} and {b|title}", {"b": "of it"}) == "X and Of It"
assert render("no names", {}) == "no names"
""")
