import unittest

from calculator import calculate


class CalculatorTest(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual(calculate("42"), 42)
        self.assertEqual(calculate(" 2.5 "), 2.5)

    def test_operators(self):
        self.assertEqual(calculate("1 + 2 * 3"), 7)
        self.assertEqual(calculate("10 - 4 - 3"), 3)
        self.assertEqual(calculate("20/4/5"), 1)

    def test_parentheses(self):
        self.assertEqual(calculate("(1 + 2) * (3 + 4)"), 21)
        self.assertEqual(calculate("2 * (3 + (4 - 1))"), 12)

    def test_a_sign(self):
        self.assertEqual(calculate("-3 + 5"), 2)
        self.assertEqual(calculate("2 * -(1 + 1)"), -4)

    def test_what_is_wrong(self):
        for text in ("", "1 +", "(1", "1 2", "a"):
            with self.assertRaises(ValueError, msg=text):
                calculate(text)


if __name__ == "__main__":
    unittest.main()
