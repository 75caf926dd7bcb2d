def verify(place):
    place.check()
    place.python("""
from cache import Cache
cache = Cache(3)
for key in "abc":
    cache.put(key, key)
cache.get("a"); cache.get("nothing"); cache.put("b", 2); cache.put("d", 4)
assert cache.keys() == ["a", "b", "d"], cache.keys()
""")
