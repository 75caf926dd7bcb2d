import unittest

from cache import Cache


class CacheTest(unittest.TestCase):
    def test_the_oldest_is_forgotten(self):
        cache = Cache(2)
        cache.put("a", 1)
        cache.put("b", 2)
        cache.put("c", 3)
        self.assertEqual(cache.keys(), ["b", "c"])

    def test_what_is_asked_for_stays(self):
        cache = Cache(2)
        cache.put("a", 1)
        cache.put("b", 2)
        self.assertEqual(cache.get("a"), 1)
        cache.put("c", 3)
        self.assertEqual(cache.get("a"), 1)
        self.assertIsNone(cache.get("b"))

    def test_hits_and_misses(self):
        cache = Cache(1)
        cache.put("a", None)
        cache.get("a")
        cache.get("x")
        self.assertEqual((cache.hits, cache.misses), (1, 1))


if __name__ == "__main__":
    unittest.main()
