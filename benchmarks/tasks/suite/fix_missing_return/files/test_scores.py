import unittest

from scores import grade, points, summary

SOLUTION = ["Paris", "7", "blue"]


class ScoresTest(unittest.TestCase):
    def test_points(self):
        self.assertEqual(points(["paris ", "8", "Blue"], SOLUTION), 2)

    def test_grade(self):
        self.assertEqual(grade(["Paris", "7", "blue"], SOLUTION), "A")
        self.assertEqual(grade(["Paris", "7", "red"], SOLUTION), "B")
        self.assertEqual(grade(["Rome", "7", "red"], SOLUTION), "C")

    def test_summary(self):
        self.assertEqual(summary("Kim", ["", "", ""], SOLUTION), "Kim: 0 of 3, C")


if __name__ == "__main__":
    unittest.main()
