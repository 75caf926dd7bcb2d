import unittest

from days import day_of_year, days_in_month


class DaysTest(unittest.TestCase):
    def test_common_years(self):
        self.assertEqual(days_in_month(2023, 2), 28)
        self.assertEqual(days_in_month(1900, 2), 28)
        self.assertEqual(day_of_year(2023, 12, 31), 365)

    def test_leap_years(self):
        self.assertEqual(days_in_month(2024, 2), 29)
        self.assertEqual(day_of_year(2000, 3, 1), 61)

    def test_no_such_day(self):
        with self.assertRaises(ValueError):
            day_of_year(2023, 2, 29)


if __name__ == "__main__":
    unittest.main()
