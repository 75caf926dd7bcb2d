def verify(place):
    place.check()
    place.python("""
from runs import pack, unpack
for text in ("x", "xyxy", "   !!", "q" * 101 + "r"):
    assert unpack(pack(text)) == text, text
assert pack("q" * 101) == "101q"
""")
