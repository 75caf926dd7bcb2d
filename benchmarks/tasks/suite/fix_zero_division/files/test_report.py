import unittest

from report import average_stay, report


class ReportTest(unittest.TestCase):
    def test_average(self):
        self.assertEqual(average_stay([10, 21, 32]), 21)

    def test_a_day(self):
        self.assertEqual(report("Monday", [5, 15]), "Monday: 2 visitors, 10 min on average, 15 at most")

    def test_a_day_without_visitors(self):
        self.assertEqual(report("Sunday", []), "Sunday: 0 visitors, 0 min on average, 0 at most")


if __name__ == "__main__":
    unittest.main()
