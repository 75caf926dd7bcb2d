def verify(place):
    place.check()
    place.python("""
from settings import read_settings
assert read_settings("[x]\\nurl = a=b\\nquoted = \\"7\\"\\n") == {"x": {"url": "a=b", "quoted": "7"}}
assert read_settings("[x]\\n[y]\\nn = -3\\n") == {"x": {}, "y": {"n": -3}}
""")
