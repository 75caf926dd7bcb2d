import unittest

from units import convert, describe


class UnitsTest(unittest.TestCase):
    def test_convert(self):
        self.assertEqual(convert(2, "km", "m"), 2000)
        self.assertAlmostEqual(convert(500, "g", "kg"), 0.5)
        self.assertAlmostEqual(convert(10, "mile", "km"), 16.09344)
        self.assertAlmostEqual(convert(250, "cm", "m"), 2.5)

    def test_the_same_unit(self):
        self.assertEqual(convert(7, "cup", "cup"), 7)

    def test_units_that_do_not_go_together(self):
        with self.assertRaises(ValueError):
            convert(1, "kg", "m")

    def test_describe(self):
        self.assertEqual(describe(3, "m", "cm"), "3 m = 300 cm")


if __name__ == "__main__":
    unittest.main()
