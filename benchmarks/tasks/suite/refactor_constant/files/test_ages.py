import unittest

from ages import days, describe, is_old, rest_of_day


class AgesTest(unittest.TestCase):
    def test_days(self):
        self.assertEqual(days(200_000), 2)

    def test_describe(self):
        self.assertEqual(describe(5), "today")
        self.assertEqual(describe(86_400), "yesterday")
        self.assertEqual(describe(86_400 * 5 + 1), "5 days ago")

    def test_is_old(self):
        self.assertTrue(is_old(86_400 * 31))
        self.assertFalse(is_old(86_400 * 2, 2))

    def test_rest_of_day(self):
        self.assertEqual(rest_of_day(86_400 + 400), 86_000)


if __name__ == "__main__":
    unittest.main()
