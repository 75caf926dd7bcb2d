def verify(place):
    place.check()
    place.python("""
from order import *
assert build_order({"b": ["a"], "a": [], "c": ["a", "b"]}) == ["a", "b", "c"]
try:
    build_order({"x": [], "y": ["x", "z"], "z": ["y"]})
except CycleError:
    pass
else:
    raise AssertionError("no cycle found")
""")
