import unittest

from duration import add, parse, write


class DurationTest(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(parse("45"), 45)
        self.assertEqual(parse("2m"), 120)
        self.assertEqual(parse("1h 30m"), 5400)

    def test_no_such_unit(self):
        with self.assertRaises(ValueError):
            parse("3w")

    def test_write(self):
        self.assertEqual(write(5400), "1h 30m")
        self.assertEqual(write(0), "0s")

    def test_add(self):
        self.assertEqual(add("50m", "20m 30s"), "1h 10m 30s")


if __name__ == "__main__":
    unittest.main()
