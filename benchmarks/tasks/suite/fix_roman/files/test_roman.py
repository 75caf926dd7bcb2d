import unittest

from roman import from_roman, to_roman


class RomanTest(unittest.TestCase):
    def test_to_roman(self):
        self.assertEqual(to_roman(1994), "MCMXCIV")

    def test_from_roman(self):
        self.assertEqual(from_roman("XIV"), 14)
        self.assertEqual(from_roman("MDCLXVI"), 1666)
        self.assertEqual(from_roman("XXVIII"), 28)

    def test_there_and_back(self):
        for number in (1, 3, 4, 9, 40, 88, 399, 2026, 3999):
            self.assertEqual(from_roman(to_roman(number)), number)


if __name__ == "__main__":
    unittest.main()
