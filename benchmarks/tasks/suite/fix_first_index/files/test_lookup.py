import unittest

from lookup import contains, count, first_at_least


class LookupTest(unittest.TestCase):
    def test_first_at_least(self):
        values = [1, 3, 3, 7]
        self.assertEqual(first_at_least(values, 0), 0)
        self.assertEqual(first_at_least(values, 3), 1)
        self.assertEqual(first_at_least(values, 4), 3)

    def test_all_are_smaller(self):
        self.assertEqual(first_at_least([1, 3, 7], 8), 3)
        self.assertEqual(first_at_least([], 8), 0)

    def test_contains(self):
        self.assertTrue(contains([2, 4, 6], 6))
        self.assertFalse(contains([2, 4, 6], 5))

    def test_count(self):
        self.assertEqual(count([5, 5, 5], 5), 3)
        self.assertEqual(count([1, 2, 2, 9], 2), 2)


if __name__ == "__main__":
    unittest.main()
